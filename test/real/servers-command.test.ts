/** `npm run servers` with real servers. Its folders are below one of each test, beside those that a developer has. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { DatabaseServer } from '../../servers/database/database-server.ts';
import { missingDebianTools } from '../../servers/debian/debian-root.ts';
import { missingJavaTools } from '../../servers/java-tools.ts';
import { mariadbProgram } from '../../servers/mariadb/mariadb-program.ts';
import { RocketmqServers } from '../../servers/rocketmq/rocketmq-servers.ts';
import { processesNaming } from '../support/processes.ts';
import { START_TIMEOUT_MS } from '../support/rocketmq-cluster.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../servers/main.ts', import.meta.url));

interface Kind {
  readonly name: string;
  readonly processes: number;
  readonly missing: () => string | null;
  /** Of which nothing ever answers. */
  readonly startMute: (options: { readonly folder: string; readonly readyWithinMs: number }) => Promise<unknown>;
}

const say = (): void => undefined;

const KINDS: readonly Kind[] = [
  {
    name: 'rocketmq',
    processes: 2,
    missing: missingJavaTools,
    // It is asked by whoever trusts no certificate of its kind.
    startMute: (options) => RocketmqServers.start({ ...options, say, access: { tls: {} } }),
  },
  {
    name: 'mariadb',
    processes: 1,
    missing: missingDebianTools,
    startMute: (options) =>
      DatabaseServer.start(mariadbProgram('10.11'), { ...options, say, settings: { 'skip-networking': 'ON' } }),
  },
];

/** One broker after the other: when the first of them is seen, it will be long before all are ready. */
const LONG_START = ['start', 'rocketmq', '--brokers', '8'];

/** A name server and a broker. */
const SEEN_MIN = 2;
const SEEN = { timeout: START_TIMEOUT_MS, interval: 20 };

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Whatever runs of it when the test ends is killed. */
function aFolder(): string {
  const folder = aTemporaryFolder();
  onTestFinished(() => {
    for (const id of processesNaming(folder)) process.kill(id, 'SIGKILL');
  });
  return folder;
}

function begin(folder: string, ...args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  return { child, ended };
}

function run(folder: string, ...args: readonly string[]): Promise<Ended> {
  return begin(folder, ...args).ended;
}

/** Of the processes that have been started. */
function notedIn(folder: string): readonly number[] {
  const path = join(folder, `sortie-rocketmq-${userInfo().uid}`, 'servers.json');
  return existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as { readonly processIds: readonly number[] }).processIds
    : [];
}

// Elsewhere no system tells what processes were started with.
describe.runIf(process.platform === 'linux')('npm run servers', { timeout: START_TIMEOUT_MS }, () => {
  for (const { name, processes, missing, startMute } of KINDS) {
    const lacking = missing();
    if (lacking !== null) {
      test(name, ({ skip }) => skip(lacking));
      continue;
    }

    test(`starts ${name}, tells where it is, and leaves nothing when it is stopped`, async () => {
      const folder = aFolder();

      const started = await run(folder, 'start', name);
      const during = await run(folder, 'status');
      const stopped = await run(folder, 'stop', name);
      const after = await run(folder, 'status');

      expect(started.code).toBe(0);
      const lines = new RegExp(`^${name}: ${processes} of ${processes} processes run.*\n.*127\\.0\\.0\\.1:\\d+`);
      expect(during).toEqual({ code: 0, output: expect.stringMatching(lines) });
      expect(stopped).toEqual({ code: 0, output: `${name} stopped\n` });
      expect(after).toEqual({ code: 1, output: 'nothing runs\n' });
      expect(processesNaming(folder)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    });

    test(`leaves nothing of ${name} running where it does not answer in time`, async () => {
      const folder = aFolder();

      await expect(startMute({ folder, readyWithinMs: 0 })).rejects.toThrow('does not answer');

      expect(processesNaming(folder)).toEqual([]);
    });
  }

  describe.runIf(missingJavaTools() === null)('a start that ends before all is ready', () => {
    test.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)('stops what it started where %s ends it', async (signal, code) => {
      const folder = aFolder();
      const { child, ended } = begin(folder, ...LONG_START);
      await vi.waitFor(() => expect(processesNaming(folder).length).toBeGreaterThanOrEqual(SEEN_MIN), SEEN);

      child.kill(signal);

      expect(await ended).toEqual({ code, output: expect.stringContaining('rocketmq was not started\n') });
      expect(processesNaming(folder)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    });

    test('leaves what `status` knows and `stop` ends where it was killed', async () => {
      const folder = aFolder();
      const { child, ended } = begin(folder, ...LONG_START);
      await vi.waitFor(() => expect(notedIn(folder).length).toBeGreaterThanOrEqual(SEEN_MIN), SEEN);
      child.kill('SIGKILL');
      await ended;

      const during = await run(folder, 'status');
      const stopped = await run(folder, 'stop', 'rocketmq');

      expect(during).toEqual({ code: 0, output: expect.stringMatching(/^rocketmq: (\d) of \1 processes run/) });
      expect(during.output).toContain('; next: wait for it, or stop rocketmq');
      expect(stopped).toEqual({ code: 0, output: 'rocketmq stopped\n' });
      expect(processesNaming(folder)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});
