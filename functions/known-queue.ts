/**
 * Whether a pinned queue still is the one that was pinned. The record right below the pin tells: in one log it stays where it
 * is, as it is, until retention takes it. Bounds alone do not tell:
 *
 * 1. A topic is deleted and created again. What a holder has on its way lands at a low offset of the new queue.
 * 2. Others append until that queue ends above the pin.
 * 3. The next holder looks back from the pin, misses what landed below it, and sends it again.
 *
 * A queue that is another one is looked at from its beginning.
 *
 * A queue without bounds is gone, or its broker is away for a while, with all it holds. What is gone holds nothing in doubt; what
 * is away may hold all that is in doubt, so nothing is sent before it has been looked at.
 */
import { FatalTaskError, RetryableError } from '../core/errors.ts';
import { type MessageQueue, queueKey } from '../core/message-queue.ts';
import { advance, type Offset } from '../core/offset.ts';
import type { LogBroker, QueueBounds } from '../core/ports.ts';
import type { LogRecord } from '../core/record/connect-record.ts';
import { formatPosition } from '../core/record/position.ts';
import { positionIn } from '../core/record/position-headers.ts';
import type { PinnedQueue } from './pins.ts';

/** One record: enough to know a queue by. */
const ONE = { records: 1, bytes: 1, waitMs: 0 };

interface ThereQueue {
  readonly pin: PinnedQueue;
  readonly bounds: QueueBounds;
}

/** A pinned queue as a look-back finds it. */
export interface FoundQueue extends ThereQueue {
  /** `false`: its topic is about to have fewer queues, and this one is read to its end. */
  readonly isWritable: boolean;
}

/** Pins queues where they end. @throws {RetryableError} for one that is not there any more, or not now. */
export async function pinAtEnd(broker: LogBroker, queues: readonly MessageQueue[]): Promise<readonly PinnedQueue[]> {
  const bounds = await broker.bounds(queues);
  return Promise.all(
    queues.map(async (queue, index) => {
      const held = bounds[index] ?? null;
      if (held === null) throw notThere(queue);
      const below = held.min === held.max ? null : await recordBelow(broker, queue, held.max);
      return { queue, from: held.max, below: below?.storedAtMs ?? null };
    }),
  );
}

/**
 * Those of the pinned queues that still exist, each with where to look back from.
 *
 * @throws {RetryableError} `broker.unavailable` while one of them is away, or its broker takes nothing: a slave may stand in for it,
 * and lack what it has.
 */
export async function foundAgain(
  broker: LogBroker,
  pins: readonly PinnedQueue[],
  source: string,
): Promise<readonly FoundQueue[]> {
  const writable = await writableQueues(broker, pins);
  const bounds = await broker.bounds(pins.map(({ queue }) => queue));
  const found = await Promise.all(
    pins.map(async (pin, index): Promise<readonly FoundQueue[]> => {
      const held = bounds[index] ?? null;
      if (held === null) return goneFor(broker, pin);
      const taking = writable.get(brokerPart(pin.queue));
      if (taking === undefined) throw takesNothing(pin.queue);
      const isWritable = taking.has(pin.queue.queueId);
      if (!(await isAnother(broker, { pin, bounds: held }, source))) return [{ pin, bounds: held, isWritable }];
      return [{ pin: { queue: pin.queue, from: held.min, below: null }, bounds: held, isWritable }];
    }),
  );
  return found.flat();
}

/** The numbers of those that can be written to, by topic and broker. */
async function writableQueues(
  broker: LogBroker,
  pins: readonly PinnedQueue[],
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const topics = [...new Set(pins.map(({ queue }) => queue.topic))];
  const queues = (await Promise.all(topics.map((topic) => broker.queues(topic, 'writing')))).flat();
  const numbers = new Map<string, Set<number>>();
  for (const queue of queues) {
    const ofBroker = numbers.get(brokerPart(queue)) ?? new Set();
    numbers.set(brokerPart(queue), ofBroker.add(queue.queueId));
  }
  return numbers;
}

function brokerPart({ topic, brokerName }: MessageQueue): string {
  return `${topic}/${brokerName}`;
}

/** A log says of what is read, and not of bounds, whether it is gone. */
async function goneFor(broker: LogBroker, { queue, from }: PinnedQueue): Promise<readonly []> {
  try {
    await broker.read(queue, from, ONE);
  } catch (error) {
    if (error instanceof FatalTaskError && error.code === 'broker.topic_missing') return [];
    throw error;
  }
  throw notThere(queue);
}

function takesNothing({ topic, brokerName }: MessageQueue): RetryableError {
  const next = `next: check that the master of ${brokerName} runs, and that ${topic} may be written to there`;
  return new RetryableError(`broker ${brokerName} takes nothing for topic ${topic}, so what it shows may not be all; ${next}`, {
    code: 'broker.unavailable',
  });
}

function notThere(queue: MessageQueue): RetryableError {
  const next = 'next: nothing, it is tried again; if this lasts, check that its broker runs';
  return new RetryableError(`queue ${queueKey(queue)} cannot be found at the moment; ${next}`, { code: 'broker.unavailable' });
}

async function isAnother(
  broker: LogBroker,
  { pin: { queue, from, below }, bounds }: ThereQueue,
  source: string,
): Promise<boolean> {
  if (from > bounds.max) return true;
  // All that it holds is looked at anyway; or nobody noted what to know it by.
  if (from <= bounds.min || below === undefined) return false;
  const record = await recordBelow(broker, queue, from);
  if (record === null || below === null) return true;
  return below !== (typeof below === 'number' ? record.storedAtMs : positionText(record, source));
}

/** `null`: the log holds none there. */
async function recordBelow(broker: LogBroker, queue: MessageQueue, from: Offset): Promise<LogRecord | null> {
  const at = advance(from, -1);
  const { records } = await broker.read(queue, at, ONE);
  const [record] = records;
  return record?.offset === at ? record : null;
}

function positionText(record: LogRecord, source: string): string | undefined {
  const position = positionIn(record, source);
  return position === undefined ? undefined : formatPosition(position);
}
