/** The embedded log: appends that are synced with each group, appends that are synced now and then, and reads. */
import { closeSync, fdatasync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedLogBroker } from '../adapters/embedded-log/embedded-log-broker.ts';
import { MemoryTelemetry } from '../adapters/memory/memory-telemetry.ts';
import { systemClock } from '../adapters/system.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import { offset } from '../core/offset.ts';
import type { OutgoingRecord } from '../core/ports.ts';
import { quantile, type Report } from './figure.ts';

const VALUE_BYTES = 1_024;
const BATCH_RECORDS = 500;
/** Of values alone: what the references move. */
const BATCH_BYTES = VALUE_BYTES * BATCH_RECORDS;

/** Senders, each with a queue of its own, that wait for one batch before they send the next. */
const QUEUES = 4;
const BATCHES_PER_QUEUE = 50;
const ROUND_RECORDS = QUEUES * BATCHES_PER_QUEUE * BATCH_RECORDS;

const INTERVAL_MS = 1_000;

/** Log and reference take turns, so that both meet the same noise of the machine. */
const WARM_UP_ROUNDS = 1;
const ROUNDS = 7;

const GOAL_GROUP_PER_SECOND = 100_000;
const GOAL_INTERVAL_PER_SECOND = 300_000;
const GOAL_READ_PER_SECOND = 800_000;

const READ_LIMITS = { records: BATCH_RECORDS, bytes: 4 * 1_024 * 1_024, waitMs: 0 };

const sync = promisify(fdatasync);

export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  try {
    report.note(`files in ${folder}; Node ${process.version}`);
    report.note(
      `records of ${VALUE_BYTES} bytes, batches of ${BATCH_RECORDS}, ${QUEUES} queues with a sender each, ${ROUND_RECORDS} records a round`,
    );
    report.note(`figures are medians of ${ROUNDS} rounds that take turns with their reference: plain files, the same bytes`);
    await appends(report, { folder: join(folder, 'group'), fsync: 'group', goal: GOAL_GROUP_PER_SECOND });
    await appends(report, {
      folder: join(folder, 'interval'),
      fsync: { intervalMs: INTERVAL_MS },
      goal: GOAL_INTERVAL_PER_SECOND,
    });
    await reads(report, join(folder, 'read'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Appends {
  readonly folder: string;
  readonly fsync: 'group' | { readonly intervalMs: number };
  readonly goal: number;
}

async function appends(report: Report, { folder, fsync, goal }: Appends): Promise<void> {
  const log = aLog(folder, fsync);
  const [ours = Number.NaN, reference = Number.NaN] = await recordsPerSecond([
    (round) => appendRound(log, round),
    () => plainAppend(folder, { isSynced: fsync === 'group' }),
  ]);
  await log.close();
  const how = fsync === 'group' ? 'synced with each group' : `synced every ${fsync.intervalMs} ms`;
  report.figure({ name: `append, ${how}`, value: ours, unit: 'records/s', reference, goal: { atLeast: goal } });
}

async function reads(report: Report, folder: string): Promise<void> {
  const log = aLog(folder, { intervalMs: INTERVAL_MS });
  const queues = await fill(log, 'read');
  const path = join(folder, 'plain');
  plainFile(path);
  const [ours = Number.NaN, reference = Number.NaN] = await recordsPerSecond([
    () => readRound(log, queues),
    async () => plainRead(path),
  ]);
  await log.close();
  report.figure({ name: 'read', value: ours, unit: 'records/s', reference, goal: { atLeast: GOAL_READ_PER_SECOND } });
}

function aLog(folder: string, fsync: Appends['fsync']): EmbeddedLogBroker {
  return new EmbeddedLogBroker({ folder, clock: systemClock, telemetry: new MemoryTelemetry(), fsync });
}

/** Each round has a topic of its own, which goes with its files. */
async function appendRound(log: EmbeddedLogBroker, round: number): Promise<() => Promise<void>> {
  const topic = `round-${round}`;
  await fill(log, topic);
  return () => log.deleteTopic(topic);
}

async function fill(log: EmbeddedLogBroker, topic: string): Promise<readonly MessageQueue[]> {
  const value = new Uint8Array(VALUE_BYTES).fill(7);
  const batch = Array.from(
    { length: BATCH_RECORDS },
    (): OutgoingRecord => ({ key: null, value, tag: null, headers: [], bornAtMs: 1 }),
  );
  await log.ensureTopic(topic, { queues: QUEUES });
  const queues = await log.queues(topic);
  await Promise.all(
    queues.map(async (queue) => {
      for (let sent = 0; sent < BATCHES_PER_QUEUE; sent += 1) await log.send(queue, batch);
    }),
  );
  return queues;
}

async function readRound(log: EmbeddedLogBroker, queues: readonly MessageQueue[]): Promise<void> {
  for (const queue of queues) {
    let at = offset(0);
    for (let read = 0; read < BATCHES_PER_QUEUE * BATCH_RECORDS; ) {
      const { records, next } = await log.read(queue, at, READ_LIMITS);
      at = next;
      read += records.length;
    }
  }
}

/** A file per queue: each batch is one write, and where it is synced, those of all files at the same time. */
async function plainAppend(folder: string, { isSynced }: { readonly isSynced: boolean }): Promise<() => Promise<void>> {
  const bytes = Buffer.alloc(BATCH_BYTES, 7);
  const paths = Array.from({ length: QUEUES }, (_, queue) => join(folder, `plain-${queue}`));
  const files = paths.map((path) => openSync(path, 'w'));
  for (let written = 0; written < BATCHES_PER_QUEUE; written += 1) {
    for (const file of files) writeSync(file, bytes);
    if (isSynced) await Promise.all(files.map((file) => sync(file)));
  }
  return async () => {
    for (const file of files) closeSync(file);
    for (const path of paths) rmSync(path);
  };
}

function plainFile(path: string): void {
  const file = openSync(path, 'w');
  const bytes = Buffer.alloc(BATCH_BYTES, 7);
  for (let written = 0; written < QUEUES * BATCHES_PER_QUEUE; written += 1) writeSync(file, bytes);
  closeSync(file);
}

/** Into a new buffer each time, for the log's records stay as they are, too. */
function plainRead(path: string): void {
  const file = openSync(path, 'r');
  let read = 0;
  do read = readSync(file, Buffer.allocUnsafeSlow(BATCH_BYTES));
  while (read > 0);
  closeSync(file);
}

/** The median for each way to move a round's records. What a round answers is done afterwards, unmeasured. */
async function recordsPerSecond(ways: readonly ((round: number) => Promise<(() => Promise<void>) | void>)[]): Promise<number[]> {
  const perSecond = ways.map(() => new Float64Array(ROUNDS));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    for (const [index, move] of ways.entries()) {
      const startedAtMs = performance.now();
      const tidy = await move(round);
      const elapsedMs = performance.now() - startedAtMs;
      await tidy?.();
      if (round >= 0) (perSecond[index] as Float64Array)[round] = (ROUND_RECORDS / elapsedMs) * 1_000;
    }
  }
  return perSecond.map((rounds) => quantile(rounds, 0.5));
}
