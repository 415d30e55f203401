/** A real server's changes in topics, while the processes that carry them are killed, and the server, too: each once, and in its order. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { type LogSettings, openLog } from '../../adapters/open-log.ts';
import { systemClock } from '../../adapters/system.ts';
import type { LogBroker } from '../../core/ports.ts';
import { childrenOf, signal } from '../../demo/processes.ts';
import { type Server, startServer } from '../../demo/server.ts';
import { fill } from '../../demo/soak/mysql/busy-tables.ts';
import { applyCapture, hasDrained } from '../../demo/soak/mysql/capture.ts';
import { checkTopics } from '../../demo/soak/mysql/check-topics.ts';
import { Writers } from '../../demo/soak/mysql/writers.ts';
import { type TestDatabase, withDatabases } from '../support/databases.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const TIMEOUT_MS = 300_000;
const BUSY_MS = 45_000;
const KILL_EVERY_MS = 3_000;
const HOSTS_KILLED_MIN = 5;
const KILLED_WITHIN_MS = 90_000;
const DRAINS_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 50;
const SEED = 11;
const USER = 'sortie';

/** What it has committed survives the end of its process. */
const QUICK = { sync_binlog: '0', innodb_flush_log_at_trx_commit: '2' };

const NOTHING_WRONG = {
  comparison: { mismatches: 0, examples: [] },
  deliveries: { lost: 0, duplicated: 0, outOfOrder: 0, examples: [] },
};

withDatabases('mysql-cdc-source with processes that are killed', { settings: QUICK, isLong: true }, (database) => {
  test('puts each change into the log once, and in its order', { timeout: TIMEOUT_MS }, async () => {
    await putsEachChangeOnce(database, { flags: [], log: { kind: 'embedded' } });
  });

  if (database.isMariadb) return;
  withRealServers('RocketMQ', () => {
    describe('and RocketMQ as its log', () => {
      const cluster = aCluster({ brokers: ['broker-a'] });

      test('puts each change into it once, and in its order', { timeout: TIMEOUT_MS }, async () => {
        const { nameServer } = cluster();
        await putsEachChangeOnce(database, {
          flags: ['--broker', 'rocketmq', '--rocketmq-namesrv-addr', nameServer],
          log: { kind: 'rocketmq', nameServers: [nameServer], group: 'test' },
        });
      });
    });
  });
});

async function putsEachChangeOnce(
  database: TestDatabase,
  { flags, log }: { readonly flags: readonly string[]; readonly log: LogSettings },
): Promise<void> {
  await fill(database.run);
  await database.run(`CREATE USER IF NOT EXISTS ${USER}@'%'`, `GRANT ALL ON *.* TO ${USER}@'%'`);
  const folder = aTemporaryFolder();
  const server = startServer(folder, { port: 0, flags });
  onTestFinished(() => server.stop());
  const url = (await server.ready()) ?? '';
  await applyCapture(folder, { login: { port: database.server().port, user: USER }, prefix: 'kills', url });

  const writers = new Writers(database.connect, { seed: SEED });
  await makeTrouble(database, server, writers);
  const broker = await aBroker(folder, log);
  expect(await hasDrained(broker, database.run, { prefix: 'kills', url, withinMs: DRAINS_WITHIN_MS })).toBe(true);
  await server.stop();

  const checked = await checkTopics(broker, database.run, { prefix: 'kills' });
  expect(checked).toMatchObject(NOTHING_WRONG);
  expect(checked.deliveries.records).toBeGreaterThan(writers.transactions);
  // None of those that were killed left a connection behind.
  await expect.poll(() => isReading(database), { timeout: 10_000 }).toBe(false);
}

/** Writers change rows and invocations die all the time, and the database dies once. */
async function makeTrouble(database: TestDatabase, server: Server, writers: Writers): Promise<void> {
  const ending = new AbortController();
  const trouble = Promise.all([writers.run(ending.signal), killInvocations(database, server, ending.signal)]);
  await sleep(BUSY_MS / 2);
  await database.server().kill();
  await database.server().restart();
  await sleep(BUSY_MS / 2);
  await expect.poll(server.hostsKilled, { timeout: KILLED_WITHIN_MS }).toBeGreaterThanOrEqual(HOSTS_KILLED_MIN);
  ending.abort();
  await trouble;
}

/** Each in the midst of its work: it has begun to read. */
async function killInvocations(database: TestDatabase, server: Server, ending: AbortSignal): Promise<void> {
  const isOver = (): boolean => ending.aborted;
  while (!isOver()) {
    await sleep(KILL_EVERY_MS, undefined, { signal: ending }).catch(() => undefined);
    while (!isOver() && !(await isReading(database))) await sleep(LOOK_EVERY_MS);
    if (!isOver()) for (const host of childrenOf(server.pid)) signal(host, 'SIGKILL');
  }
}

/** Of a server that is away nobody reads. */
async function isReading({ run }: TestDatabase): Promise<boolean> {
  const rows = await run('SHOW PROCESSLIST').catch(() => []);
  return rows.some(([, user]) => user === USER);
}

async function aBroker(folder: string, settings: LogSettings): Promise<LogBroker> {
  const world = { folder: join(folder, 'data'), clock: systemClock, telemetry: new MemoryTelemetry() };
  const log = await openLog(settings, world);
  onTestFinished(() => log.close());
  return log.broker;
}
