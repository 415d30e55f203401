/**
 * Whether a log still is the one the cursor was made on. Compared at the start of every invocation, and an invocation
 * claims nothing more once that is 30 seconds ago: a commit of records from a new log would hide that it is new.
 *
 * - It ends below `next`: records that were claimed are gone.
 * - It holds a record below the watermark that was stored after everything finished: the topic was deleted, created again and
 *   refilled.
 * - The record at `next` was stored before what is finished: the log was replaced by an older one. (`next`, not the watermark:
 *   with several slices of a queue, what lies between may well be older than the newest that is finished.)
 * - It begins above the watermark: retention overtook the reader.
 */
import { type LogCursor, watermark } from '../core/cursor/cursor.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { Offset } from '../core/offset.ts';
import type { LogBroker, QueueBounds } from '../core/ports.ts';

export type LogVerdict =
  | { readonly kind: 'intact' }
  | { readonly kind: 'gap'; readonly to: Offset }
  | { readonly kind: 'truncated'; readonly message: string };

const INTACT: LogVerdict = { kind: 'intact' };

/** What bounds alone tell. */
export function checkBounds(cursor: LogCursor, { min, max }: QueueBounds): LogVerdict {
  if (max < cursor.next)
    return { kind: 'truncated', message: `the log ends at ${max}, before ${cursor.next} which was already claimed` };
  if (min > watermark(cursor)) return { kind: 'gap', to: min };
  return INTACT;
}

/** What store times tell beyond the bounds; reads at most two records. */
export async function checkStoreTimes(
  broker: LogBroker,
  queue: MessageQueue,
  { cursor, bounds, skewMaxMs }: { readonly cursor: LogCursor; readonly bounds: QueueBounds; readonly skewMaxMs: number },
): Promise<LogVerdict> {
  const { lastStoredAtMs, next } = cursor;
  if (lastStoredAtMs === null) return INTACT;
  const [first, following] = await Promise.all([
    bounds.min < watermark(cursor) ? storedAtMs(broker, queue, bounds.min) : null,
    next < bounds.max ? storedAtMs(broker, queue, next) : null,
  ]);
  if (first !== null && first > lastStoredAtMs + skewMaxMs) {
    return {
      kind: 'truncated',
      message: `the log was created anew: its record at ${bounds.min} is newer than all that was read before`,
    };
  }
  if (following !== null && following < lastStoredAtMs - skewMaxMs) {
    return { kind: 'truncated', message: `the log was replaced: its record at ${next} is older than what was read before it` };
  }
  return INTACT;
}

async function storedAtMs(broker: LogBroker, queue: MessageQueue, at: Offset): Promise<number | null> {
  const { records } = await broker.read(queue, at, { records: 1, bytes: 1, waitMs: 0 });
  return records[0]?.offset === at ? records[0].storedAtMs : null;
}
