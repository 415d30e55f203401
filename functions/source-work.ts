/** The work of a source's shard: stretches of what its plugin polls, resumed from a checkpoint. */
import { type CheckpointSlice, type Claim, claimCheckpoint, type Refused } from '../core/cursor/claim.ts';
import { type CheckpointProgress, commitCheckpoint, failCheckpoint, releaseCheckpoint } from '../core/cursor/commit.ts';
import type { CheckpointCursor } from '../core/cursor/cursor.ts';
import { readSourceCheckpoint } from '../core/cursor/source-checkpoint.ts';
import { finish, raiseGate } from '../core/cursor/steer.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import { FencedError, RetryableError } from '../core/errors.ts';
import { type Json, jsonEquals } from '../core/json.ts';
import { ConnectRecord, type Header } from '../core/record/connect-record.ts';
import { formatPosition } from '../core/record/position.ts';
import type { SinkWriter } from '../plugins/api/sink.ts';
import type { PolledRecord, PollResult } from '../plugins/api/source.ts';
import type { ClaimTerms } from './claim-terms.ts';
import { type Deadline, TIMED_OUT } from './deadline.ts';
import { ExactlyOnceWriter } from './exactly-once-writer.ts';
import { GateWatch } from './gate-watch.ts';
import { COMMIT_RESERVE_MS, claimMoment, type Invocation, TAIL_COMMIT_MS, TAIL_IDLE_MS, wantedGate } from './invocation.ts';
import { LogWriter } from './log-writer.ts';
import { pluginContext } from './open-connector.ts';
import type { OpenedConnector, OpenedSource } from './opened-connector.ts';
import { PaceMeter } from './pace-meter.ts';
import { decodePins, encodePins } from './pins.ts';
import type { Station } from './sandbox.ts';
import { SourcePoller } from './source-poller.ts';
import { type Batch, type Failure, type Slice, SliceOver, type Work, withFailure } from './work.ts';

interface PolledBatch extends Batch {
  readonly result: PollResult;
}

const NO_HEADERS: readonly Header[] = [];

export class SourceWork implements Work {
  readonly #invocation: Invocation;
  readonly #shard: StoredCursor<CheckpointCursor>;
  readonly #opened: OpenedConnector;
  readonly #source: OpenedSource;
  readonly #terms: ClaimTerms;
  readonly #station: Station | undefined;
  readonly #pace: PaceMeter;
  readonly #gate: GateWatch;
  readonly #poller: SourcePoller;

  deadline: Deadline;
  #slice: CheckpointSlice | null = null;
  #writer: ExactlyOnceWriter | null = null;
  #delivered: Json = null;
  #safe: Json = null;
  #safePollAtMs = 0;
  #records = 0;
  #committedAtMs = 0;
  #idleSinceMs: number | null = null;
  #idleForMs: number | null = null;
  #finished = false;
  #uncommitted = false;

