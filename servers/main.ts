/**
 * `npm run servers -- start rocketmq`: the real thing on loopback, for development. It goes on until `stop`; `status` tells what runs.
 *
 *     start NAME [options]     stop NAME     status
 *
 * Everything it writes is in a temporary folder, which `stop` removes; what it fetched stays in the user's cache. A `start` that is
 * interrupted stops what it started; what one that was killed left is known to `status` and `stop` all the same.
 */
import process from 'node:process';
import { databaseLauncher } from './database/database-launcher.ts';
import { Interruption, interruption } from './interruption.ts';
import type { Launcher } from './launcher.ts';
import { mariadbProgram, mariadbReleases } from './mariadb/mariadb-program.ts';
import { mysqlProgram } from './mysql/mysql-program.ts';
import { rocketmqLauncher } from './rocketmq/rocketmq-launcher.ts';
import { ServersFolder } from './servers-folder.ts';

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
  const folder = new ServersFolder(name);
  if (folder.running().length > 0) {
    print(`${name} runs already`);
    return status();
  }
  const missing = launcher.missing();
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    return 3;
  }
  folder.make();
  try {
    const place = { folder: folder.path, say: print, onStart: (id: number) => folder.noteProcess(id) };
    folder.noteReady(await Promise.race([interruption(), launch(place)]));
  } catch (error) {
    await folder.kill();
    if (!(error instanceof Interruption)) throw error;
    folder.remove();
    print(`${name} was not started`);
    // What is being fetched or waited for would keep this process.
    process.exit(error.exitCode);
  }
  print(`started; everything in ${folder.path}`);
  return 0;
}

async function stop(name: string): Promise<number> {
  const folder = new ServersFolder(name);
  const isRunning = folder.running().length > 0;
  await folder.kill();
  folder.remove();
  print(isRunning ? `${name} stopped` : `${name} does not run`);
  return 0;
}

function status(): number {
  const all = Object.keys(launchers).map((name) => ({ name, folder: new ServersFolder(name) }));
  const found = all.filter(({ folder }) => folder.running().length > 0);
  for (const { name, folder } of found) {
    const noted = folder.noted();
    print(`${name}: ${folder.running().length} of ${noted?.processIds.length} processes run, everything in ${folder.path}`);
    for (const line of noted?.lines ?? [`its start has not come to an end; next: wait for it, or stop ${name}`])
      print(`  ${line}`);
  }
  if (found.length > 0) return 0;
  print('nothing runs');
  return 1;
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
