/** What the product puts into a topic: polled, converted, sent and committed by an invocation in a thread, beside a loop that only sends. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogBroker, OutgoingRecord } from '../core/ports.ts';
import type { Report } from './figure.ts';
import { medians, rate, watchProgress } from './whole/progress.ts';
import type { Sortie } from './whole/sortie.ts';
import { BATCH_RECORDS, readTopic } from './whole/topic.ts';
import { type Whole, withWhole } from './whole/whole.ts';

const RECORDS = 200_000;
const LINE_BYTES = 200;

/** Queues of the topic: the default of `topic.creation.default.partitions`. A batch is spread over all of them. */
const QUEUES = 8;

const ROUNDS = { warmUpRounds: 1, rounds: 3 };

const GOAL_SHARE_OF_SEND = 0.5;

export async function run(report: Report): Promise<void> {
  await withWhole(async (whole) => {
    const sortie = whole.start();
    report.note(`state and log in ${whole.dataFolder}, invocations in threads; Node ${process.version}`);
    report.note(
      `${RECORDS} records into ${QUEUES} queues; figures are medians of ${ROUNDS.rounds} rounds that take turns with their reference; each round is a new connector and a new topic, measured from its first records on`,
    );
    report.note(
      `reference: the records that have come out, in another topic: one loop that awaits log.send() to all queues side by side, ${BATCH_RECORDS} records at a time`,
    );
    const file = join(whole.folder, 'lines.txt');
    writeLines(file);
    await measure(report, { whole, sortie }, `${LINE_BYTES}-byte lines of file-source`, {
      'connector.class': 'file-source',
      file,
      'value.converter': 'string',
    });
    await measure(report, { whole, sortie }, 'JSON of datagen-source', {
      'connector.class': 'datagen-source',
      'record.count': String(RECORDS),
      'value.converter': 'json',
      'value.converter.schemas.enable': 'false',
    });
  });
}

async function measure(
  report: Report,
  { whole, sortie }: { readonly whole: Whole; readonly sortie: Sortie },
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  let sent: Sent = [];
  const median = await medians(ROUNDS, async (round) => {
    const connector = `${config['connector.class']}-${round + ROUNDS.warmUpRounds}`;
    await sortie.apply(connector, { ...config, topic: connector });
    const moved = await watchProgress(sortie, { connector, records: RECORDS, look: () => whole.appended(connector) });
    await sortie.remove(connector);
    if (sent.length === 0) sent = await readBack(whole.log, connector);
    const send = await rate(RECORDS, () => sendAll(whole.log, `${connector}-plain`, sent));
    return { send, ...moved };
  });
  report.figure({ name, value: median.perSecond, unit: 'records/s', reference: median.send, goal: 'printed' });
  report.figure({
    name: `${name}: share of the loop`,
    value: median.perSecond / median.send,
    unit: 'of 1',
    goal: { atLeast: GOAL_SHARE_OF_SEND },
  });
  report.figure({ name: `${name}: processor time`, value: median.cpuUsPerRecord, unit: 'us/record', goal: 'printed' });
}

/** For each queue its records, in batches. */
type Sent = readonly (readonly (readonly OutgoingRecord[])[])[];

/** With their headers: what an exactly-once source adds belongs to the batch. */
async function readBack(log: LogBroker, topic: string): Promise<Sent> {
  const sent: OutgoingRecord[][][] = [];
  for (const queue of await log.queues(topic)) {
    const records: OutgoingRecord[] = [];
    await readTopic(log, [queue], (read) => {
      for (const { key, value, tag, headers, bornAtMs } of read) records.push({ key, value, tag, headers, bornAtMs });
    });
    sent.push(inBatches(records, BATCH_RECORDS / QUEUES));
  }
  return sent;
}

function inBatches(records: readonly OutgoingRecord[], most: number): OutgoingRecord[][] {
  const count = Math.ceil(records.length / most);
  return Array.from({ length: count }, (_, index) => records.slice(Math.floor(index * most), Math.floor((index + 1) * most)));
}

async function sendAll(log: LogBroker, topic: string, sent: Sent): Promise<void> {
  await log.ensureTopic(topic, { queues: QUEUES });
  const queues = await log.queues(topic);
  const rounds = Math.max(...sent.map((batches) => batches.length));
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(queues.map((queue, index) => log.send(queue, sent[index]?.[round] ?? [])));
  }
}

function writeLines(path: string): void {
  const line = `${'x'.repeat(LINE_BYTES)}\n`;
  const lines = line.repeat(1_000);
  for (let written = 0; written < RECORDS; written += 1_000) appendFileSync(path, lines);
}
