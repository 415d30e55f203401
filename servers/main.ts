/**
 * `npm run servers -- start rocketmq`: the real thing on loopback, for development. It goes on until `stop`; `status` tells what runs.
 *
 *     start rocketmq [--brokers 2] [--proxy]     stop rocketmq     status
 *
 * Everything it writes is in a temporary folder, which `stop` removes; what it fetched stays in the user's cache.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { missingJavaTools } from './java-tools.ts';
import { RocketmqServers } from './rocketmq/rocketmq-servers.ts';

const USAGE = 'usage: npm run servers -- start rocketmq [--brokers N] [--proxy] | stop rocketmq | status';

const BROKERS_MAX = 8;

const FOLDER = join(tmpdir(), `sortie-rocketmq-${userInfo().uid}`);
const STATE = join(FOLDER, 'servers.json');

/** What `stop` and `status` know of what `start` left running. */
interface Running {
  readonly nameServer: string;
  readonly proxy: string | null;
  readonly brokers: Readonly<Record<string, string>>;
  readonly processIds: readonly number[];
}

process.exitCode = await main();

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { brokers: { type: 'string', default: '1' }, proxy: { type: 'boolean', default: false } },
  });
  const [verb = '', server = 'rocketmq'] = positionals;
  const brokers = Number(values.brokers);
  if (!Number.isInteger(brokers) || brokers < 1 || brokers > BROKERS_MAX || server !== 'rocketmq') return usage();
  if (verb === 'start') return start({ brokers, hasProxy: values.proxy });
  if (verb === 'stop') return stop();
  return verb === 'status' ? status() : usage();
}

async function start({ brokers, hasProxy }: { readonly brokers: number; readonly hasProxy: boolean }): Promise<number> {
  const running = known();
  if (running?.processIds.some(isAlive) === true) {
    print(`rocketmq runs already: name server ${running.nameServer}`);
    return 0;
  }
  const missing = missingJavaTools();
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    return 3;
  }
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  const servers = await RocketmqServers.start({ folder: FOLDER, say: print, isDetached: true });
  try {
    const addresses: Record<string, string> = {};
    for (let index = 0; index < brokers; index += 1) {
      const name = `broker-${String.fromCharCode('a'.charCodeAt(0) + index)}`;
      addresses[name] = await servers.startBroker(name);
    }
    const proxy = hasProxy ? await servers.startProxy() : null;
    const { nameServer, processIds } = servers;
    writeFileSync(STATE, JSON.stringify({ nameServer, proxy, brokers: addresses, processIds } satisfies Running));
  } catch (error) {
    await servers.stop();
    throw error;
  }
  await servers.leave();
  print(`started; name server ${servers.nameServer}, everything in ${FOLDER}`);
  return 0;
}

function stop(): number {
  const running = known();
  for (const id of running?.processIds ?? []) if (isAlive(id)) process.kill(id, 'SIGKILL');
  rmSync(FOLDER, { recursive: true, force: true });
  print(running === null ? 'rocketmq does not run' : 'rocketmq stopped');
  return 0;
}

function status(): number {
  const running = known();
  if (running === null || !running.processIds.some(isAlive)) {
    print('rocketmq does not run');
    return 1;
  }
  print(`name server ${running.nameServer}`);
  for (const [name, address] of Object.entries(running.brokers)) print(`${name} ${address}`);
  if (running.proxy !== null) print(`proxy ${running.proxy}`);
  print(`${running.processIds.filter(isAlive).length} of ${running.processIds.length} processes run, everything in ${FOLDER}`);
  return 0;
}

function known(): Running | null {
  try {
    return JSON.parse(readFileSync(STATE, 'utf8')) as Running;
  } catch {
    return null;
  }
}

/** Of Java: a number may be another process's by now. */
function isAlive(id: number): boolean {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes('org.apache.rocketmq');
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
  process.stderr.write(`${USAGE}\n`);
  return 2;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
