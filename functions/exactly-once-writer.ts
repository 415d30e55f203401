/**
 * The writer of a source with ordered positions: each record reaches the log once.
 *
 * Every record carries its shard and position. While nothing goes wrong, nothing is read back. After an end that was not clean:
 *
 * 1. The last holder may have sent records that no committed checkpoint covers, and a send of its may still be on its way: for
 *    up to a second, as `LogBroker.send` promises.
 * 2. So the next holder waits that second, then reads each pinned queue from its pinned offset to its end, and notes the
 *    positions of its own shard there: at most what one slice sends between two commits.
 * 3. The source is polled from the committed checkpoint and brings the same records again, for the same queues. What has
 *    landed is not sent again. What the log refused is not there, is refused again, and so is never passed over in silence.
 *
 * A send whose outcome is unknown ends the slice uncleanly; it is never simply repeated.
 */
import { FatalTaskError, RetryableError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { type MessageQueue, queueKey } from '../core/message-queue.ts';
import { advance, maxOffset, type Offset } from '../core/offset.ts';
import type { ConnectRecord, LogHeaders, LogRecord, Position } from '../core/record/connect-record.ts';
import { comparePositions, formatPosition, parsePosition } from '../core/record/position.ts';
import type { PutBatch, PutFailure, PutResult, SinkWriter, SliceIdentity } from '../plugins/api/sink.ts';
import type { Host } from './host.ts';
import { byQueue, type QueueBatch, queuesOf } from './log-writer.ts';
import { outgoing } from './outgoing.ts';
import type { PinnedQueue, Pins } from './pins.ts';
import { SliceBroken } from './work.ts';

/** Headers that say which source record this is. */
export const SOURCE_HEADER = 'sortie.source';
export const POSITION_HEADER = 'sortie.position';

/** How long a send may still land after its sender failed or died; `LogBroker.send`. */
const SEND_LANDS_WITHIN_MS = 1_000;

/** One read while looking back. */
const LOOK_BACK_RECORDS = 1_000;
const LOOK_BACK_BYTES = 4 * 1024 * 1024;

/** What a look-back found in one queue. */
interface Landed {
  /** As text, for a set. */
  readonly positions: ReadonlySet<string>;
  readonly last: Position;
  /** Behind the last record that was looked at. */
  readonly end: Offset;
}

export class ExactlyOnceWriter implements SinkWriter {
  readonly #host: Host;
  readonly #topicQueues: number;
  readonly #lookBack: boolean;
  /** Stores the pins before a topic is first written to. */
  readonly #store: () => Promise<void>;
  readonly #pins: Map<string, readonly PinnedQueue[]>;
  /** Topics whose list was compared with the broker's since the claim. */
  readonly #current = new Set<string>();
  readonly #landed = new Map<string, Landed>();
  readonly #sentEnd = new Map<string, Offset>();
  #source = '';
  #last: Position | null = null;
  #inDoubt = false;
  #sends = 0;

  constructor(
    host: Host,
    options: {
      readonly pins: Pins;
      readonly lookBack: boolean;
      readonly topicQueues: number;
      readonly store: () => Promise<void>;
    },
  ) {
    this.#host = host;
    this.#pins = new Map(options.pins);
    this.#lookBack = options.lookBack;
    this.#topicQueues = options.topicQueues;
    this.#store = options.store;
  }

  async begin({ shard, generation }: SliceIdentity): Promise<Json> {
    this.#source = `${shard}#${generation}`;
    if (!this.#lookBack || this.#pins.size === 0) return null;
    await this.#host.clock.sleep(SEND_LANDS_WITHIN_MS);
    const pinned = [...this.#pins.values()].flat();
    await Promise.all(pinned.map(async ({ queue, from }) => this.#lookBackIn(queue, from)));
    return null;
  }

  async put({ records }: PutBatch): Promise<PutResult> {
    for (const topic of new Set(records.map((record) => record.topic))) await this.#pin(topic);
    const nowMs = this.#host.clock.nowMs();
    const encode = (record: ConnectRecord) => outgoing(record, nowMs, this.#headersOf(record));
    const batches = byQueue(records, ({ topic }) => this.#queues(topic), { turn: 0, encode });
    const failures = await allEnded(batches.map((batch) => this.#send(records, batch)));
    this.#last = records.at(-1)?.position ?? this.#last;
    return { failures: failures.flat().sort((a, b) => a.index - b.index) };
  }

  async flush(): Promise<void> {
    // `send` resolves when the records are durable.
  }

  async close(): Promise<void> {
    // Nothing is kept open.
  }

  /** Whether the next holder need not look back: nothing is in flight, and nothing lies ahead of the last record. */
  isClean(): boolean {
    return !this.#inDoubt && [...this.#landed.values()].every(({ last }) => this.#isPast(last));
  }

  /** Whether a send goes on although nobody waits for its put any more. */
  isSending(): boolean {
    return this.#sends > 0;
  }

  /** What belongs beside a checkpoint that covers everything put so far. */
  settledPins(): Pins {
    for (const [topic, queues] of this.#pins)
      this.#pins.set(
        topic,
        queues.map((pinned) => this.#settle(pinned)),
      );
    return this.#pins;
  }

  /** What belongs beside the checkpoint that is stored already. */
  pins(): Pins {
    return this.#pins;
  }

  // -------------------------------------------------------------------------------------------------------------------

  #queues(topic: string): readonly MessageQueue[] {
    return (this.#pins.get(topic) ?? []).map(({ queue }) => queue);
  }

  /** Before a topic is written to: its list is the pinned one, or, where nothing is in doubt, the broker's, pinned first. */
  async #pin(topic: string): Promise<void> {
    if (this.#current.has(topic)) return;
    const pinned = this.#pins.get(topic);
    if (pinned === undefined || !this.#lookBack) {
      const queues = await queuesOf(this.#host, topic, this.#topicQueues);
      if (pinned === undefined || !sameQueues(queues, pinned)) {
        const bounds = await this.#host.broker.bounds(queues);
        this.#pins.set(
          topic,
          queues.map((queue, index) => ({ queue, from: bounds[index]?.max ?? (0n as Offset) })),
        );
        await this.#store();
      }
    }
    this.#current.add(topic);
  }

  async #send(records: readonly ConnectRecord[], batch: QueueBatch): Promise<PutFailure[]> {
    const { queue } = batch;
    const landed = this.#landed.get(queueKey(queue));
    const fresh = landed === undefined ? batch : withoutLanded(records, batch, landed.positions);
    if (fresh.records.length === 0) return [];
    this.#sends += 1;
    try {
      const { firstOffset, refused } = await this.#host.broker.send(queue, fresh.records);
      this.#sentEnd.set(queueKey(queue), advance(firstOffset, fresh.records.length - refused.length));
      return refused.map(({ index, error }) => ({ index: fresh.indexes[index] ?? 0, error }));
    } catch (error) {
      this.#inDoubt = true;
      throw error instanceof RetryableError ? new SliceBroken(error) : error;
    } finally {
      this.#sends -= 1;
    }
  }

  /** A queue's pin stays while it holds landed records that the source has not come to yet. */
  #settle({ queue, from }: PinnedQueue): PinnedQueue {
    const landed = this.#landed.get(queueKey(queue));
    if (landed !== undefined && !this.#isPast(landed.last)) return { queue, from };
    const sentEnd = this.#sentEnd.get(queueKey(queue)) ?? from;
    return { queue, from: maxOffset(maxOffset(from, landed?.end ?? from), sentEnd) };
  }

  #isPast(position: Position): boolean {
    return this.#last !== null && comparePositions(this.#last, position) >= 0;
  }

  async #lookBackIn(queue: MessageQueue, from: Offset): Promise<void> {
    const [bounds] = await this.#host.broker.bounds([queue]);
    if (bounds === null || bounds === undefined) return;
    const positions = new Set<string>();
    let last: Position | null = null;
    let at = maxOffset(from, bounds.min);
    // One read after the other: each begins where the last one ended. Ends at what was the end when it began.
    while (at < bounds.max) {
      const { records, next } = await this.#host.broker.read(queue, at, {
        records: LOOK_BACK_RECORDS,
        bytes: LOOK_BACK_BYTES,
        waitMs: 0,
      });
      if (next === at) break;
      for (const position of records.flatMap((record) => this.#ownPosition(record) ?? [])) {
        positions.add(formatPosition(position));
        last = later(last, position);
      }
      at = next;
    }
    if (last !== null) this.#landed.set(queueKey(queue), { positions, last, end: at });
  }

  #ownPosition({ headers }: LogRecord): readonly [Position] | undefined {
    const source = headers.findLast(([name]) => name === SOURCE_HEADER);
    const position = headers.findLast(([name]) => name === POSITION_HEADER);
    const parsed = position === undefined ? undefined : parsePosition(position[1]);
    return source?.[1] === this.#source && parsed !== undefined ? [parsed] : undefined;
  }

  #headersOf(record: ConnectRecord): LogHeaders {
    return [
      [SOURCE_HEADER, this.#source],
      [POSITION_HEADER, formatPosition(positionOf(record))],
    ];
  }
}

/** Rejects only when all have ended: a send that outlasts its slice could land after the next holder has looked back. */
async function allEnded<T>(sends: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(sends);
  return Promise.all(sends);
}

function later(known: Position | null, found: Position): Position {
  return known === null || comparePositions(found, known) > 0 ? found : known;
}

function positionOf({ position }: ConnectRecord): Position {
  if (position === null)
    throw new FatalTaskError('an exactly-once source polled a record without a position', { code: 'plugin.failed' });
  return position;
}

function withoutLanded(records: readonly ConnectRecord[], batch: QueueBatch, landed: ReadonlySet<string>): QueueBatch {
  const fresh = batch.indexes.map((index) => {
    const record = records[index];
    return record !== undefined && !landed.has(formatPosition(positionOf(record)));
  });
  return {
    queue: batch.queue,
    records: batch.records.filter((_, at) => fresh[at]),
    indexes: batch.indexes.filter((_, at) => fresh[at]),
  };
}

function sameQueues(queues: readonly MessageQueue[], pinned: readonly PinnedQueue[]): boolean {
  return (
    queues.length === pinned.length &&
    queues.every((queue, index) => queueKey(queue) === queueKey((pinned[index] as PinnedQueue).queue))
  );
}
