/** Reads one slice of a message queue, one batch ahead of its delivery. */
import { FatalTaskError, RetryableError } from '../core/errors.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import { advance, minOffset, type Offset, offset } from '../core/offset.ts';
import type { CancelSignal, QueueBounds, ReadResult, RecordFilter } from '../core/ports.ts';
import type { LogRecord } from '../core/record/connect-record.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { GateWatch } from './gate-watch.ts';
import type { Host } from './host.ts';
import { TAIL_IDLE_MS, TAIL_WAIT_MS } from './invocation.ts';
import { SliceOver } from './work.ts';

/** `[from, upTo)` of the queue. A filter may leave out records between, and behind the last. */
export interface Stretch {
  readonly records: readonly LogRecord[];
  readonly from: Offset;
  readonly upTo: Offset;
  /** When the record before `upTo` was stored, where a filter left it out; `null` where that is not known, or is the last of `records`. */
  readonly storedAtMs: number | null;
}

/** A place in the queue, and when the record before it was stored. */
export interface Place {
  readonly at: Offset;
  readonly storedAtMs: number | null;
}

export interface ReadBounds {
  readonly records: number;
  readonly bytes: number;
}

interface Reading {
  readonly result: Promise<ReadResult | typeof TIMED_OUT>;
  readonly abort: AbortController;
}

/** The record right before a place: enough to tell when it was stored. */
const LAST_ONE = { records: 1, bytes: 1, waitMs: 0 };

/** What a tail sees of the log but does not get: by then it is no record that came a moment ago. */
const UNREAD_MAX_MS = TAIL_IDLE_MS + 2 * TAIL_WAIT_MS;

export class LogReader {
  readonly #host: Host;
  readonly #queue: MessageQueue;
  readonly #bounds: ReadBounds;
  readonly #gate: GateWatch;
  readonly #filter: RecordFilter | null;
  /** Where to read on. */
  #at: Offset = offset(0);
  /** `null` for a tail. */
  #end: Offset | null = null;
  #max: Offset = offset(0);
  #idleSinceMs: number | null = null;
  #ahead: Reading | null = null;

  constructor(
    host: Host,
    {
      queue,
      bounds,
      gate,
      filter,
    }: {
      readonly queue: MessageQueue;
      readonly bounds: ReadBounds;
      readonly gate: GateWatch;
      readonly filter: RecordFilter | null;
    },
  ) {
    this.#host = host;
    this.#queue = queue;
    this.#bounds = bounds;
    this.#gate = gate;
    this.#filter = filter;
  }

  start({ start, end }: { readonly start: Offset; readonly end: Offset | null }): void {
    this.#at = start;
    this.#end = end;
    this.#idleSinceMs = null;
    this.stop();
  }

  /** The slice is over: nobody waits any more for what is read ahead. */
  stop(): void {
    // With a reason, for without one an exception with a stack is made each time.
    this.#ahead?.abort.abort(TIMED_OUT);
    this.#ahead = null;
  }

  get at(): Offset {
    return this.#at;
  }

  /** The end of the log, as last seen. */
  get max(): Offset {
    return this.#max;
  }

  get isTail(): boolean {
    return this.#end === null;
  }

  get isIdle(): boolean {
    return this.#idleSinceMs !== null;
  }

  noteMax(max: Offset): void {
    this.#max = max;
  }

  /**
   * Goes on behind what the target holds already, at most to the slice's end. When the last of that was stored is asked of the log:
   * a commit without it would leave a watermark whose records are newer than any that is known to be finished.
   */
  async skipTo(position: Offset, forMs: number): Promise<Place | typeof TIMED_OUT> {
    const at = this.#end === null ? position : minOffset(position, this.#end);
    const storedAtMs = await this.#storedBefore(at, forMs);
    if (storedAtMs === TIMED_OUT) return TIMED_OUT;
    this.#at = at;
    return { at, storedAtMs };
  }

  /** A tail that is bounded from now on: it ends with what it has read. */
  close(): void {
    this.#end = this.#at;
  }

  isAtEnd(): boolean {
    return this.#end !== null && this.#at >= this.#end;
  }

