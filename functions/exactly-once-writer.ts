/**
 * The writer of a source with ordered positions: each record reaches the log once.
 *
 * Every record carries its shard and position. While nothing goes wrong, no end leaves pins behind, and nothing is read back but
 * the last record of each queue when it is first written to.
 * After an end that was not clean:
 *
 * 1. The last holder may have sent records that no committed checkpoint covers, and a send of its may still be on its way: for as
 *    long as the log says (`LogBroker.sendLandsWithinMs`).
 * 2. So the next holder waits for so long, once the brokers answer: one that stood still stores what lay before its door when it
 *    goes on. Then it reads each pinned queue from its pinned offset to its end, and notes the positions of its own shard
 *    there: at most what one slice sends between two commits. Whatever others appended since lies
 *    between, so this may take longer than one claim, which is renewed meanwhile. A queue that is not the one that was pinned
 *    is read from its beginning, and while one is away nothing is sent (`known-queue.ts`).
 * 3. The source is polled from the committed checkpoint and brings the same records again. What has landed, in whichever queue,
 *    is not sent again. What the log refused is not there, is refused again, and so is never passed over in silence.
 *
 * A send whose outcome is unknown ends the slice uncleanly; it is never simply repeated. No send begins once the claim is over.
 * One that outlasts its put may still land: until it has answered, which takes thirty seconds at most, nobody claims again,
 * whether its invocation failed (`SourceWork.fail` backs off for so long), was seen to end, or was never heard of (`claimTerms`).
 */
import { FatalTaskError, RetryableError } from '../core/errors.ts';
import { type Json, jsonEquals } from '../core/json.ts';
import { type MessageQueue, queueKey } from '../core/message-queue.ts';
import { advance, maxOffset, type Offset } from '../core/offset.ts';
import type { CancelSignal, QueueBounds, SendResult } from '../core/ports.ts';
import type { ConnectRecord } from '../core/record/connect-record.ts';
import { outgoing } from '../core/record/outgoing.ts';
import { comparePositions, formatPosition, type Position } from '../core/record/position.ts';
import { positionHeaders, positionIn } from '../core/record/position-headers.ts';
import type { PutBatch, PutFailure, PutResult, SinkWriter, SliceIdentity } from '../plugins/api/sink.ts';
import type { Host } from './host.ts';
import { type FoundQueue, foundAgain, pinAtEnd } from './known-queue.ts';
import { queuesOf, topicsOf } from './log-writer.ts';
import { areMany, encodePins, type PinnedQueue, type Pins, pinsOf } from './pins.ts';
import { type QueueBatch, QueueSplit } from './queue-split.ts';
import { SliceBroken, SliceOver } from './work.ts';

/** One read while looking back: as much as a broker gives at once. */
const LOOK_BACK_LIMITS = { records: 1_000, bytes: 4 * 1024 * 1024, waitMs: 0 };

/** What a look-back found in one queue. */
interface Landed {
  readonly last: Position;
  /** Behind the last record that was looked at. */
  readonly end: PinnedQueue;
}

export class ExactlyOnceWriter implements SinkWriter {
  readonly #host: Host;
  readonly #topicQueues: number;
  readonly #split: QueueSplit;
  /** Whether a look-back is still to be made, or was not finished. */
  #isInDoubt: boolean;
  /** Stores pins before they are needed. */
  readonly #store: (pins: Pins) => Promise<void>;
  /** Keeps the claim, where it is time to. @throws {SliceOver} when the gate was closed meanwhile (I9). */
  readonly #renew: () => Promise<void>;
  /** Whether the claim still holds. */
  readonly #maySend: () => boolean;
  #pins: Pins;
  /** By topic: the queues its records choose among. Those that are pinned, without such as can only be read. */
  readonly #chosenAmong = new Map<string, readonly MessageQueue[]>();
  /** Whether they are to be fewer before more are added. */
  #hasMany = false;
  /** By queue. */
  readonly #landed = new Map<string, Landed>();
  /** All that landed, as texts: a record may choose another queue than before, where one is gone since. */
  readonly #landedPositions = new Set<string>();
  /** Behind what each queue was sent last. */
  readonly #sentEnd = new Map<string, PinnedQueue>();
  #source = '';
  #last: Position | null = null;
  /** Whether something was sent that nothing delivered covers. */
  #isAhead = false;
  #sends = 0;

  constructor(
    host: Host,
    options: {
      readonly pins: Pins;
      readonly lookBack: boolean;
      readonly topicQueues: number;
      readonly store: (pins: Pins) => Promise<void>;
      readonly renew: () => Promise<void>;
      readonly maySend: () => boolean;
    },
  ) {
    this.#host = host;
    this.#pins = options.pins;
    this.#isInDoubt = options.lookBack && options.pins.size > 0;
    this.#topicQueues = options.topicQueues;
    this.#split = new QueueSplit(host.random);
    this.#store = options.store;
    this.#renew = options.renew;
    this.#maySend = options.maySend;
  }

