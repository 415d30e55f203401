/** Records a second through claims, reads, pipeline, puts and commits, between a log in memory and a sink that drops them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStateStore } from '../adapters/memory/memory-state-store.ts';
import { SqliteStateStore } from '../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import type { OutgoingRecord, StateStore } from '../core/ports.ts';
import { quantile, type Report } from './figure.ts';
import { filledLog, newSinkShard, type SinkShard } from './sink-shard.ts';
import {
  INSERT_FIELD,
  orderDocument,
  PLAIN_LOOP_CODE,
  PLAIN_LOOP_SETTING,
  plainLoop,
  readingSink,
} from './spine/order-documents.ts';

const RECORDS = 100_000;
const SLICE_RECORDS = 10_000;
/** The default of `consumer.override.max.poll.records`. */
const BATCH_RECORDS = 500;
const QUANTUM_MS = 25_000;

/** Those that are compared take turns, so that both meet the same noise of the machine. Each round is a connector of its own. */
const WARM_UP_ROUNDS = 2;
const ROUNDS = 25;

const VALUE_BYTES = 1_024;

const GOAL_UNTOUCHED_PER_SECOND = 1_000_000;
const GOAL_JSON_PER_SECOND = 150_000;
const GOAL_JSON_SHARE = 0.5;

export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  const sqlite = new SqliteStateStore({ path: join(folder, 'state.db'), clock: systemClock, random: systemRandom });
  try {
    report.note(
      `${RECORDS} records a round, slices of ${SLICE_RECORDS}, batches of ${BATCH_RECORDS}, one thread; Node ${process.version}`,
    );
    report.note(`figures are medians of ${ROUNDS} rounds that take turns`);
    await untouched(report, sqlite);
    await decoded(report);
  } finally {
    sqlite.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function untouched(report: Report, sqlite: StateStore): Promise<void> {
  const log = await filledLog(Array.from({ length: RECORDS }, (_, index) => outgoing(new Uint8Array(VALUE_BYTES).fill(index))));
  const config = { 'key.converter': 'bytes', 'value.converter': 'bytes' };
  const memory = new MemoryStateStore({ clock: systemClock });
  const through = (store: StateStore) => async () => drain(await newSinkShard({ store, log }, { config }));
  const [inMemory = Number.NaN, onSqlite = Number.NaN] = await recordsPerSecond([through(memory), through(sqlite)]);
  const name = `${VALUE_BYTES}-byte values untouched into discard-sink`;
  report.figure({
    name: `${name}, state in memory`,
    value: inMemory,
    unit: 'records/s',
    goal: { atLeast: GOAL_UNTOUCHED_PER_SECOND },
  });
  report.figure({ name: `${name}, state on SQLite`, value: onSqlite, unit: 'records/s', goal: 'printed' });
}

async function decoded(report: Report): Promise<void> {
  const encoder = new TextEncoder();
  const log = await filledLog(Array.from({ length: RECORDS }, (_, index) => outgoing(encoder.encode(orderDocument(index)))));
  const store = new MemoryStateStore({ clock: systemClock });
  const sink = readingSink();
  let sum = 0;
  const [ours = Number.NaN, reference = Number.NaN] = await recordsPerSecond([
    async () => drain(await newSinkShard({ store, log }, { config: INSERT_FIELD, sink: sink.plugin })),
    async () => {
      sum += await plainLoop(log, { records: BATCH_RECORDS, bytes: Number.POSITIVE_INFINITY });
    },
  ]);
  if (sink.sum() !== sum) throw new Error(`the sink has read ${sink.sum()} and the plain loop ${sum}`);
  report.note(`reference for JSON: ${PLAIN_LOOP_CODE}\n  ${PLAIN_LOOP_SETTING}; same log, batches of ${BATCH_RECORDS}`);
  const name = '300-byte JSON, InsertField, into a sink that reads values';
  report.figure({ name, value: ours, unit: 'records/s', reference, goal: { atLeast: GOAL_JSON_PER_SECOND } });
  report.figure({
    name: `${name}: share of the plain loop`,
    value: ours / reference,
    unit: 'of 1',
    goal: { atLeast: GOAL_JSON_SHARE },
  });
}

async function drain(shard: SinkShard): Promise<void> {
  const { run } = await shard.invoke({ sliceRecords: SLICE_RECORDS, quantumMs: QUANTUM_MS });
  if (run.counts.delivered !== RECORDS) throw new Error(`${run.counts.delivered} of ${RECORDS} records were delivered`);
}

/** The median for each way to move all records of the log. */
async function recordsPerSecond(ways: readonly (() => Promise<void>)[]): Promise<number[]> {
  const perSecond = ways.map(() => new Float64Array(ROUNDS));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    for (const [index, move] of ways.entries()) {
      const startedAtMs = performance.now();
      await move();
      const elapsedMs = performance.now() - startedAtMs;
      if (round >= 0) (perSecond[index] as Float64Array)[round] = (RECORDS / elapsedMs) * 1_000;
    }
  }
  return perSecond.map((rounds) => quantile(rounds, 0.5));
}

function outgoing(value: Uint8Array): OutgoingRecord {
  return { key: null, value, tag: null, headers: [], bornAtMs: systemClock.nowMs() };
}
