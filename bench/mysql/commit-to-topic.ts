/** How soon a row that was inserted is a record in its topic. */
import { systemClock } from '../../adapters/system.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { offset } from '../../core/offset.ts';
import type { LogBroker } from '../../core/ports.ts';
import type { BenchDatabase } from './bench-database.ts';

const READ_LIMITS = { records: 500, bytes: 1_024 * 1_024, waitMs: 1_000 };
const READY_WITHIN_MS = 30_000;

export interface Followed {
  readonly database: BenchDatabase;
  readonly log: LogBroker;
  readonly table: string;
  /** Of one queue. */
  readonly topic: string;
  readonly warmUp: number;
  readonly changes: number;
  readonly perSecond: number;
}

export interface Latencies {
  /** From the call of INSERT to the record. */
  readonly seenMs: Float64Array;
  /** From the call to its answer. */
  readonly insertedMs: Float64Array;
}

export async function commitToTopic(followed: Followed): Promise<Latencies> {
  const { database, log, table, topic, warmUp, changes, perSecond } = followed;
  const insert = () => database.insert(table, { rows: 1, perStatement: 1 });
  // With its first record the topic is there, and somebody follows.
  await insert();
  const queue = await queueOf(log, topic);
  const calledMs = new Float64Array(warmUp + changes);
  const insertedMs = new Float64Array(calledMs.length);
  const seen = arrivals(log, queue, calledMs.length);
  const startedAtMs = performance.now();
  for (let index = 0; index < calledMs.length; index += 1) {
    await systemClock.sleep(startedAtMs + (index * 1_000) / perSecond - performance.now());
    const atMs = performance.now();
    calledMs[index] = atMs;
    await insert();
    insertedMs[index] = performance.now() - atMs;
  }
  const seenAtMs = await seen;
  const seenMs = seenAtMs.map((atMs, index) => atMs - (calledMs[index] ?? Number.NaN));
  return { seenMs: seenMs.slice(warmUp), insertedMs: insertedMs.slice(warmUp) };
}

async function queueOf(log: LogBroker, topic: string): Promise<MessageQueue> {
  const untilMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const [queue] = await log.queues(topic);
    const [bounds] = queue === undefined ? [] : await log.bounds([queue]);
    if (queue !== undefined && bounds !== undefined && bounds !== null && bounds.max > 0) return queue;
    if (performance.now() > untilMs) throw new Error(`nothing is in ${topic} ${READY_WITHIN_MS} ms after its first row`);
    await systemClock.sleep(50);
  }
}

/** When each record behind the first came. */
async function arrivals(log: LogBroker, queue: MessageQueue, count: number): Promise<Float64Array> {
  const atMs = new Float64Array(count);
  for (let at = offset(1), taken = 0; taken < count; ) {
    const { records, next } = await log.read(queue, at, READ_LIMITS);
    atMs.fill(performance.now(), taken, taken + records.length);
    taken += records.length;
    at = next;
  }
  return atMs;
}
