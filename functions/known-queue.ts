/**
 * Whether a pinned queue still is the one that was pinned. The record right below the pin tells: in one log it stays where it
 * is, as it is, until retention takes it. Bounds alone do not tell:
 *
 * 1. A topic is deleted and created again. What a holder has on its way lands at a low offset of the new queue.
 * 2. Others append until that queue ends above the pin.
 * 3. The next holder looks back from the pin, misses what landed below it, and sends it again.
 *
 * A queue that is another one is looked at from its beginning.
 */
import type { MessageQueue } from '../core/message-queue.ts';
import { advance, type Offset } from '../core/offset.ts';
import type { LogBroker, QueueBounds } from '../core/ports.ts';
import type { LogRecord } from '../core/record/connect-record.ts';
import { formatPosition } from '../core/record/position.ts';
import { positionIn } from '../core/record/position-headers.ts';
import type { PinnedQueue } from './pins.ts';

/** A pinned queue as a look-back finds it; without bounds it does not exist any more. */
export interface FoundQueue {
  readonly pin: PinnedQueue;
  readonly bounds: QueueBounds | null;
}

/** Pins a queue where it ends. */
export async function pinAtEnd(broker: LogBroker, queue: MessageQueue, bounds: QueueBounds | null): Promise<PinnedQueue> {
  if (bounds === null || bounds.min === bounds.max) return { queue, from: bounds?.max ?? (0n as Offset), below: null };
  const below = await recordBelow(broker, queue, bounds.max);
  return { queue, from: bounds.max, below: below?.storedAtMs ?? null };
}

/**
 * The pinned queues of topics that still exist, each with where to look back from. A topic that is gone holds nothing in doubt;
 * while one queue is left of it, its list stays.
 */
export async function foundAgain(
  broker: LogBroker,
  known: readonly FoundQueue[],
  source: string,
): Promise<readonly FoundQueue[]> {
  const topics = new Set(known.flatMap(({ pin, bounds }) => (bounds === null ? [] : [pin.queue.topic])));
  const left = known.filter(({ pin }) => topics.has(pin.queue.topic));
  return Promise.all(
    left.map(async ({ pin, bounds }) => {
      if (bounds === null || !(await isAnother(broker, { pin, bounds }, source))) return { pin, bounds };
      return { pin: { queue: pin.queue, from: bounds.min, below: null }, bounds };
    }),
  );
}

async function isAnother(
  broker: LogBroker,
  { pin: { queue, from, below }, bounds }: { readonly pin: PinnedQueue; readonly bounds: QueueBounds },
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
  const { records } = await broker.read(queue, at, { records: 1, bytes: 1, waitMs: 0 });
  const [record] = records;
  return record?.offset === at ? record : null;
}

function positionText(record: LogRecord, source: string): string | undefined {
  const position = positionIn(record, source);
  return position === undefined ? undefined : formatPosition(position);
}