  constructor(
    invocation: Invocation,
    parts: {
      readonly shard: StoredCursor<CheckpointCursor>;
      readonly opened: OpenedConnector;
      readonly source: OpenedSource;
      readonly terms: ClaimTerms;
      readonly station: Station | undefined;
    },
  ) {
    this.#invocation = invocation;
    this.#shard = parts.shard;
    this.#opened = parts.opened;
    this.#source = parts.source;
    this.#terms = parts.terms;
    this.#station = parts.station;
    this.#pace = new PaceMeter(invocation.host.clock);
    this.#gate = new GateWatch(invocation, parts.shard);
    const { shard } = parts.shard;
    this.#poller = new SourcePoller(invocation, {
      shard,
      source: parts.source,
      gate: this.#gate,
      kept: parts.station?.reader ?? null,
    });
    this.deadline = invocation.platform;
  }

  async claim(): Promise<Slice | Refused> {
    const { deadline, moment } = claimMoment(this.#invocation);
    const request = { ...moment, graceMs: this.#terms.graceMs, ended: this.#terms.ended };
    // A claim that lands later than this would be over before it began.
    this.deadline = deadline;
    let claimed: Claim<CheckpointCursor, CheckpointSlice> | undefined;
    await this.#change((cursor) => {
      const gated = raiseGate(cursor, wantedGate(this.#invocation));
      claimed = claimCheckpoint(gated, request);
      return claimed.kind === 'claimed' ? claimed.cursor : gated;
    });
    const answer = claimed as Claim<CheckpointCursor, CheckpointSlice>;
    return answer.kind === 'refused' ? answer : this.#start(answer.slice, deadline);
  }

  async openWriter(): Promise<SinkWriter> {
    const { host, connector } = this.#invocation;
    const { sink, config } = this.#opened;
    if (sink !== null) return this.#station?.writer ?? sink.open(pluginContext(host, connector.name, this.#shard.shard));
    const topicQueues = config.runtime['topic.creation.default.partitions'];
    if (!this.#source.exactlyOnce) return new LogWriter(host, { topicQueues });
    const { checkpoint, clean } = this.#mustHold();
    const pins = decodePins(readSourceCheckpoint(checkpoint).q ?? {});
    this.#writer = new ExactlyOnceWriter(host, { pins, lookBack: !clean, topicQueues, store: () => this.#storePins() });
    return this.#writer;
  }

  station(writer: SinkWriter | null): Station {
    return { writer: this.#opened.sink === null ? null : writer, reader: this.#poller.placedReader() };
  }

  /** A transactional target stores the plugin's checkpoint; what it holds is never behind what is committed here. */
  resumeAt(position: Json): void {
    this.#poller.startAt(position);
    this.#delivered = position;
    this.#safe = position;
    this.#uncommitted = !jsonEquals(position, readSourceCheckpoint(this.#mustHold().checkpoint).p);
  }

  async next(): Promise<PolledBatch | null> {
    const { offer, tally } = this.#invocation;
    if (this.isAtEnd()) return null;
    // The batch before came with a wish to be left alone, which only a tail waits for.
    if (this.#idleForMs !== null && offer.mode !== 'tail') return null;
    await this.#gate.look();
    const result = await this.#poller.next(this.#pollLimits());
    if (result === TIMED_OUT) throw this.#outOfTime();
    this.#finished = result.finished === true;
    this.#idleForMs = result.idleForMs ?? null;
    this.#records += result.records.length;
    tally.counts.read += result.records.length;
    const records = result.records.map(toRecord);
    const isIdle = records.length === 0 && jsonEquals(result.checkpoint, this.#delivered);
    if (records.length > 0) this.#idleSinceMs = null;
    else if (!this.#finished && this.#idleForMs !== null && !(await this.#waitsOn())) {
      // Even without records the checkpoint may have moved on.
      this.delivered({ records, bytes: 0, isIdle, result } as PolledBatch, 0);
      return null;
    }
    if (!this.#finished && this.#idleForMs === null && this.#records < offer.slice.records)
      this.#poller.pollAhead(this.#pollLimits());
    return { records, bytes: 0, isIdle, result };
  }

  positionBehind(batch: Batch, count: number): Json | undefined {
    return count === batch.records.length ? (batch as PolledBatch).result.checkpoint : undefined;
  }

  delivered(batch: Batch, count: number): void {
    this.#pace.count(count, batch.bytes);
    // Between two checkpoints there is no place to resume from.
    if (count < batch.records.length) return;
    this.#delivered = (batch as PolledBatch).result.checkpoint;
    if (!batch.isIdle) this.#uncommitted = true;
  }

  flushed(): void {
    this.#safe = this.#delivered;
    this.#safePollAtMs = this.#idleForMs === null ? 0 : this.#invocation.host.clock.nowMs() + this.#idleForMs;
  }

  wantsCommit(): boolean {
    if (this.#invocation.offer.mode !== 'tail' || !this.#uncommitted) return false;
    return this.#idleSinceMs !== null || this.#invocation.host.clock.monotonicMs() - this.#committedAtMs >= TAIL_COMMIT_MS;
  }

  async commit(): Promise<void> {
    await this.#commit();
    this.#gate.demandOpen();
  }

  async #commit(): Promise<void> {
    const { deadline } = claimMoment(this.#invocation);
    const progress = this.#progress({ settled: true });
    const cursor = await this.#change((current) => commitCheckpoint(current, progress, deadline.atMs));
    if (cursor.holder === null) throw new FencedError(`epoch ${progress.epoch} has ended`);
    this.deadline = deadline;
    this.#noteCommit();
  }

  /** Keeps its epoch: nobody else may claim between two stretches of one source. */
  async commitAndClaim(): Promise<Slice | null> {
    if (this.#finished || this.#idleForMs !== null) {
      await this.release();
      return null;
    }
    await this.#commit();
    if (!this.#gate.isOpen()) {
      await this.release();
      return null;
    }
    this.#records = 0;
    return this.#sliceInHand();
  }

  async release(): Promise<void> {
    const progress = this.#progress({ settled: true });
    const ending = { clean: this.#writer?.isClean() ?? true, pollAtMs: this.#safePollAtMs };
    const finished = this.#finished && this.#safe === this.#poller.at;
    // A poll that found nothing more succeeded all the same: earlier failures are over.
    const drained = this.isDrained();
    await this.#change((cursor) => {
      const left = releaseCheckpoint(cursor, progress, ending);
      const released = drained && left.attempts > 0 ? { ...left, attempts: 0 } : left;
      return finished ? finish(released) : released;
    });
    this.#slice = null;
  }

  async fail(failure: Failure): Promise<void> {
    // A send that outlasts its put could land behind the next holder's look-back, so nobody gets this claim before it runs out.
    if (this.#writer?.isSending() === true) return;
    const { code: error, retryAtMs } = failure;
    const progress = this.#progress({ settled: false });
    await this.#change((cursor) => withFailure(cursor, failCheckpoint(cursor, progress, { error, retryAtMs }), failure));
    this.#slice = null;
  }

  attempts(): number {
    return this.#slice === null || !jsonEquals(this.#safe, readSourceCheckpoint(this.#slice.checkpoint).p)
      ? 0
      : this.#slice.attempts;
  }

  isAtEnd(): boolean {
    return this.#finished || this.#records >= this.#invocation.offer.slice.records;
  }

  isDrained(): boolean {
    return this.#finished || this.#idleForMs !== null;
  }

  describe({ position }: ConnectRecord): string {
    return position === null ? JSON.stringify(this.#delivered) : formatPosition(position);
  }

  // -------------------------------------------------------------------------------------------------------------------

  #start(slice: CheckpointSlice, deadline: Deadline): Slice {
    const { p } = readSourceCheckpoint(slice.checkpoint);
    const now = this.#invocation.host.clock.monotonicMs();
    this.#slice = slice;
    this.deadline = deadline;
    this.#poller.startAt(p);
    this.#delivered = p;
    this.#safe = p;
    this.#committedAtMs = now;
    this.#gate.noteSeen();
    this.#pace.restart();
    return this.#sliceInHand();
  }

  #sliceInHand(): Slice {
    const { generation, epoch, deaths, attempts } = this.#mustHold();
    return { identity: { shard: this.#shard.shard, generation, epoch }, deaths, attempts, isSingle: false };
  }

  #mustHold(): CheckpointSlice {
    if (this.#slice === null) throw new FencedError('no slice is held');
    return this.#slice;
  }

  #change(transition: (cursor: CheckpointCursor) => CheckpointCursor): Promise<CheckpointCursor> {
    return this.#shard.change(transition, { forMs: this.deadline.remainingMs() });
  }

  /** `settled`: the pins move up to what was sent; otherwise they stay where the stored checkpoint needs them. */
  #progress({ settled }: { readonly settled: boolean }): CheckpointProgress {
    const { epoch, generation } = this.#mustHold();
    const writer = this.#writer;
    const q = writer === null ? {} : { q: encodePins(settled ? writer.settledPins() : writer.pins()) };
    return { epoch, generation, checkpoint: { p: this.#safe, ...q }, pace: this.#pace.measure(this.#shard.cursor.pace) };
  }

  async #storePins(): Promise<void> {
    const progress = this.#progress({ settled: false });
    const { deadline } = claimMoment(this.#invocation);
    await this.#change((cursor) => commitCheckpoint(cursor, progress, deadline.atMs));
    this.deadline = deadline;
  }

  #noteCommit(): void {
    const now = this.#invocation.host.clock.monotonicMs();
    this.#committedAtMs = now;
    this.#gate.noteSeen();
    this.#uncommitted = false;
    this.#pace.restart();
  }

  /** What a poll may still bring into this slice. */
  #pollLimits(): { readonly records: number; readonly forMs: number } {
    const left = this.#invocation.offer.slice.records - this.#records;
    const records = Math.min(this.#opened.config.runtime['consumer.override.max.poll.records'], left);
    return { records, forMs: this.deadline.remainingMs() - COMMIT_RESERVE_MS };
  }

  /** The end of a slice that got somewhere; of one that did not, a source that is unwell. */
  #outOfTime(): Error {
    if (!jsonEquals(this.#delivered, readSourceCheckpoint(this.#mustHold().checkpoint).p)) return new SliceOver();
    return new RetryableError('the source did not answer within the claim', { code: 'source.unavailable' });
  }

  /** Whether a tail goes on although nothing came: until it was idle for too long. Waits as the source asked. */
  async #waitsOn(): Promise<boolean> {
    const { clock } = this.#invocation.host;
    if (this.#invocation.offer.mode !== 'tail') return false;
    const nowMs = clock.monotonicMs();
    this.#idleSinceMs ??= nowMs;
    const leftMs = this.#idleSinceMs + TAIL_IDLE_MS - nowMs;
    if (leftMs <= 0 || (this.#idleForMs ?? 0) > leftMs) return false;
    await clock.sleep(Math.min(this.#idleForMs ?? 0, this.#gate.waitMaxMs()));
    return true;
  }
}

function toRecord(polled: PolledRecord): ConnectRecord {
  const { topic, key, value, timestampMs } = polled;
  return new ConnectRecord({
    log: null,
    position: polled.position ?? null,
    topic,
    key,
    value,
    timestampMs,
    tag: polled.tag ?? null,
    headers: polled.headers ?? NO_HEADERS,
  });
}
