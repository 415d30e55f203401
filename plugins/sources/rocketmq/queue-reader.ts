/**
 * Copies one queue of the other cluster, in its order.
 *
 * The end of a queue is followed for some seconds with one poll that the broker holds; after that it is looked at every
 * `poll.interval.ms`.
 */
import type { PulledRecord } from '../../../clients/rocketmq/records/pulled-record.ts';
import { readRecords } from '../../../clients/rocketmq/records/read-records.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { queueKey } from '../../../core/message-queue.ts';
import { advance, type Offset } from '../../../core/offset.ts';
import type { CancelSignal, ReadLimits } from '../../../core/ports.ts';
import type { PolledRecord, PollLimits, PollResult, SourceReader } from '../../api/source.ts';
import { asSourceError } from '../../replication/other-cluster.ts';
import { passageOf, topicFor } from '../../replication/replication-keys.ts';
import { type CopyTerms, copyOf } from './copied-record.ts';
import { demandUsableFilter } from './filter-check.ts';
import { encodePlace, type QueuePlace } from './queue-place.ts';
import { placeNow, type WatchedQueue } from './queue-state.ts';
import { filterOf } from './source-config.ts';

/** As often as a log of ours is compared with its cursor. */
const CHECK_EVERY_MS = 30_000;

/** A little less than an invocation waits at an end where nothing comes. */
const FOLLOW_MS = 4_000;

/** Poll again: the broker holds the next one. */
const AT_ONCE_MS = 1;

export class QueueReader implements SourceReader {
  readonly #watched: WatchedQueue;
  readonly #terms: CopyTerms;
  readonly #filter: Pick<ReadLimits, 'filter'>;
  #place: QueuePlace | null;
  /** `null`: before the next read. */
  #checkedAtMs: number | null = null;
  #isMissing = false;
  #followUntilMs = 0;

  /** The client is closed with the reader. */
  constructor(watched: WatchedQueue, place: QueuePlace | null) {
    const { queue, config } = watched;
    const filter = filterOf(config);
    this.#watched = watched;
    this.#terms = { topic: topicFor(config, queue.topic), passage: passageOf(config), queueBy: config['queue.by'] };
    this.#filter = filter === null ? {} : { filter };
    this.#place = place;
  }

  async poll(limits: PollLimits, signal: CancelSignal): Promise<PollResult> {
    try {
      const place = await this.#placeToRead();
      return place === null ? this.#nothing(limits) : await this.#read(place, limits, signal);
    } catch (error) {
      if (isMissing(error)) return this.#nothing(limits);
      throw asSourceError(error);
    }
  }

  close(): Promise<void> {
    return this.#watched.reading.client.close();
  }

  // -------------------------------------------------------------------------------------------------------------------

  async #placeToRead(): Promise<QueuePlace | null> {
    const nowMs = this.#watched.context.clock.monotonicMs();
    if (this.#place !== null && this.#checkedAtMs !== null && nowMs - this.#checkedAtMs < CHECK_EVERY_MS) return this.#place;
    await demandUsableFilter(this.#watched.reading.client, this.#watched.config);
    const place = await placeNow(this.#watched, this.#place);
    this.#noteMissing(place === null);
    if (place === null) return null;
    this.#checkedAtMs = nowMs;
    this.#place = place;
    return place;
  }

  async #read(place: QueuePlace, limits: PollLimits, signal: CancelSignal): Promise<PollResult> {
    const { reading, queue } = this.#watched;
    const { records, next, bounds } = await readRecords(
      reading,
      { queue, from: place.next },
      { ...limits, ...this.#filter },
      signal,
    );
    // It moved: what became of it shows when it is compared again.
    if (place.next < bounds.min || place.next > bounds.max) this.#checkedAtMs = null;
    const lastStoredAtMs = next > place.next ? await this.#storedBefore(next, records) : null;
    this.#place = { ...place, next, lastStoredAtMs: newest(place.lastStoredAtMs, lastStoredAtMs) };
    if (next > place.next) this.#followUntilMs = this.#watched.context.clock.monotonicMs() + FOLLOW_MS;
    const copies = this.#copies(records);
    const isAtEnd = next === bounds.max && (next === place.next || limits.waitMs === 0);
    return { records: copies, checkpoint: encodePlace(this.#place), ...(isAtEnd && { idleForMs: this.#idleForMs(limits) }) };
  }

  /** When the record before `next` was stored: where a filter has left it out, it is looked at all the same, to know the queue by. */
  async #storedBefore(next: Offset, records: readonly PulledRecord[]): Promise<number | null> {
    const at = advance(next, -1);
    const last = records.at(-1);
    if (last?.offset === at) return last.storedAtMs;
    const { reading, queue } = this.#watched;
    const [before] = (await readRecords(reading, { queue, from: at }, { records: 1, bytes: 1, waitMs: 0 })).records;
    return before?.offset === at ? before.storedAtMs : null;
  }

  #copies(records: readonly PulledRecord[]): readonly PolledRecord[] {
    const copies: PolledRecord[] = [];
    for (const record of records) {
      const copy = copyOf(record, this.#terms);
      if (copy !== null) copies.push(copy);
    }
    const left = records.length - copies.length;
    if (left > 0) this.#watched.context.count('records_not_sent_back', left);
    return copies;
  }

  #nothing(limits: PollLimits): PollResult {
    this.#noteMissing(true);
    const checkpoint = this.#place === null ? null : encodePlace(this.#place);
    return { records: [], checkpoint, idleForMs: this.#idleForMs(limits) };
  }

  #idleForMs({ waitMs }: PollLimits): number {
    const isFollowed = waitMs > 0 && this.#watched.context.clock.monotonicMs() < this.#followUntilMs;
    return isFollowed ? AT_ONCE_MS : this.#watched.config['poll.interval.ms'];
  }

  /** Tells once of each time that it is gone. */
  #noteMissing(isMissing: boolean): void {
    const { context, queue } = this.#watched;
    if (isMissing && !this.#isMissing)
      context.log('warn', `there is no queue ${queueKey(queue)} at the source; it is waited for`);
    if (isMissing) this.#checkedAtMs = null;
    this.#isMissing = isMissing;
  }
}

function newest(known: number | null, found: number | null): number | null {
  return found === null ? known : Math.max(found, known ?? found);
}

function isMissing(error: unknown): boolean {
  return error instanceof FatalTaskError && error.code === 'broker.topic_missing';
}
