/** What one invocation costs beside its records, in one process on SQLite. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStateStore } from '../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import { connectorKey } from '../core/connector.ts';
import { cursorKey } from '../core/cursor/stored-cursor.ts';
import type { StateStore } from '../core/ports.ts';
import { type CountingStore, countingStore } from './counting-store.ts';
import { quantile, type Report } from './figure.ts';
import { filledLog, newSinkShard, type SinkShard } from './sink-shard.ts';

const WARM_UP_INVOCATIONS = 1_000;
const ONE_RECORD_INVOCATIONS = 5_000;
const EMPTY_INVOCATIONS = 20_000;

/** Many slices in one invocation. */
const LOOP_SLICES = 4_000;
const LOOP_SLICE_RECORDS = 10;
const LOOP_QUANTUM_MS = 25_000;

const VALUE_BYTES = 1_024;

const GOAL_EMPTY_MS = 1;
const GOAL_WRITES_PER_SLICE = 1;

export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  const sqlite = new SqliteStateStore({ path: join(folder, 'state.db'), clock: systemClock, random: systemRandom });
  try {
    report.note(
      `state in ${folder}, log in memory, values of ${VALUE_BYTES} bytes untouched, discard-sink; Node ${process.version}`,
    );
    await measure(report, sqlite);
  } finally {
    sqlite.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(report: Report, sqlite: StateStore): Promise<void> {
  const counted = countingStore(sqlite);
  const value = new Uint8Array(VALUE_BYTES);
  const records = WARM_UP_INVOCATIONS + ONE_RECORD_INVOCATIONS + LOOP_SLICES * LOOP_SLICE_RECORDS;
  const record = { key: null, value, tag: null, headers: [], bornAtMs: systemClock.nowMs() };
  const log = await filledLog(Array.from({ length: records }, () => record));
  const shard = await newSinkShard({ store: counted.store, log }, { config: { 'value.converter': 'bytes' } });

  const oneMs = await timed(() => shard.invoke({ sliceRecords: 1, quantumMs: 0 }), ONE_RECORD_INVOCATIONS);
  await loop(report, shard, counted);
  await empty(report, shard, sqlite);
  const name = 'warm invocation that moves one record';
  report.figure({ name: `${name}, median`, value: quantile(oneMs, 0.5), unit: 'ms', goal: 'printed' });
  report.figure({ name: `${name}, 99th percentile`, value: quantile(oneMs, 0.99), unit: 'ms', goal: 'printed' });
}

/** Puts are counted at the store itself, the first claim's left out: it belongs to no slice before it. */
async function loop(report: Report, shard: SinkShard, counted: CountingStore): Promise<void> {
  const putsBefore = counted.counts().puts;
  const startedAtMs = performance.now();
  const { run } = await shard.invoke({ sliceRecords: LOOP_SLICE_RECORDS, quantumMs: LOOP_QUANTUM_MS });
  const elapsedMs = performance.now() - startedAtMs;
  const { slices } = run.counts;
  report.note(`loop: one invocation of ${slices} slices of ${LOOP_SLICE_RECORDS} records each, ${run.outcome}`);
  report.figure({
    name: 'store writes per slice while looping',
    value: (counted.counts().puts - putsBefore - 1) / slices,
    unit: 'writes',
    goal: { exactly: GOAL_WRITES_PER_SLICE },
  });
  report.figure({ name: 'slice while looping, mean', value: elapsedMs / slices, unit: 'ms', goal: 'printed' });
}

/** Nothing is left to claim. The least anybody has to do for that is to read the cursor and the connector, hence the reference. */
async function empty(report: Report, shard: SinkShard, store: StateStore): Promise<void> {
  const { run } = await shard.invoke({ sliceRecords: 1, quantumMs: 0 });
  if (run.refusal !== 'nothing-to-claim') throw new Error(`the shard is not drained: ${run.refusal ?? run.outcome}`);
  const readMs = await timed(async () => {
    await store.get(cursorKey(shard.shard));
    await store.get(connectorKey(shard.connector));
  }, EMPTY_INVOCATIONS);
  const emptyMs = await timed(() => shard.invoke({ sliceRecords: 1, quantumMs: 0 }), EMPTY_INVOCATIONS);
  report.note('empty: the cursor exists, the writer is kept, nothing to claim; the goal is for the median');
  report.note('  reference: cursor and connector read from the same store, and nothing else done');
  report.figure({
    name: 'empty warm invocation, median',
    value: quantile(emptyMs, 0.5),
    unit: 'ms',
    reference: quantile(readMs, 0.5),
    goal: { atMost: GOAL_EMPTY_MS },
  });
  report.figure({
    name: 'empty warm invocation, 99th percentile',
    value: quantile(emptyMs, 0.99),
    unit: 'ms',
    reference: quantile(readMs, 0.99),
    goal: 'printed',
  });
}

/** Duration of each call behind the warm-up, ms. */
async function timed(call: () => Promise<unknown>, times: number): Promise<Float64Array> {
  for (let warmUp = 0; warmUp < WARM_UP_INVOCATIONS; warmUp += 1) await call();
  const durationsMs = new Float64Array(times);
  for (let index = 0; index < times; index += 1) {
    const startedAtMs = performance.now();
    await call();
    durationsMs[index] = performance.now() - startedAtMs;
  }
  return durationsMs;
}