  /**
   * The next stretch, an empty one while a tail waits, `null` at the end of a slice and of a tail's patience.
   *
   * @throws {SliceOver} when the log is not what it was when the slice was claimed, or gives nothing of what it says it has.
   */
  async next(forMs: number): Promise<Stretch | typeof TIMED_OUT | null> {
    if (this.isAtEnd()) return null;
    const untilMs = this.#host.clock.monotonicMs() + forMs;
    const { result: reading } = this.#ahead ?? this.#read(forMs);
    const result = await reading;
    this.#ahead = null;
    if (result === TIMED_OUT) return TIMED_OUT;
    this.#max = result.bounds.max;
    if (result.records.length === 0 && result.next === this.#at) return this.#nothing(result.bounds);
    const stretch = this.#taken(result);
    if (this.#filter === null || stretch.records.at(-1)?.offset === advance(stretch.upTo, -1)) return stretch;
    const storedAtMs = await this.#storedBefore(stretch.upTo, untilMs - this.#host.clock.monotonicMs());
    return storedAtMs === TIMED_OUT ? TIMED_OUT : { ...stretch, storedAtMs };
  }

  /** Begins the next read, so that it runs while what was read is delivered. */
  readAhead(forMs: number): void {
    if (this.#end === null ? this.#at < this.#max : this.#at < this.#end) this.#ahead = this.#read(forMs);
  }

  #taken(result: ReadResult): Stretch {
    this.#idleSinceMs = null;
    const end = this.#end;
    const from = this.#at;
    const isBeyond = end !== null && result.next > end;
    const records = isBeyond ? result.records.filter((record) => record.offset < end) : result.records;
    this.#at = isBeyond ? end : result.next;
    return { records, from, upTo: this.#at, storedAtMs: null };
  }

  #nothing({ min, max }: QueueBounds): Stretch | null {
    if (this.#at < min || this.#end !== null || this.#at > max) throw this.#overWithNothing(`${min} to ${max}`);
    const nowMs = this.#host.clock.monotonicMs();
    this.#idleSinceMs ??= nowMs;
    if (this.#at >= max && nowMs - this.#idleSinceMs >= TAIL_IDLE_MS) return null;
    if (nowMs - this.#idleSinceMs >= UNREAD_MAX_MS) throw this.#overWithNothing(`${min} to ${max}`);
    return { records: [], from: this.#at, upTo: this.#at, storedAtMs: null };
  }

  /** `null`: the record before is gone. */
  async #storedBefore(at: Offset, forMs: number): Promise<number | typeof TIMED_OUT | null> {
    const read = (): Promise<ReadResult> => this.#host.broker.read(this.#queue, advance(at, -1), LAST_ONE);
    const result = await within(this.#host.clock, forMs, read).catch(overWhereMissing);
    if (result === TIMED_OUT) return TIMED_OUT;
    const [last] = result.records;
    return last !== undefined && last.offset < at ? last.storedAtMs : null;
  }

  /** Mostly a log that moved, which the next claim finds out; or a broker whose answers do not go together. */
  #overWithNothing(holds: string): SliceOver {
    const { topic, queueId } = this.#queue;
    const message = `nothing was read at ${this.#at} of queue ${queueId} of ${topic}, which holds ${holds}`;
    return new SliceOver(new RetryableError(message, { code: 'broker.unavailable' }));
  }

  #read(forMs: number): Reading {
    const from = this.#at;
    const left = this.#end === null ? Number.POSITIVE_INFINITY : Number(this.#end - from);
    const waitMs = this.#end === null ? Math.min(TAIL_WAIT_MS, this.#gate.waitMaxMs()) : 0;
    const filter = this.#filter === null ? {} : { filter: this.#filter };
    const limits = { records: Math.min(this.#bounds.records, left), bytes: this.#bounds.bytes, waitMs, ...filter };
    const abort = new AbortController();
    const read = (signal: CancelSignal): Promise<ReadResult> => this.#host.broker.read(this.#queue, from, limits, signal);
    const result = within(this.#host.clock, forMs, read, abort).catch(overWhereMissing);
    // A read ahead may fail after its slice has ended: then nobody awaits it, and nothing is lost.
    result.catch(() => undefined);
    return { result, abort };
  }
}

/** A queue that vanished ends the slice; the next claim looks at what became of it. */
function overWhereMissing(error: unknown): never {
  if (!(error instanceof FatalTaskError) || error.code !== 'broker.topic_missing') throw error;
  throw new SliceOver(new RetryableError(error.message, { code: error.code, cause: error }));
}
