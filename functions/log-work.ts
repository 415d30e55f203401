/** The work of a sink's shard: slices and tails of one message queue. */
import { assert } from '../core/assert.ts';
import { type Claim, claim, claimTail, type LogClaimRequest, type LogSlice, type Refused } from '../core/cursor/claim.ts';
import { closeTail, commit, fail, type Progress, release } from '../core/cursor/commit.ts';
import { type LogCursor, watermark } from '../core/cursor/cursor.ts';
import { noteFirstRecord } from '../core/cursor/first-record.ts';
import { raiseGate } from '../core/cursor/steer.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import { FencedError, RetryableError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { type MessageQueue, queueKey } from '../core/message-queue.ts';
import { maxOffset, type Offset, offset } from '../core/offset.ts';
import { nextSliceRecords } from '../core/planner/slice-size.ts';
import type { ConnectRecord, LogHeaders } from '../core/record/connect-record.ts';
import type { SinkWriter } from '../plugins/api/sink.ts';
import { type ClaimTerms, logClaimRequest } from './claim-terms.ts';
import type { CommitMeter } from './commit-meter.ts';
import { type Deadline, TIMED_OUT } from './deadline.ts';
import { GateWatch } from './gate-watch.ts';
import { inspectLog } from './inspect-log.ts';
import { COMMIT_RESERVE_MS, claimDeadline, claimMoment, type Invocation, TAIL_COMMIT_MS, wantedGate } from './invocation.ts';
import { LogReader, type Place, type Stretch } from './log-reader.ts';
import { pluginContext } from './open-connector.ts';
import type { OpenedConnector } from './opened-connector.ts';
import { PaceMeter } from './pace-meter.ts';
import type { Processed } from './pipeline.ts';
import type { Station } from './sandbox.ts';
import { type Batch, type Failure, type Slice, SliceOver, type Work, withFailure } from './work.ts';

interface LogBatch extends Batch {
  readonly stretch: Stretch;
}

/** As a Kafka consumer's poll. */
const BATCH_RECORDS = 500;

/** An invocation ends after so long, and the next one compares the log with the cursor again. */
const LOG_CHECK_MS = 30_000;

export class LogWork implements Work {
  readonly #invocation: Invocation;
  readonly #shard: StoredCursor<LogCursor>;
  readonly #queue: MessageQueue;
  readonly #opened: OpenedConnector;
  readonly #terms: ClaimTerms;
  readonly #pace: PaceMeter;
  readonly #station: Station | undefined;
  readonly #gate: GateWatch;
  readonly #reader: LogReader;
  /** When the log was compared with the cursor, monotonic. */
  #checkedAtMs = 0;

