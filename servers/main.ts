/**
 * `npm run servers -- start rocketmq`: the real thing on loopback, for development. It goes on until `stop`; `status` tells what runs.
 *
 *     start NAME [options]     stop NAME     status
 *
 * Everything it writes is in a temporary folder, which `stop` removes; what it fetched stays in the user's cache.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { databaseLauncher } from './database/database-launcher.ts';
import type { Launched, Launcher } from './launcher.ts';
import { mariadbProgram, mariadbReleases } from './mariadb/mariadb-program.ts';
import { mysqlProgram } from './mysql/mysql-program.ts';
import { rocketmqLauncher } from './rocketmq/rocketmq-launcher.ts';

const launchers: Readonly<Record<string, Launcher>> = {
  rocketmq: rocketmqLauncher,
  mysql: databaseLauncher(['9'], () => mysqlProgram),
  mariadb: databaseLauncher(mariadbReleases, mariadbProgram),
};

process.exitCode = await main(process.argv.slice(2));

async function main([verb = '', name = '', ...args]: readonly string[]): Promise<number> {
  if (verb === 'status' && name === '') return status();
  if (!Object.hasOwn(launchers, name)) return usage();
  if (verb === 'start') return start(name, args);
  return verb === 'stop' && args.length === 0 ? stop(name) : usage();
}

async function start(name: string, args: readonly string[]): Promise<number> {
  const launcher = launchers[name] as Launcher;
  const launch = launcher.read(args);
  if (launch === null) return usage();
  if (isRunning(name)) {
    print(`${name} runs already`);
    return status();
  }
  const missing = launcher.missing();
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    return 3;
  }
  const folder = folderOf(name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const launched = await launch({ folder, say: print });
  writeFileSync(stateOf(name), JSON.stringify(launched));
  print(`started; everything in ${folder}`);
  return 0;
}

function stop(name: string): number {
  const launched = known(name);
  for (const id of launched?.processIds ?? []) if (isAlive(id, name)) process.kill(id, 'SIGKILL');
  rmSync(folderOf(name), { recursive: true, force: true });
  print(launched === null ? `${name} does not run` : `${name} stopped`);
  return 0;
}

function status(): number {
  const running = Object.keys(launchers).filter(isRunning);
  for (const name of running) {
    const { lines, processIds } = known(name) as Launched;
    const alive = processIds.filter((id) => isAlive(id, name));
    print(`${name}: ${alive.length} of ${processIds.length} processes run, everything in ${folderOf(name)}`);
    for (const line of lines) print(`  ${line}`);
  }
  if (running.length > 0) return 0;
  print('nothing runs');
  return 1;
}

function isRunning(name: string): boolean {
  return known(name)?.processIds.some((id) => isAlive(id, name)) === true;
}

function folderOf(name: string): string {
  return join(tmpdir(), `sortie-${name}-${userInfo().uid}`);
}

function stateOf(name: string): string {
  return join(folderOf(name), 'servers.json');
}

/** What `start` left running. */
function known(name: string): Launched | null {
  try {
    return JSON.parse(readFileSync(stateOf(name), 'utf8')) as Launched;
  } catch {
    return null;
  }
}

/** Its command names the folder: a number may be another process's by now. */
function isAlive(id: number, name: string): boolean {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(folderOf(name));
  } catch {
    return isSignalled(id);
  }
}

/** Without /proc, as on macOS. */
function isSignalled(id: number): boolean {
  try {
    return process.platform !== 'linux' && process.kill(id, 0);
  } catch {
    return false;
  }
}

function usage(): number {
  const starts = Object.entries(launchers).map(([name, { usage: options }]) => `start ${name} ${options}`.trim());
  const lines = [...starts, `stop ${Object.keys(launchers).join('|')}`, 'status'];
  process.stderr.write(`usage: npm run servers -- ${lines.join('\n                          ')}\n`);
  return 2;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
