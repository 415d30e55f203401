/** The work of a sink's shard: slices and tails of one message queue. */
import { assert } from '../core/assert.ts';
import { type Claim, claim, claimTail, type LogClaimRequest, type LogSlice, type Refused } from '../core/cursor/claim.ts';
import { closeTail, commit, fail, type Progress, release } from '../core/cursor/commit.ts';
import { type LogCursor, watermark } from '../core/cursor/cursor.ts';
import { failShard, raiseGate, restart, skip, vanish } from '../core/cursor/steer.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import { FatalTaskError, FencedError, RetryableError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { type MessageQueue, queueKey } from '../core/message-queue.ts';
import { maxOffset, minOffset, type Offset, offset } from '../core/offset.ts';
import type { QueueBounds, ReadResult } from '../core/ports.ts';
import type { ConnectRecord } from '../core/record/connect-record.ts';
import type { SinkWriter } from '../plugins/api/sink.ts';
import { type ClaimTerms, logClaimRequest } from './claim-terms.ts';
import { type Deadline, TIMED_OUT, within } from './deadline.ts';
import {
  COMMIT_RESERVE_MS,
  claimMoment,
  GATE_CHECK_MS,
  type Invocation,
  mayGoOn,
  TAIL_COMMIT_MS,
  TAIL_IDLE_MS,
  TAIL_WAIT_MS,
  waitMaxMs,
  wantedGate,
} from './invocation.ts';
import { checkBounds, checkStoreTimes, type LogVerdict } from './log-check.ts';
import { type OpenedConnector, pluginContext } from './opened-connector.ts';
import { PaceMeter } from './pace-meter.ts';
import type { Station } from './sandbox.ts';
import { type Batch, type Failure, type Slice, SliceOver, type Work, withFailure } from './work.ts';

/** A place in the queue, and when the record before it was stored. */
interface Place {
  readonly at: Offset;
  readonly storedAtMs: number | null;
}

interface LogBatch extends Batch {
  readonly from: Offset;
  /** Behind the batch, and behind what a filter at the broker left out. */
  readonly upTo: Offset;
}

/** An invocation ends after so long, and the next one compares the log with the cursor again. Design, "logs born again". */
const LOG_CHECK_MS = 30_000;

export class LogWork implements Work {
  readonly #invocation: Invocation;
  readonly #shard: StoredCursor<LogCursor>;
  readonly #queue: MessageQueue;
  readonly #opened: OpenedConnector;
  readonly #terms: ClaimTerms;
  readonly #pace: PaceMeter;
  readonly #station: Station | undefined;
  /** When the log was compared with the cursor, monotonic. */
  #checkedAtMs = 0;

  deadline: Deadline;
  #slice: LogSlice | null = null;
  /** `null` for a tail. */
  #end: Offset | null = null;
  #max: Offset = offset(0);
  #read: Offset = offset(0);
  #delivered: Place = { at: offset(0), storedAtMs: null };
  #safe: Place = { at: offset(0), storedAtMs: null };
  #committed: Offset = offset(0);
  #committedAtMs = 0;
  #seenAtMs = 0;
  #idleSinceMs: number | null = null;
  #ahead: Promise<ReadResult | typeof TIMED_OUT> | null = null;

  constructor(
    invocation: Invocation,
    {
      shard,
      queue,
      opened,
      terms,
      station,
    }: {
      readonly shard: StoredCursor<LogCursor>;
      readonly queue: MessageQueue;
      readonly opened: OpenedConnector;
      readonly terms: ClaimTerms;
      readonly station: Station | undefined;
    },
  ) {
    this.#invocation = invocation;
    this.#shard = shard;
    this.#queue = queue;
    this.#opened = opened;
    this.#terms = terms;
    this.#pace = new PaceMeter(invocation.host.clock);
    this.#station = station;
    this.deadline = invocation.platform;
  }