  async begin({ shard, generation }: SliceIdentity, signal: CancelSignal): Promise<Json> {
    this.#source = `${shard}#${generation}`;
    if (!this.#isInDoubt) return null;
    const pinned = [...this.#pins.values()].flat();
    await this.#host.broker.bounds(pinned.map(({ queue }) => queue));
    await this.#host.clock.sleep(this.#host.broker.sendLandsWithinMs);
    const found = await foundAgain(this.#host.broker, pinned, this.#source);
    const pins = pinsOf(found.map(({ pin }) => pin));
    if (!jsonEquals(encodePins(pins), encodePins(this.#pins))) await this.#store(pins);
    this.#pins = pins;
    const writable = pinsOf(found.filter(({ isWritable }) => isWritable).map(({ pin }) => pin));
    for (const [topic, list] of writable)
      this.#chosenAmong.set(
        topic,
        list.map(({ queue }) => queue),
      );
    await Promise.all(found.map((queue) => this.#lookBackIn(queue, signal)));
    this.#isInDoubt = false;
    return null;
  }

  async put({ records }: PutBatch, signal: CancelSignal): Promise<PutResult> {
    const fresh = [...topicsOf(records)].filter((topic) => !this.#chosenAmong.has(topic));
    if (fresh.length > 0) await this.#pin(fresh);
    const nowMs = this.#host.clock.nowMs();
    const headers = positionHeaders(this.#source);
    const encode = (record: ConnectRecord) => outgoing(record, nowMs, headers(positionTextOf(record)));
    const batches = this.#split.of(records, { queues: (topic) => this.#chosenAmong.get(topic) ?? [], encode });
    const failures = await allEnded(batches.map((batch) => this.#send(records, batch, signal)));
    this.#last = records.at(-1)?.position ?? this.#last;
    return { failures: failures.flat().sort((a, b) => a.index - b.index) };
  }

  async flush(): Promise<void> {
    // `send` resolves when the records are durable.
  }

  async close(): Promise<void> {
    // Nothing is kept open.
  }

  /** Everything put is delivered: a checkpoint covers it. */
  cover(): void {
    this.#isAhead = false;
  }

  /** Whether the next holder need not look back: nothing is in flight, and nothing lies ahead of the last record. */
  isClean(): boolean {
    return !this.#isInDoubt && !this.#isAhead && [...this.#landed.values()].every(({ last }) => this.#isPast(last));
  }

  /** Whether a send goes on although nobody waits for its put any more. */
  isSending(): boolean {
    return this.#sends > 0;
  }

  /** Whether a commit should make room for queues that are written to next. */
  wantsRoom(): boolean {
    return this.#hasMany && !this.#isAhead;
  }

  /** What belongs beside a checkpoint that covers everything delivered so far. */
  settledPins(): Pins {
    if (this.#isAhead) return this.#pins;
    // Nothing is in doubt of a topic of which all that was sent is covered: it is pinned anew when it is written to again.
    const kept = [...this.#pins.values()].filter((queues) => !this.#hasMany || queues.some((pin) => this.#holdsMore(pin)));
    this.#pins = pinsOf(kept.flat().map((pinned) => this.#settle(pinned)));
    for (const topic of this.#chosenAmong.keys()) if (!this.#pins.has(topic)) this.#chosenAmong.delete(topic);
    this.#hasMany = false;
    return this.#pins;
  }

  /** What belongs beside the checkpoint that is stored already. */
  pins(): Pins {
    return this.#pins;
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Before topics are first written to: their lists are the broker's, pinned where they end, in one write for all. */
  async #pin(topics: readonly string[]): Promise<void> {
    const lists = new Map<string, readonly MessageQueue[]>();
    // One after the other: a batch may create many topics, and the broker is shared.
    for (const topic of topics) lists.set(topic, await queuesOf(this.#host, topic, this.#topicQueues));
    const pinned = [...this.#pins.values()].flat();
    const known = new Set(pinned.map(({ queue }) => queueKey(queue)));
    const fresh = [...lists.values()].flat().filter((queue) => !known.has(queueKey(queue)));
    const pins = pinsOf([...pinned, ...(await pinAtEnd(this.#host.broker, fresh))]);
    await this.#store(pins);
    this.#pins = pins;
    for (const [topic, queues] of lists) this.#chosenAmong.set(topic, queues);
    this.#hasMany = areMany(pins);
  }

  async #send(records: readonly ConnectRecord[], batch: QueueBatch, signal: CancelSignal): Promise<PutFailure[]> {
    const { queue } = batch;
    const fresh = this.#landedPositions.size === 0 ? batch : withoutLanded(records, batch, this.#landedPositions);
    if (fresh.records.length === 0) return [];
    // No await may come between this look and the send: whoever claims next believes that nothing is sent any more.
    if (signal.aborted || !this.#maySend()) throw new SliceOver();
    this.#isAhead = true;
    this.#sends += 1;
    try {
      const { endOffset, refused } = await this.#host.broker.send(queue, fresh.records);
      const last = lastAccepted(records, fresh, refused);
      if (last !== undefined) this.#sentEnd.set(queueKey(queue), { queue, from: endOffset, below: positionTextOf(last) });
      return refused.map(({ index, error }) => ({ index: fresh.indexes[index] ?? 0, error }));
    } catch (error) {
      throw slicesEnd(error);
    } finally {
      this.#sends -= 1;
    }
  }

  /** A queue's pin stays while it holds landed records that the source has not come to yet. */
  #settle(pin: PinnedQueue): PinnedQueue {
    if (this.#holdsMore(pin)) return pin;
    const landed = this.#landed.get(queueKey(pin.queue));
    return this.#sentEnd.get(queueKey(pin.queue)) ?? landed?.end ?? pin;
  }

  #holdsMore({ queue }: PinnedQueue): boolean {
    const landed = this.#landed.get(queueKey(queue));
    return landed !== undefined && !this.#isPast(landed.last);
  }

  #isPast(position: Position): boolean {
    return this.#last !== null && comparePositions(this.#last, position) >= 0;
  }

  async #lookBackIn({ pin: { queue, from }, bounds: before }: FoundQueue, signal: CancelSignal): Promise<void> {
    let last: Position | null = null;
    let end: PinnedQueue | null = null;
    let at = maxOffset(from, before.min);
    // One read after the other: each begins where the last one ended. Ends at what was the end when it began.
    while (at < before.max) {
      const { records, next, bounds } = await this.#host.broker.read(queue, at, LOOK_BACK_LIMITS, signal);
      // Nobody waits for it any more, and what was not read must not be taken for what is not there.
      if (signal.aborted) throw new SliceOver();
      for (const record of records) {
        const position = positionIn(record, this.#source);
        if (position === undefined) continue;
        this.#landedPositions.add(formatPosition(position));
        last = later(last, position);
      }
      const newest = records.at(-1);
      if (newest !== undefined) end = { queue, from: advance(newest.offset, 1), below: newest.storedAtMs };
      at = next > at ? next : behindNothing(queue, at, bounds);
      await this.#renew();
    }
    if (last !== null && end !== null) this.#landed.set(queueKey(queue), { last, end });
  }
}

/** Rejects only when all have ended: a send that outlasts its slice could land after the next holder has looked back. */
async function allEnded<T>(sends: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(sends);
  return Promise.all(sends);
}

/** What a send that failed makes of its slice. A queue that is gone is no end of its source: the next look-back finds it gone. */
function slicesEnd(error: unknown): unknown {
  if (error instanceof RetryableError) return new SliceBroken(error);
  if (!(error instanceof FatalTaskError) || error.code !== 'broker.topic_missing') return error;
  return new SliceBroken(new RetryableError(error.message, { code: error.code, cause: error }));
}

function later(known: Position | null, found: Position): Position {
  return known === null || comparePositions(found, known) > 0 ? found : known;
}

function positionTextOf({ positionText }: ConnectRecord): string {
  if (positionText === null)
    throw new FatalTaskError('an exactly-once source polled a record without a position', { code: 'plugin.failed' });
  return positionText;
}

function lastAccepted(
  records: readonly ConnectRecord[],
  { indexes }: QueueBatch,
  refused: SendResult['refused'],
): ConnectRecord | undefined {
  const last = indexes.findLast((_, at) => !refused.some(({ index }) => index === at));
  return last === undefined ? undefined : records[last];
}

function withoutLanded(records: readonly ConnectRecord[], batch: QueueBatch, landed: ReadonlySet<string>): QueueBatch {
  const fresh = batch.indexes.map((index) => {
    const record = records[index];
    return record !== undefined && !landed.has(positionTextOf(record));
  });
  return {
    queue: batch.queue,
    records: batch.records.filter((_, at) => fresh[at]),
    indexes: batch.indexes.filter((_, at) => fresh[at]),
  };
}

/** Where to read on after a read that brought nothing: retention may have overtaken it. */
function behindNothing({ topic, queueId }: MessageQueue, at: Offset, { min, max }: QueueBounds): Offset {
  if (min > at) return min;
  throw new RetryableError(`nothing was read at ${at} of queue ${queueId} of ${topic}, which ends at ${max}`, {
    code: 'broker.unavailable',
  });
}