  deadline: Deadline;
  #slice: LogSlice | null = null;
  /** Of the next claim. */
  #sliceRecords: number;
  #delivered: Place = { at: offset(0), storedAtMs: null };
  #safe: Place = { at: offset(0), storedAtMs: null };
  /** Records of the batch in hand that were delivered before. */
  #counted: { readonly batch: Batch; readonly count: number } | null = null;
  #committed: Offset = offset(0);
  #committedAtMs = 0;

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
    this.#gate = new GateWatch(invocation, shard);
    const records = opened.config.runtime['consumer.override.max.poll.records'] ?? BATCH_RECORDS;
    this.#reader = new LogReader(invocation.host, {
      queue,
      bounds: { records, bytes: invocation.offer.slice.bytes },
      filter: opened.filter,
      gate: this.#gate,
    });
    this.#sliceRecords = invocation.offer.slice.records;
    this.deadline = invocation.platform;
  }

  async openWriter(): Promise<SinkWriter> {
    if (this.#station?.writer) return this.#station.writer;
    const { sink } = this.#opened;
    assert(sink !== null, 'a log is read for a sink');
    return sink.open(pluginContext(this.#invocation.host, this.#invocation.connector, this.#shard.shard));
  }

  station(writer: SinkWriter | null): Station {
    // One that was kept may not have been asked for.
    return { writer: writer ?? this.#station?.writer ?? null, reader: null };
  }

  async claim(): Promise<Slice | Refused> {
    const gapPolicy = this.#opened.config.runtime['log.gap.policy'];
    const inspection = await inspectLog({
      invocation: this.#invocation,
      shard: this.#shard,
      queue: this.#queue,
      gapPolicy,
      graceMs: this.#terms.graceMs,
    });
    this.#checkedAtMs = this.#invocation.host.clock.monotonicMs();
    if (inspection !== null) this.#reader.noteMax(inspection.bounds.max);
    if (typeof inspection?.skipsAtMs === 'number') return { kind: 'refused', reason: 'held', notBeforeMs: inspection.skipsAtMs };
    const { deadline, request } = this.#request();
    // A claim that lands later than this would be over before it began.
    this.deadline = deadline;
    const known = (cursor: LogCursor): LogCursor => (inspection === null ? cursor : noteFirstRecord(cursor, inspection));
    const claimed = await this.#changeAndClaim((cursor) => known(raiseGate(cursor, wantedGate(this.#invocation))), request);
    return claimed.kind === 'refused' ? claimed : this.#start(claimed.slice, deadline);
  }

  async resumeAt(position: Json): Promise<void> {
    const held = offset(BigInt(String(position)));
    if (held <= this.#safe.at) return;
    const place = await this.#reader.skipTo(held, this.#readForMs());
    if (place === TIMED_OUT) throw this.#outOfTime();
    this.#delivered = place;
    this.#safe = place;
  }

  async next(): Promise<LogBatch | null> {
    if (this.#reader.isTail && this.#isCheckDue()) return null;
    await this.#gate.look({ forMs: this.#readForMs() });
    const stretch = await this.#reader.next(this.#readForMs());
    if (stretch === null) return null;
    if (stretch === TIMED_OUT) throw this.#outOfTime();
    if (!this.#reader.isIdle) {
      await this.#knowLog(stretch);
      await this.#closeLongTail();
      this.#reader.readAhead(this.#readForMs());
    }
    return this.#batch(stretch);
  }

  readAhead(): void {
    // `next` asks the log.
  }

  positionBehind(batch: Batch, count: number): Json {
    return String(placeIn(batch as LogBatch, count).at);
  }

  delivered(batch: Batch, count: number): void {
    const { at, storedAtMs } = placeIn(batch as LogBatch, count);
    const offsets = Number(at - this.#delivered.at);
    this.#delivered = { at, storedAtMs: storedAtMs ?? this.#delivered.storedAtMs };
    // Those that a filter left out, too: slices are measured in offsets.
    if (offsets > 0) this.#pace.count(offsets, count === batch.records.length ? batch.bytes : 0);
    const counted = this.#counted?.batch === batch ? this.#counted.count : 0;
    this.#commits.delivered(count - counted);
    this.#counted = { batch, count };
  }

  flushed(): void {
    this.#safe = this.#delivered;
    this.#commits.flushed();
  }

  wantsCommitBefore(): boolean {
    return false;
  }

  wantsCommit(): boolean {
    if (!this.#reader.isTail || this.#delivered.at === this.#committed) return false;
    const { clock } = this.#invocation.host;
    return this.#reader.isIdle || clock.monotonicMs() - this.#committedAtMs >= TAIL_COMMIT_MS;
  }

  async commit(): Promise<void> {
    const deadline = claimDeadline(this.#invocation);
    const { epoch } = this.#mustHold();
    const progress = this.#progress();
    const cursor = await this.#commits.commit(() => this.#change((current) => commit(current, progress, deadline.atMs)));
    if (!cursor.open.some((range) => range.kind === 'held' && range.epoch === epoch))
      throw new FencedError(`epoch ${epoch} no longer holds this tail`);
    this.deadline = deadline;
    this.#noteCommit();
    this.#gate.demandOpen();
  }

  async commitAndClaim(): Promise<Slice | null> {
    // A tail has no end that a commit could reach: it stays held until it is given back.
    if (this.#reader.isTail || this.#isCheckDue()) {
      await this.release();
      return null;
    }
    const progress = this.#progress();
    this.#sliceRecords = nextSliceRecords(this.#invocation.offer.slice, progress.pace);
    const { deadline, request } = this.#request();
    const claimed = await this.#commits.commit(() =>
      this.#changeAndClaim((cursor) => commit(cursor, progress, deadline.atMs), request),
    );
    this.#slice = null;
    return claimed.kind === 'refused' ? null : this.#start(claimed.slice, deadline);
  }

  async release(): Promise<void> {
    const progress = this.#progress();
    const readEnd = this.#reader.at;
    this.#reader.stop();
    await this.#commits.commit(() => this.#change((cursor) => release(cursor, progress, readEnd)));
    this.#slice = null;
  }

  async fail(failure: Failure): Promise<void> {
    const { code: error, retryAtMs } = failure;
    const progress = this.#progress();
    const readEnd = this.#reader.at;
    this.#reader.stop();
    const failed = (cursor: LogCursor): LogCursor =>
      withFailure(cursor, fail(cursor, progress, { readEnd, error, retryAtMs }), failure);
    await this.#commits.commit(() => this.#change(failed));
    this.#slice = null;
  }

  lookAtGate(): Promise<void> {
    return this.#gate.look({ forMs: this.#readForMs() });
  }

  hasProgress(): boolean {
    return this.#slice !== null && this.#safe.at > this.#slice.start;
  }

  attempts(): number {
    return this.#slice === null || this.hasProgress() ? 0 : this.#slice.attempts;
  }

  isLast(): boolean {
    return this.#reader.isTail || this.#isCheckDue() || this.#reader.at >= this.#reader.max;
  }

  isAtEnd(): boolean {
    return this.#reader.isAtEnd();
  }

  isDrained(): boolean {
    return watermark(this.#shard.cursor) >= this.#reader.max;
  }

  describe({ log }: ConnectRecord): string {
    return log === null ? '' : `${queueKey(log.queue)}@${log.offset}`;
  }

  // -------------------------------------------------------------------------------------------------------------------

  #start(slice: LogSlice, deadline: Deadline): Slice {
    const now = this.#invocation.host.clock.monotonicMs();
    this.#slice = slice;
    this.deadline = deadline;
    this.#reader.start(slice);
    this.#delivered = { at: slice.start, storedAtMs: null };
    this.#safe = this.#delivered;
    this.#committed = slice.start;
    this.#committedAtMs = now;
    this.#gate.noteSeen();
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
      request: logClaimRequest(moment, this.#terms, { records: this.#sliceRecords, max: this.#reader.max }),
    };
  }

  /** Both steps in one write; where the claim is refused, the change before it still lands. */
  async #changeAndClaim(change: (cursor: LogCursor) => LogCursor, request: LogClaimRequest): Promise<Claim<LogCursor, LogSlice>> {
    const { mode, slice } = this.#invocation.offer;
    let claimed: Claim<LogCursor, LogSlice> | undefined;
    await this.#change((cursor) => {
      const changed = change(cursor);
      // A tail would be closed at once where more than a slice waits, with a write of its own.
      const follows = mode === 'tail' && request.max - changed.next <= BigInt(slice.records);
      claimed = follows ? claimTail(changed, request) : claim(changed, request);
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

  get #commits(): CommitMeter {
    return this.#invocation.tally.commits;
  }

  #mustHold(): LogSlice {
    if (this.#slice === null) throw new FencedError('no slice is held');
    return this.#slice;
  }

  #noteCommit(): void {
    this.#committed = this.#safe.at;
    this.#committedAtMs = this.#invocation.host.clock.monotonicMs();
    this.#gate.noteSeen();
    this.#pace.restart();
  }

  #batch(stretch: Stretch): LogBatch {
    let bytes = 0;
    const records: ConnectRecord[] = [];
    for (const record of stretch.records) {
      bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
      // Most records have none: they are spared the call.
      if (record.headers.length > 0) bytes += headerBytes(record.headers);
      records.push(this.#opened.pipeline.fromLog(record));
    }
    this.#invocation.tally.noteBatch(records.length);
    const processed = (): Processed => this.#opened.pipeline.apply(records);
    return { records, bytes, isIdle: this.#reader.isIdle, processed, stretch };
  }

  /** A tail that fell behind by more than a slice becomes one, so that others can claim behind it. */
  async #closeLongTail(): Promise<void> {
    const { isTail, max, at } = this.#reader;
    if (!isTail || max - at <= BigInt(this.#invocation.offer.slice.records)) return;
    const { epoch, generation } = this.#mustHold();
    await this.#change((cursor) => closeTail(cursor, { epoch, generation, end: at }));
    this.#reader.close();
    this.#demandOpen();
  }

  /** The first records of a log that was empty when it was inspected: nothing of them is delivered before the cursor knows one. */
  async #knowLog({ records: [first] }: Stretch): Promise<void> {
    if (first === undefined || this.#shard.cursor.firstRecord !== null) return;
    const firstRecord = { at: first.offset, storedAtMs: first.storedAtMs };
    const { generation } = this.#mustHold();
    await this.#change((cursor) => noteFirstRecord(cursor, { generation, firstRecord }));
    this.#demandOpen();
  }

  /** After a write that the store may have answered late, and with a gate that was closed meanwhile (I9). */
  #demandOpen(): void {
    this.#gate.noteSeen();
    this.#gate.demandOpen();
  }

  #readForMs(): number {
    return this.deadline.remainingMs() - COMMIT_RESERVE_MS;
  }

  /** The end of a slice that got somewhere; of one that did not, a broker that is unwell. */
  #outOfTime(): Error {
    if (this.#delivered.at > this.#mustHold().start) return new SliceOver();
    return new RetryableError('the broker did not answer within the claim', { code: 'broker.unavailable' });
  }

  #isCheckDue(): boolean {
    return this.#invocation.host.clock.monotonicMs() - this.#checkedAtMs >= LOG_CHECK_MS;
  }
}

/** About: a character counts as one byte. */
function headerBytes(headers: LogHeaders): number {
  return headers.reduce((bytes, [name, value]) => bytes + name.length + value.length, 0);
}

function placeIn(batch: LogBatch, count: number): Place {
  if (count === batch.records.length) {
    const { upTo, storedAtMs } = batch.stretch;
    return { at: upTo, storedAtMs: storedAtMs ?? batch.records.at(-1)?.log?.storedAtMs ?? null };
  }
  const refused = batch.records[count]?.log;
  const before = batch.records[count - 1]?.log;
  return { at: maxOffset(refused?.offset ?? batch.stretch.from, batch.stretch.from), storedAtMs: before?.storedAtMs ?? null };
}
