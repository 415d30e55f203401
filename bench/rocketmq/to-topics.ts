/** What the product puts into a topic, through all of it: polled, converted, sent and committed by an invocation in a thread. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../adapters/system.ts';
import { OutgoingMessages } from '../../clients/rocketmq/outgoing-messages.ts';
import { writeRecord } from '../../clients/rocketmq/records/record-properties.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';
import type { Report } from '../figure.ts';
import { type Moved, medians, rate, watchProgress } from '../whole/progress.ts';
import { readTopic } from '../whole/topic.ts';
import { JAVA_SOURCE_CPU_US, JAVA_SOURCE_PER_SECOND } from './java-worker.ts';
import { type OnRocketmq, QUEUES, topicQueues } from './on-rocketmq.ts';
import { type RawBatch, sendAll } from './raw-loops.ts';

const ROUNDS = { warmUpRounds: 1, rounds: 5 };
const RECORDS = 200_000;
const LINE_BYTES = 200;

/** Records of one send of the loop. The product sends 250 at once to each of eight queues of what has a key, and 500 of what has none. */
const BATCHES = [64, 500] as const;

/** What `datagen-source` puts around its payload as JSON, about. */
const FRAME_BYTES = 64;

const SEEN_EVERY_MS = 10;

const GOAL_DATAGEN_SHARE = 0.75;
const GOAL_FILE_SHARE = 0.6;
const GOAL_CPU_US = 12;
const GOAL_TIMES_JAVA = 5;

interface Source {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  readonly share: number;
  /** Compared with the Java worker, whose records have 199 bytes. */
  readonly isSmall: boolean;
}

export async function toTopics(report: Report, bench: OnRocketmq): Promise<void> {
  report.note(
    `sources: ${RECORDS} records from one shard into ${QUEUES} queues; medians of ${ROUNDS.rounds} rounds that take turns with their reference, which is first in every other one; each is a new connector and a new topic, measured from its first records on`,
  );
  report.note(
    `  references: the messages that have come out, sent to the same topic by one process that only sends: our client, batches of ${BATCHES.join(' or ')}, one in flight in each queue, all queues side by side`,
  );
  for (const source of sources(bench)) await measure(report, bench, source);
}

function sources({ whole }: OnRocketmq): readonly Source[] {
  const file = join(whole.folder, 'lines.txt');
  writeLines(file);
  const lines = { 'connector.class': 'file-source', file, 'value.converter': 'string' };
  return [
    { name: `${LINE_BYTES}-byte lines of file-source`, config: lines, share: GOAL_FILE_SHARE, isSmall: true },
    { name: '200-byte JSON of datagen-source', config: datagen(200), share: GOAL_DATAGEN_SHARE, isSmall: true },
    { name: '1024-byte JSON of datagen-source', config: datagen(1_024), share: GOAL_DATAGEN_SHARE, isSmall: false },
  ];
}

function datagen(bytes: number): Readonly<Record<string, string>> {
  return {
    'connector.class': 'datagen-source',
    'record.count': String(RECORDS),
    'record.bytes': String(bytes - FRAME_BYTES),
    'value.converter': 'json',
    'value.converter.schemas.enable': 'false',
  };
}

async function measure(report: Report, bench: OnRocketmq, { name, config, share, isSmall }: Source): Promise<void> {
  const first = name.replaceAll(/[, ]+/g, '-');
  let records: readonly LogRecord[] = [];
  const median = await medians(ROUNDS, async (round) => {
    const topic = `${first}-${round + ROUNDS.warmUpRounds}`;
    const queues = await topicQueues(bench.client, topic);
    const product = (): ReturnType<typeof moved> => moved(bench, topic, config);
    const loop = (size: number): Promise<number> => sentAll(bench, topic, { queues, batches: inBatches(records, size) });
    const loops = async () => ({ few: await loop(BATCHES[0]), many: await loop(BATCHES[1]) });
    // Whoever comes second finds the broker warmer: they take turns in that, too, once there is something to send.
    if (records.length > 0 && round % 2 === 0) return { ...(await loops()), ...(await product()) };
    const through = await product();
    if (records.length === 0) records = await readBack(bench.whole, queues);
    return { ...(await loops()), ...through };
  });
  const speed = { value: median.perSecond, unit: 'records/s' };
  for (const [batch, reference] of [
    [BATCHES[0], median.few],
    [BATCHES[1], median.many],
  ] as const) {
    const goal = { atLeast: share * reference };
    report.figure({ name: `${name}, beside batches of ${batch}`, ...speed, reference, goal });
  }
  const cpu = { name: '  processor time', value: median.cpuUsPerRecord, unit: 'us/record' };
  if (!isSmall) return report.figure({ ...cpu, goal: 'printed' });
  report.figure({ ...cpu, reference: JAVA_SOURCE_CPU_US, goal: { atMost: GOAL_CPU_US } });
  const goal = { atLeast: GOAL_TIMES_JAVA * JAVA_SOURCE_PER_SECOND };
  report.figure({ name: '  beside the Java worker', ...speed, reference: JAVA_SOURCE_PER_SECOND, goal });
}

/** One connector, into the topic of its name. */
async function moved({ whole, sortie }: OnRocketmq, topic: string, config: Readonly<Record<string, string>>): Promise<Moved> {
  const before = await whole.appended(topic);
  const appended = async (): Promise<number> => (await whole.appended(topic)) - before;
  await sortie.apply(topic, { ...config, topic });
  const result = await watchProgress(sortie, { connector: topic, records: RECORDS, look: appended });
  await sortie.remove(topic);
  const count = await appended();
  if (count !== RECORDS) throw new Error(`${count} of ${RECORDS} records were sent by ${topic}`);
  return result;
}

/** Also seen by whoever asks where the queues end, which is a moment later: the product comes next. */
async function sentAll({ client, whole }: OnRocketmq, topic: string, sends: Parameters<typeof sendAll>[1]): Promise<number> {
  const end = (await whole.appended(topic)) + RECORDS;
  const perSecond = await rate(RECORDS, () => sendAll(client, sends));
  while ((await whole.appended(topic)) < end) await systemClock.sleep(SEEN_EVERY_MS);
  return perSecond;
}

/** With all their properties: what the product adds is sent by the raw loops too. */
async function readBack({ log }: OnRocketmq['whole'], queues: readonly MessageQueue[]): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  await readTopic(log, queues, (read) => records.push(...read));
  return records;
}

function inBatches(records: readonly LogRecord[], size: number): readonly RawBatch[] {
  const count = Math.ceil(records.length / size);
  return Array.from({ length: count }, (_, index) => rawBatch(records.slice(index * size, (index + 1) * size)));
}

function rawBatch(records: readonly LogRecord[]): RawBatch {
  const bornAtMs = records[0]?.bornAtMs ?? 0;
  const messages = new OutgoingMessages();
  for (const record of records) writeRecord(messages, record, bornAtMs);
  return { messages: records.map((_, index) => messages.message(index)), bornAtMs };
}

function writeLines(path: string): void {
  const lines = `${'x'.repeat(LINE_BYTES)}\n`.repeat(1_000);
  for (let written = 0; written < RECORDS; written += 1_000) appendFileSync(path, lines);
}
