/** How soon an appended record has an invocation, where there was none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLogBroker } from '../adapters/memory/memory-log-broker.ts';
import { SqliteStateStore } from '../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { StateStore } from '../core/ports.ts';
import { queueShardId, type ShardId } from '../core/shard-id.ts';
import { quantile, type Report } from './figure.ts';
import { newDaemon, newIdleConnector } from './scheduler/daemon.ts';

const CONNECTORS = 100;
const QUEUES = 8;
const APPENDS = 3_000;

/** Several times as long as an invocation follows a queue without records, 5 s: most queues are idle at any moment. */
const TURN_MS = 12_000;
const APPEND_EVERY_MS = TURN_MS / (CONNECTORS * QUEUES);

const GOAL_P99_MS = 5;

export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  const sqlite = new SqliteStateStore({ path: join(folder, 'state.db'), clock: systemClock, random: systemRandom });
  try {
    report.note(
      `${CONNECTORS} connectors of ${QUEUES} queues each; state in ${folder}, log in memory, invocations in this process; Node ${process.version}`,
    );
    report.note(`${APPENDS} records, one every ${APPEND_EVERY_MS} ms, each to a queue that nobody reads at that moment`);
    await measure(report, sqlite);
  } finally {
    sqlite.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(report: Report, store: StateStore): Promise<void> {
  const log = new MemoryLogBroker({ clock: systemClock });
  const idle = new Set<ShardId>();
  const appendedAtMs = new Map<ShardId, number>();
  const waitsMs: number[] = [];
  const scheduler = newDaemon({
    store,
    hostStore: store,
    log,
    clock: systemClock,
    slots: CONNECTORS * QUEUES,
    starts({ shard }) {
      const atMs = appendedAtMs.get(shard);
      if (atMs !== undefined) waitsMs.push(performance.now() - atMs);
      appendedAtMs.delete(shard);
      idle.delete(shard);
    },
    ended: ({ shard }) => idle.add(shard),
  });
  const shards: { readonly queue: MessageQueue; readonly shard: ShardId }[] = [];
  for (let index = 0; index < CONNECTORS; index += 1) {
    const { connector, queues } = await newIdleConnector(
      { store, log, clock: systemClock },
      { index, queues: QUEUES, config: { 'tasks.max': String(QUEUES) } },
    );
    shards.push(...queues.map((queue) => ({ queue, shard: queueShardId(connector.uid, queue) })));
  }
  for (const { shard } of shards) idle.add(shard);
  scheduler.start();
  // Longer than the first looks at all topics take.
  await systemClock.sleep(5_000);

  const record = { key: null, value: new Uint8Array(100), tag: null, headers: [], bornAtMs: 0 };
  const startedAtMs = performance.now();
  const lateMs = new Float64Array(APPENDS);
  let skipped = 0;
  for (let append = 0; append < APPENDS; append += 1) {
    const dueAtMs = startedAtMs + append * APPEND_EVERY_MS;
    await systemClock.sleep(dueAtMs - performance.now());
    lateMs[append] = performance.now() - dueAtMs;
    const { queue, shard } = shards[append % shards.length] as (typeof shards)[number];
    if (idle.has(shard) && !appendedAtMs.has(shard)) appendedAtMs.set(shard, performance.now());
    else skipped += 1;
    await log.send(queue, [record]);
  }
  await systemClock.sleep(1_000);
  await scheduler.stop();

  report.note(`${waitsMs.length} started an invocation, ${skipped} met one`);
  report.note('  reference: how late the timers that append came, in the same thread: what the machine itself costs');
  const durations = Float64Array.from(waitsMs);
  report.figure({
    name: 'still waiting a second after the last',
    value: appendedAtMs.size,
    unit: 'records',
    goal: { atMost: 0 },
  });
  report.figure({
    name: 'appended to started, median',
    value: quantile(durations, 0.5),
    unit: 'ms',
    reference: quantile(lateMs, 0.5),
    goal: 'printed',
  });
  report.figure({
    name: 'appended to started, 99th percentile',
    value: quantile(durations, 0.99),
    unit: 'ms',
    reference: quantile(lateMs, 0.99),
    goal: { atMost: GOAL_P99_MS },
  });
  report.figure({
    name: 'appended to started, longest',
    value: quantile(durations, 1),
    unit: 'ms',
    reference: quantile(lateMs, 1),
    goal: 'printed',
  });
}