  async openWriter(): Promise<SinkWriter> {
    if (this.#station?.writer) return this.#station.writer;
    const { sink } = this.#opened;
    assert(sink !== null, 'a log is read for a sink');
    return sink.open(pluginContext(this.#invocation.host, this.#invocation.connector.name, this.#shard.shard));
  }

  station(writer: SinkWriter | null): Station {
    return { writer, reader: null };
  }

  async claim(): Promise<Slice | Refused> {
    const bounds = await this.#checkLog();
    if (bounds !== null) this.#max = bounds.max;
    const { deadline, request } = this.#request();
    // A claim that lands later than this would be over before it began.
    this.deadline = deadline;
    const claimed = await this.#changeAndClaim((cursor) => raiseGate(cursor, wantedGate(this.#invocation)), request);
    return claimed.kind === 'refused' ? claimed : this.#start(claimed.slice, deadline);
  }

  resumeAt(position: Json): void {
    const held = offset(BigInt(String(position)));
    const at = this.#end === null ? held : minOffset(held, this.#end);
    if (at <= this.#safe.at) return;
    this.#read = at;
    this.#delivered = { at, storedAtMs: null };
    this.#safe = this.#delivered;
  }

  async next(): Promise<LogBatch | null> {
    if (this.#end === null ? this.#isCheckDue() : this.#read >= this.#end) return null;
    await this.#lookAtGate();
    const result = await (this.#ahead ?? this.#startRead());
    this.#ahead = null;
    if (result === TIMED_OUT) throw this.#outOfTime();
    this.#max = result.bounds.max;
    return result.records.length === 0 && result.next === this.#read ? this.#nothing(result.bounds) : await this.#batch(result);
  }

  positionBehind(batch: Batch, count: number): Json {
    return String(placeIn(batch as LogBatch, count).at);
  }

  delivered(batch: Batch, count: number): void {
    const { at, storedAtMs } = placeIn(batch as LogBatch, count);
    this.#delivered = { at, storedAtMs: storedAtMs ?? this.#delivered.storedAtMs };
    this.#pace.count(count, count === batch.records.length ? batch.bytes : 0);
  }

  flushed(): void {
    this.#safe = this.#delivered;
  }

  wantsCommit(): boolean {
    if (this.#end !== null || this.#delivered.at === this.#committed) return false;
    const { clock } = this.#invocation.host;
    return this.#idleSinceMs !== null || clock.monotonicMs() - this.#committedAtMs >= TAIL_COMMIT_MS;
  }

  async commit(): Promise<void> {
    const { deadline } = claimMoment(this.#invocation);
    const { epoch } = this.#mustHold();
    const progress = this.#progress();
    const cursor = await this.#change((current) => commit(current, progress, deadline.atMs));
    if (!cursor.open.some((range) => range.kind === 'held' && range.epoch === epoch))
      throw new FencedError(`epoch ${epoch} no longer holds this tail`);
    this.deadline = deadline;
    this.#noteCommit();
    if (!mayGoOn(this.#invocation, cursor.gate)) throw new SliceOver();
  }

  async commitAndClaim(): Promise<Slice | null> {
    // A tail has no end that a commit could reach: it stays held until it is given back.
    if (this.#end === null || this.#isCheckDue()) {
      await this.release();
      return null;
    }
    const progress = this.#progress();
    const { deadline, request } = this.#request();
    const claimed = await this.#changeAndClaim((cursor) => commit(cursor, progress, deadline.atMs), request);
    this.#slice = null;
    return claimed.kind === 'refused' ? null : this.#start(claimed.slice, deadline);
  }

  async release(): Promise<void> {
    const progress = this.#progress();
    const readEnd = this.#read;
    await this.#change((cursor) => release(cursor, progress, readEnd));
    this.#slice = null;
  }

  async fail(failure: Failure): Promise<void> {
    const { code: error, retryAtMs } = failure;
    const progress = this.#progress();
    const readEnd = this.#read;
    await this.#change((cursor) => withFailure(cursor, fail(cursor, progress, { readEnd, error, retryAtMs }), failure));
    this.#slice = null;
  }

  attempts(): number {
    return this.#slice === null || this.#safe.at > this.#slice.start ? 0 : this.#slice.attempts;
  }

  isDrained(): boolean {
    return watermark(this.#shard.cursor) >= this.#max;
  }

  describe({ log }: ConnectRecord): string {
    return log === null ? '' : `${queueKey(log.queue)}@${log.offset}`;
  }

  // -------------------------------------------------------------------------------------------------------------------

  #start(slice: LogSlice, deadline: Deadline): Slice {
    const now = this.#invocation.host.clock.monotonicMs();
    this.#slice = slice;
    this.deadline = deadline;
    this.#end = slice.end;
    this.#read = slice.start;
    this.#delivered = { at: slice.start, storedAtMs: null };
    this.#safe = this.#delivered;
    this.#committed = slice.start;
    this.#committedAtMs = now;
    this.#seenAtMs = now;
    this.#idleSinceMs = null;
    this.#ahead = null;
    this.#pace.restart();
    return {
      identity: { shard: this.#shard.shard, generation: slice.generation, epoch: slice.epoch },
      deaths: slice.deaths,
      attempts: slice.attempts,
      isSingle: slice.end !== null && slice.end - slice.start === 1n,
    };
  }

  #request(): { readonly deadline: Deadline; readonly request: LogClaimRequest } {
    const { deadline, moment } = claimMoment(this.#invocation);
    return {
      deadline,
      request: logClaimRequest(moment, this.#terms, { records: this.#invocation.offer.slice.records, max: this.#max }),
    };
  }

  /** Both steps in one write; where the claim is refused, the change before it still lands. */
  async #changeAndClaim(change: (cursor: LogCursor) => LogCursor, request: LogClaimRequest): Promise<Claim<LogCursor, LogSlice>> {
    const take = this.#invocation.offer.mode === 'tail' ? claimTail : claim;
    let claimed: Claim<LogCursor, LogSlice> | undefined;
    await this.#change((cursor) => {
      const changed = change(cursor);
      claimed = take(changed, request);
      return claimed.kind === 'claimed' ? claimed.cursor : changed;
    });
    return claimed as Claim<LogCursor, LogSlice>;
  }

  #change(transition: (cursor: LogCursor) => LogCursor): Promise<LogCursor> {
    return this.#shard.change(transition, { forMs: this.deadline.remainingMs() });
  }

  #progress(): Progress {
    const { epoch, generation } = this.#mustHold();
    const pace = this.#pace.measure(this.#shard.cursor.pace);
    return { epoch, generation, from: this.#committed, upTo: this.#safe.at, storedAtMs: this.#safe.storedAtMs, pace };
  }

  #mustHold(): LogSlice {
    if (this.#slice === null) throw new FencedError('no slice is held');
    return this.#slice;
  }

  #noteCommit(): void {
    this.#committed = this.#safe.at;
    this.#committedAtMs = this.#invocation.host.clock.monotonicMs();
    this.#seenAtMs = this.#committedAtMs;
    this.#pace.restart();
  }

  async #batch(result: ReadResult): Promise<LogBatch> {
    this.#idleSinceMs = null;
    const end = this.#end;
    const from = this.#read;
    const taken = end === null || result.next <= end ? result.records : result.records.filter((record) => record.offset < end);
    const upTo = end === null ? result.next : minOffset(result.next, end);
    this.#read = upTo;
    await this.#closeLongTail();
    if (this.#end === null ? upTo < this.#max : upTo < this.#end) this.#ahead = this.#startRead();
    let bytes = 0;
    const records: ConnectRecord[] = [];
    for (const record of taken) {
      bytes += record.value?.length ?? 0;
      records.push(this.#opened.pipeline.fromLog(record));
    }
    this.#invocation.tally.counts.read += records.length;
    return { records, bytes, isIdle: false, from, upTo };
  }

  /** A tail that fell behind by more than a slice becomes one, so that others can claim behind it. */
  async #closeLongTail(): Promise<void> {
    if (this.#end !== null || this.#max - this.#read <= BigInt(this.#invocation.offer.slice.records)) return;
    const { epoch, generation } = this.#mustHold();
    const end = this.#read;
    await this.#change((cursor) => closeTail(cursor, { epoch, generation, end }));
    this.#end = end;
  }

  /** An empty answer: the end of a tail, or a log that is not what it was when the slice was claimed. */
  #nothing({ min, max }: QueueBounds): LogBatch | null {
    if (this.#read < min || this.#end !== null || this.#read > max) {
      throw new SliceOver();
    }
    const nowMs = this.#invocation.host.clock.monotonicMs();
    this.#idleSinceMs ??= nowMs;
    if (nowMs - this.#idleSinceMs >= TAIL_IDLE_MS) return null;
    return { records: [], bytes: 0, isIdle: true, from: this.#read, upTo: this.#read };
  }

  #startRead(): Promise<ReadResult | typeof TIMED_OUT> {
    const { host, offer } = this.#invocation;
    const from = this.#read;
    const left = this.#end === null ? Number.POSITIVE_INFINITY : Number(this.#end - from);
    const records = Math.min(this.#opened.config.runtime['consumer.override.max.poll.records'], left);
    const waitMs = this.#end === null ? Math.min(TAIL_WAIT_MS, waitMaxMs(host.clock, this.#seenAtMs)) : 0;
    const limits = { records, bytes: offer.slice.bytes, waitMs };
    const read = within(host.clock, this.deadline.remainingMs() - COMMIT_RESERVE_MS, (signal) =>
      host.broker.read(this.#queue, from, limits, signal),
    ).catch(overWhereMissing);
    // A read ahead may fail after its slice has ended: then nobody awaits it, and nothing is lost.
    read.catch(() => undefined);
    return read;
  }

  /** The end of a slice that got somewhere; of one that did not, a broker that is unwell. */
  #outOfTime(): Error {
    if (this.#delivered.at > this.#mustHold().start) return new SliceOver();
    return new RetryableError('the broker did not answer within the claim', { code: 'broker.unavailable' });
  }

  #isCheckDue(): boolean {
    return this.#invocation.host.clock.monotonicMs() - this.#checkedAtMs >= LOG_CHECK_MS;
  }

  async #lookAtGate(): Promise<void> {
    const { clock } = this.#invocation.host;
    if (clock.monotonicMs() - this.#seenAtMs < GATE_CHECK_MS) return;
    const { gate } = await this.#shard.refresh();
    this.#seenAtMs = clock.monotonicMs();
    if (!mayGoOn(this.#invocation, gate)) throw new SliceOver();
  }

  /** `null` when the queue does not exist. */
  async #checkLog(): Promise<QueueBounds | null> {
    const { broker, clock, settings } = this.#invocation.host;
    const [bounds] = await broker.bounds([this.#queue]);
    if (bounds === null || bounds === undefined) {
      await this.#change(vanish);
      return null;
    }
    if (this.#shard.cursor.status.state === 'gone') await this.#change(restart);
    const { cursor } = this.#shard;
    await this.#judge(cursor, checkBounds(cursor, bounds));
    await this.#judge(cursor, await checkStoreTimes(broker, this.#queue, { cursor, bounds, skewMaxMs: settings.skewMaxMs }));
    this.#checkedAtMs = clock.monotonicMs();
    return bounds;
  }

  /** Applies a verdict to the cursor it was made on: after a reset it means nothing. */
  async #judge(judged: LogCursor, verdict: LogVerdict): Promise<void> {
    const skips = this.#opened.config.runtime['log.gap.policy'] === 'skip';
    if (verdict.kind === 'intact' || isKnown(judged, verdict, skips)) return;
    const { telemetry } = this.#invocation.host;
    const position = `${queueKey(this.#queue)}@${watermark(judged)}`;
    await this.#change((cursor) => {
      if (cursor.generation !== judged.generation) return cursor;
      if (verdict.kind === 'truncated') return failShard(cursor, { code: 'shard.log_truncated', retryAtMs: null });
      if (watermark(cursor) >= verdict.to) return cursor;
      return skips ? skip(cursor, verdict.to) : failShard(cursor, { code: 'shard.log_gap', retryAtMs: null });
    });
    const message =
      verdict.kind === 'truncated' ? verdict.message : `retention removed records up to ${verdict.to} before they were read`;
    telemetry.log('error', message, { connector: this.#invocation.connector.name, shard: this.#shard.shard, position });
  }
}

/** Whether the shard has failed for this already. A shard that failed for something else may restart by itself, so it is judged. */
function isKnown({ status }: LogCursor, verdict: LogVerdict, skips: boolean): boolean {
  if (status.state !== 'failed') return false;
  return status.code === 'shard.log_truncated' || (status.code === 'shard.log_gap' && verdict.kind === 'gap' && !skips);
}

/** A queue that vanished ends the slice; the next claim looks at what became of it. */
function overWhereMissing(error: unknown): never {
  throw error instanceof FatalTaskError && error.code === 'broker.topic_missing' ? new SliceOver() : error;
}

function placeIn(batch: LogBatch, count: number): Place {
  if (count === batch.records.length) {
    return { at: batch.upTo, storedAtMs: batch.records.at(-1)?.log?.storedAtMs ?? null };
  }
  const refused = batch.records[count]?.log;
  const before = batch.records[count - 1]?.log;
  return { at: maxOffset(refused?.offset ?? batch.from, batch.from), storedAtMs: before?.storedAtMs ?? null };
}
