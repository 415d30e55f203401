/** What the product takes out of a topic: read, put and committed by invocations in threads, beside a loop that only reads. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageQueue } from '../core/message-queue.ts';
import type { LogRecord } from '../core/record/connect-record.ts';
import type { Report } from './figure.ts';
import { medians, rate, watchProgress } from './whole/progress.ts';
import { demandPublished } from './whole/published.ts';
import type { Sortie } from './whole/sortie.ts';
import { BATCH_RECORDS, fillTopic, readTopic } from './whole/topic.ts';
import { type Whole, withWhole } from './whole/whole.ts';

const RECORD_BYTES = 1_024;
const RECORDS = 500_000;

const LINE_BYTES = 200;
const LINES = 1_000_000;

const ROUNDS = { warmUpRounds: 1, rounds: 5 };

const GOAL_SHARE_OF_READ = 0.5;
const GOAL_LINES_PER_SECOND = 250_000;

/** Nobody looks at keys and values. */
const UNTOUCHED = { 'key.converter': 'bytes', 'value.converter': 'bytes' };

export async function run(report: Report): Promise<void> {
  await withWhole(async (whole) => {
    const sortie = whole.start();
    report.note(`state and log in ${whole.dataFolder}, invocations in threads; Node ${process.version}`);
    report.note(
      `figures are medians of ${ROUNDS.rounds} rounds that take turns with their reference; each round is a new connector, measured from its first commit on`,
    );
    await untouched(report, whole, sortie);
    await intoFiles(report, whole, sortie);
  });
}

/** One queue, so that one invocation runs beside one loop. */
async function untouched(report: Report, whole: Whole, sortie: Sortie): Promise<void> {
  const topic = 'untouched';
  const queues = await fillTopic(whole.log, topic, { queues: 1, recordsPerQueue: RECORDS, value: someBytes(RECORD_BYTES) });
  report.note(`discard-sink: ${RECORDS} records of ${RECORD_BYTES} bytes in one queue, tasks.max=1, nothing decoded`);
  report.note(`  reference: one loop of log.read() over the same queue, ${BATCH_RECORDS} records at a time, records dropped`);
  const median = await medians(ROUNDS, async (round) => {
    const read = await rate(RECORDS, () => readTopic(whole.log, queues, () => undefined));
    const connector = `discard-${round}`;
    await sortie.apply(connector, { 'connector.class': 'discard-sink', topics: topic, ...UNTOUCHED });
    const moved = await watchProgress(sortie, { connector, records: RECORDS, look: () => whole.finished(connector) });
    await sortie.remove(connector);
    return { read, ...moved };
  });
  const name = `${RECORD_BYTES}-byte records into discard-sink`;
  report.figure({ name, value: median.perSecond, unit: 'records/s', reference: median.read, goal: 'printed' });
  report.figure({
    name: `${name}: share of the loop`,
    value: median.perSecond / median.read,
    unit: 'of 1',
    goal: { atLeast: GOAL_SHARE_OF_READ },
  });
  report.figure({ name: `${name}: processor time`, value: median.cpuUsPerRecord, unit: 'us/record', goal: 'printed' });
}

async function intoFiles(report: Report, whole: Whole, sortie: Sortie): Promise<void> {
  const topic = 'lines';
  const queues = await fillTopic(whole.log, topic, { queues: 4, recordsPerQueue: LINES / 4, value: someBytes(LINE_BYTES) });
  report.note(
    `file-sink: ${LINES} lines of ${LINE_BYTES} bytes in ${queues.length} queues, tasks.max=${queues.length}, format=raw`,
  );
  report.note(
    `  reference: one loop of log.read() over the same queues; the lines of ${BATCH_RECORDS} records are one write to one file, synced at the end`,
  );
  const median = await medians(ROUNDS, async (round) => {
    const plain = await rate(LINES, () => plainFile(whole, queues));
    const connector = `files-${round}`;
    const directory = join(whole.folder, connector);
    const sink = { 'connector.class': 'file-sink', topics: topic, directory, format: 'raw', 'tasks.max': String(queues.length) };
    await sortie.apply(connector, { ...sink, ...UNTOUCHED });
    const moved = await watchProgress(sortie, { connector, records: LINES, look: () => whole.finished(connector) });
    await demandPublished(directory, LINES * (LINE_BYTES + 1));
    await sortie.remove(connector);
    rmSync(directory, { recursive: true });
    return { plain, ...moved };
  });
  const name = `${LINE_BYTES}-byte lines into file-sink`;
  const goal = { atLeast: GOAL_LINES_PER_SECOND };
  report.figure({ name, value: median.perSecond, unit: 'records/s', reference: median.plain, goal });
  report.figure({ name: `${name}: processor time`, value: median.cpuUsPerRecord, unit: 'us/record', goal: 'printed' });
}

async function plainFile(whole: Whole, queues: readonly MessageQueue[]): Promise<void> {
  const path = join(whole.folder, 'plain');
  const file = openSync(path, 'w');
  await readTopic(whole.log, queues, (records) => writeSync(file, linesOf(records)));
  fdatasyncSync(file);
  closeSync(file);
}

function linesOf(records: readonly LogRecord[]): Buffer {
  const lines = Buffer.allocUnsafe(records.length * (LINE_BYTES + 1));
  let at = 0;
  for (const { value } of records) {
    if (value !== null) lines.set(value, at);
    lines[at + LINE_BYTES] = 0x0a;
    at += LINE_BYTES + 1;
  }
  return lines;
}

function someBytes(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(0x78);
}
