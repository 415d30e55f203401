/**
 * Whether a log still is the one the cursor was made on. Compared at the start of every invocation, and an invocation
 * claims nothing more once that is 30 seconds ago: a commit of records from a new log would hide that it is new.
 *
 * - It ends below `next`: records that were claimed are gone.
 * - Its lowest record was stored after the one that was lowest when nothing was delivered yet, though it is not above that; or it
 *   is below the watermark and was stored after everything finished: the topic was deleted, created again and refilled.
 * - The record at `next` was stored before what is finished: the log was replaced by an older one. (`next`, not the watermark:
 *   with several slices of a queue, what lies between may well be older than the newest that is finished.)
 * - It begins above the watermark: retention overtook the reader.
 * - It was gone and is back, and there is nothing to know it by: before the first claim of a generation.
 */
import { type FirstRecord, type LogCursor, watermark } from './cursor/cursor.ts';
import type { MessageQueue } from './message-queue.ts';
import type { Offset } from './offset.ts';
import type { LogBroker, QueueBounds } from './ports.ts';

/** What is remembered of a log. */
export type LogMemory = Pick<LogCursor, 'next' | 'open' | 'firstRecord' | 'lastStoredAtMs'>;

export type LogVerdict =
  | { readonly kind: 'intact' }
  | { readonly kind: 'gap'; readonly to: Offset }
  | { readonly kind: 'truncated'; readonly message: string };

const INTACT: LogVerdict = { kind: 'intact' };

/** What bounds alone tell. */
export function checkBounds(cursor: LogMemory, { min, max }: QueueBounds): LogVerdict {
  if (max < cursor.next)
    return { kind: 'truncated', message: `the log ends at ${max}, before ${cursor.next} which was already claimed` };
  if (min > watermark(cursor)) return { kind: 'gap', to: min };
  return INTACT;
}

/** Of a queue that was gone and is back. Where there is no record to know it by, a position above its start may be one in another log. */
export function checkReturned(cursor: LogMemory, { min }: QueueBounds): LogVerdict {
  const { firstRecord, lastStoredAtMs } = cursor;
  const at = watermark(cursor);
  if (firstRecord !== null || lastStoredAtMs !== null || at <= min) return INTACT;
  return { kind: 'truncated', message: `the queue was gone, and nothing tells whether ${at} is a position in what is there now` };
}

/** Records to know a log by. `null`: there is none, or it would tell nothing. */
export interface LogSample {
  /** The lowest one. */
  readonly first: FirstRecord | null;
  /** The one at `next`, or the first behind it. */
  readonly following: FirstRecord | null;
}

/** Reads at most two records. */
export async function sampleLog(
  broker: Pick<LogBroker, 'read'>,
  queue: MessageQueue,
  { cursor, bounds }: { readonly cursor: LogMemory; readonly bounds: QueueBounds },
): Promise<LogSample> {
  const { next, lastStoredAtMs, firstRecord } = cursor;
  const { min, max } = bounds;
  const tells = firstRecord === null || min <= firstRecord.at || min < watermark(cursor);
  const [first, following] = await Promise.all([
    min < max && tells ? recordFrom(broker, queue, min) : null,
    next < max && lastStoredAtMs !== null ? recordFrom(broker, queue, next) : null,
  ]);
  return { first, following };
}

/** What store times tell beyond the bounds. */
export function checkStoreTimes(cursor: LogMemory, { first, following }: LogSample, skewMaxMs: number): LogVerdict {
  if (first !== null && first.storedAtMs > newestAtMs(cursor, first.at) + skewMaxMs) {
    return {
      kind: 'truncated',
      message: `the log was created anew: its record at ${first.at} is newer than what was there before`,
    };
  }
  const { lastStoredAtMs } = cursor;
  if (following !== null && lastStoredAtMs !== null && following.storedAtMs < lastStoredAtMs - skewMaxMs) {
    return {
      kind: 'truncated',
      message: `the log was replaced: its record at ${following.at} is older than what was read before it`,
    };
  }
  return INTACT;
}

/** When the record at an offset was stored at the latest, as far as the cursor knows; clocks of brokers aside. */
function newestAtMs(cursor: LogMemory, at: Offset): number {
  const { firstRecord, lastStoredAtMs } = cursor;
  if (firstRecord !== null && at <= firstRecord.at) return firstRecord.storedAtMs;
  return lastStoredAtMs !== null && at < watermark(cursor) ? lastStoredAtMs : Number.POSITIVE_INFINITY;
}

async function recordFrom(broker: Pick<LogBroker, 'read'>, queue: MessageQueue, from: Offset): Promise<FirstRecord | null> {
  const { records } = await broker.read(queue, from, { records: 1, bytes: 1, waitMs: 0 });
  const [record] = records;
  return record === undefined ? null : { at: record.offset, storedAtMs: record.storedAtMs };
}
