/**
 * Whether a queue of the other cluster still is the one that was read: the rules of `core/log-check.ts`. A queue that is not there is
 * waited for, for its broker may come back; what is missing or not what it was fails the shard.
 */
import { boundsOf, type RecordReading, readRecords } from '../../../clients/rocketmq/records/read-records.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { checkBounds, checkStoreTimes, sampleLog } from '../../../core/log-check.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import { maxOffset, minOffset, offset, recordsBetween } from '../../../core/offset.ts';
import type { LogBroker, QueueBounds } from '../../../core/ports.ts';
import type { PluginContext } from '../../api/context.ts';
import { memoryOf, type QueuePlace } from './queue-place.ts';
import type { SourceSettings, Start } from './source-config.ts';

/** Most by which the clocks of brokers may differ, and ours from theirs, as for hosts of ours. */
const SKEW_MAX_MS = 5_000;

export interface WatchedQueue {
  readonly reading: RecordReading;
  readonly queue: MessageQueue;
  readonly config: SourceSettings;
  readonly context: PluginContext;
}

/**
 * The place as it is from now on; `null` when the queue is not there.
 *
 * @throws {FatalTaskError} `shard.log_truncated`, and `shard.log_gap` where gaps are not skipped.
 */
export async function placeNow(watched: WatchedQueue, known: QueuePlace | null): Promise<QueuePlace | null> {
  const [span] = await watched.reading.client.spans([watched.queue]);
  if (span === null || span === undefined) return null;
  const bounds = boundsOf(span);
  const place = withinBounds(watched, known ?? (await firstPlace(watched, bounds)), bounds);
  const sample = await sampleLog(logOf(watched), watched.queue, { cursor: memoryOf(place), bounds });
  const verdict = checkStoreTimes(memoryOf(place), sample, SKEW_MAX_MS);
  if (verdict.kind === 'truncated') throw truncated(watched, verdict.message);
  return place.firstRecord === null ? { ...place, firstRecord: sample.first } : place;
}

/** By the time when the connector was created, a queue that came later begins with its first record. */
async function firstPlace({ reading, queue, config, context }: WatchedQueue, { min, max }: QueueBounds): Promise<QueuePlace> {
  const nothing = { lastStoredAtMs: null, firstRecord: null };
  const atMs = startTime(config['auto.offset.reset'], context);
  if (atMs === null) return { ...nothing, next: min };
  const found = await reading.client.searchOffset(queue, atMs);
  return { ...nothing, next: maxOffset(min, minOffset(max, offset(found ?? min))) };
}

function startTime(start: Start, { createdAtMs }: PluginContext): number | null {
  if (start === 'earliest') return null;
  return Math.max(0, Math.min(start === 'latest' ? createdAtMs : start, createdAtMs) - SKEW_MAX_MS);
}

function withinBounds(watched: WatchedQueue, place: QueuePlace, bounds: QueueBounds): QueuePlace {
  const verdict = checkBounds(memoryOf(place), bounds);
  if (verdict.kind === 'truncated') throw truncated(watched, verdict.message);
  if (verdict.kind === 'intact') return place;
  const { queue, config, context } = watched;
  const records = recordsBetween(place.next, verdict.to);
  const message = `retention removed ${records} records of ${queueKey(queue)} at the source before they were copied: it begins at ${verdict.to}, and ${place.next} was next`;
  if (config['gap.policy'] === 'fail') {
    throw new FatalTaskError(
      `${message}; next: set gap.policy=skip to go on behind them, or reset the offsets of the connector`,
      {
        code: 'shard.log_gap',
      },
    );
  }
  context.log('warn', message);
  context.count('source_gap_records', records);
  return { ...place, next: verdict.to };
}

function truncated({ queue }: WatchedQueue, message: string): FatalTaskError {
  return new FatalTaskError(
    `${queueKey(queue)} at the source is not what was copied: ${message}; next: stop the connector and reset its offsets to where it is to go on`,
    { code: 'shard.log_truncated' },
  );
}

function logOf({ reading }: WatchedQueue): Pick<LogBroker, 'read'> {
  return { read: (queue, from, limits, signal) => readRecords(reading, { queue, from }, limits, signal) };
}
