/** The work of a source's shard: stretches of what its plugin polls, resumed from a checkpoint. */
import type { CheckpointSlice, Refused } from '../core/cursor/claim.ts';
import { type CheckpointProgress, commitCheckpoint, releaseCheckpoint } from '../core/cursor/commit.ts';
import type { CheckpointCursor } from '../core/cursor/cursor.ts';
import { readSourceCheckpoint } from '../core/cursor/source-checkpoint.ts';
import { finish } from '../core/cursor/steer.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import { FencedError, RetryableError } from '../core/errors.ts';
import { type Json, jsonEquals } from '../core/json.ts';
import { nextSliceRecords } from '../core/planner/slice-size.ts';
import type { ConnectRecord } from '../core/record/connect-record.ts';
import { formatPosition } from '../core/record/position.ts';
import type { SinkWriter } from '../plugins/api/sink.ts';
import type { ConfiguredSource } from '../plugins/configure.ts';
import { claimByCheckpoint, demandAlive, failByCheckpoint } from './checkpoint-claim.ts';
import type { ClaimTerms } from './claim-terms.ts';
import type { CommitMeter } from './commit-meter.ts';
import { type Deadline, TIMED_OUT } from './deadline.ts';
import { ExactlyOnceWriter } from './exactly-once-writer.ts';
import { GateWatch } from './gate-watch.ts';
import { COMMIT_RESERVE_MS, claimDeadline, claimMoment, type Invocation, TAIL_COMMIT_MS } from './invocation.ts';
import { LogWriter } from './log-writer.ts';
import { pluginContext } from './open-connector.ts';
import type { OpenedConnector } from './opened-connector.ts';
import { PaceMeter } from './pace-meter.ts';
import { decodePins, demandKeepable, encodePins, NO_PINS, type Pins } from './pins.ts';
import type { Polled } from './prepare-poll.ts';
import type { Station } from './sandbox.ts';
import { SourcePause } from './source-pause.ts';
import { SourcePoller } from './source-poller.ts';
import { SourceProgress } from './source-progress.ts';
import { type Batch, type Failure, type Slice, SliceOver, type Work } from './work.ts';

/** As a poll of Kafka Connect's file source, and about one of Debezium's: of fewer, what goes to one of many queues is a small send. */
const POLL_RECORDS = 2_000;

interface PolledBatch extends Batch {
  readonly result: Polled;
}

export class SourceWork implements Work {
  readonly #invocation: Invocation;
  readonly #shard: StoredCursor<CheckpointCursor>;
  readonly #opened: OpenedConnector;
  readonly #source: ConfiguredSource;
  readonly #terms: ClaimTerms;
  readonly #station: Station | undefined;
  readonly #pace: PaceMeter;
  readonly #gate: GateWatch;
  readonly #pause: SourcePause;
  readonly #poller: SourcePoller;
  readonly #progress = new SourceProgress();

  deadline: Deadline;
  #slice: CheckpointSlice | null = null;
  #writer: ExactlyOnceWriter | null = null;
  #renewal: Promise<void> | null = null;
  #safePollAtMs = 0;
  #sliceRecords: number;
  /** Whether the last batch that brought anything only moved the checkpoint. */
  #isBare = false;
  #records = 0;
  #bytes = 0;
  #committedAtMs = 0;
  /** Whether the last poll was the last of all. */
  #finished = false;

  constructor(
    invocation: Invocation,
    parts: {
      readonly shard: StoredCursor<CheckpointCursor>;
      readonly opened: OpenedConnector;
      readonly source: ConfiguredSource;
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
    this.#pause = new SourcePause(invocation, this.#gate);
    const { shard } = parts.shard;
    this.#poller = new SourcePoller(invocation, {
      shard,
      source: parts.source,
      gate: this.#gate,
      kept: parts.station?.reader ?? null,
      pipeline: parts.opened.pipeline,
    });
    this.#sliceRecords = invocation.offer.slice.records;
    this.deadline = invocation.platform;
  }

  async claim(): Promise<Slice | Refused> {
    const { deadline, moment } = claimMoment(this.#invocation);
    const forMs = deadline.remainingMs();
    const claimed = await claimByCheckpoint(this.#invocation, this.#shard, { moment, terms: this.#terms, forMs });
    return claimed.kind === 'refused' ? claimed : this.#start(claimed.slice, deadline);
  }

  async openWriter(): Promise<SinkWriter> {
    const { host, connector } = this.#invocation;
    const { sink, config } = this.#opened;
    demandAlive(this.#mustHold());
    if (sink !== null) return this.#station?.writer ?? sink.open(pluginContext(host, connector, this.#shard.shard));
    const topicQueues = config.runtime['topic.creation.default.partitions'];
    if (!this.#source.exactlyOnce) return new LogWriter(host, { topicQueues });
    const { checkpoint, clean } = this.#mustHold();
    this.#writer = new ExactlyOnceWriter(host, {
      // Left behind by a version that kept them beyond a clean end, they would say nothing.
      pins: clean ? NO_PINS : decodePins(readSourceCheckpoint(checkpoint).q ?? {}),
      lookBack: !clean,
      topicQueues,
      store: (pins) => this.#storePins(pins),
      renew: () => this.#renew(),
      maySend: () => this.#slice !== null && this.deadline.remainingMs() > 0,
    });
    return this.#writer;
  }

  station(writer: SinkWriter | null): Station {
    // One that was kept may not have been asked for.
    return {
      writer: this.#opened.sink === null ? null : (writer ?? this.#station?.writer ?? null),
      reader: this.#poller.placedReader(),
    };
  }

  /** A transactional target stores the plugin's checkpoint; what it holds is never behind what is committed here. */
  async resumeAt(position: Json): Promise<void> {
    this.#poller.startAt(position);
    this.#progress.resumeAt(position);
  }

  async next(): Promise<PolledBatch | null> {
    if (this.isAtEnd()) return null;
    // The batch before came with a wish to be left alone, which only a tail waits for.
    if (!(await this.#pause.wait(() => this.#readForMs()))) return null;
    await this.#gate.look({ forMs: this.#readForMs() });
    const prepared = await this.#poller.next(this.#pollLimits());
    if (prepared === TIMED_OUT) throw this.#outOfTime();
    const { result, records, bytes, processed } = prepared;
    this.#finished = result.finished === true;
    this.#pause.note(prepared);
    this.#records += records.length;
    this.#bytes += bytes;
    this.#invocation.tally.noteBatch(records.length);
    // Even without records the checkpoint may have moved on; then a transactional target must hear of it, too (I3).
    const isIdle = records.length === 0 && jsonEquals(result.checkpoint, this.#progress.delivered);
    return { records, bytes, isIdle, processed: () => processed, result };
  }

  readAhead(): void {
    if (!this.isAtEnd() && this.#pause.forMs === null) this.#poller.pollAhead(this.#pollLimits());
  }

  positionBehind(batch: Batch, count: number): Json | undefined {
    return count === batch.records.length ? (batch as PolledBatch).result.checkpoint : undefined;
  }

  delivered(batch: Batch, count: number): void {
    // Between two checkpoints there is no place to resume from.
    if (count < batch.records.length) return;
    this.#pace.count(count, batch.bytes);
    this.#commits.delivered(count);
    this.#progress.deliver((batch as PolledBatch).result, batch);
    this.#writer?.cover();
    if (!batch.isIdle) this.#isBare = batch.records.length === 0;
  }

  flushed(): void {
    this.#progress.flush();
    this.#commits.flushed();
    const { forMs } = this.#pause;
    this.#safePollAtMs = forMs === null ? 0 : this.#invocation.host.clock.nowMs() + forMs;
  }

  /**
   * Whatever moves a checkpoint without records, before anything that comes behind it is sent: a successor that went on from somewhere
   * else would leave out what lies between, behind what was sent already.
   */
  wantsCommitBefore({ records }: Batch): boolean {
    return this.#isBare && records.length > 0 && this.#progress.isUncommitted;
  }

  wantsCommit(): boolean {
    if (!this.#progress.isUncommitted) return false;
    if (this.#writer?.wantsRoom() === true) return true;
    // Where it begins, at once: a successor would begin later.
    if (this.#isBare && !this.#progress.hasBegun) return true;
    // Where invocations die before the end of a slice, each gets somewhere all the same.
    if (this.#mustHold().deaths > 0) return true;
    if (this.#invocation.offer.mode !== 'tail') return false;
    return this.#pause.isIdle || this.#invocation.host.clock.monotonicMs() - this.#committedAtMs >= TAIL_COMMIT_MS;
  }

  async commit(): Promise<void> {
    await this.#commit();
    this.#gate.demandOpen();
  }

  async #commit(): Promise<void> {
    const deadline = claimDeadline(this.#invocation);
    const progress = this.#committable(this.#writer?.settledPins());
    const cursor = await this.#commits.commit(() =>
      this.#change((current) => commitCheckpoint(current, progress, deadline.atMs)),
    );
    if (cursor.holder === null) throw new FencedError(`epoch ${progress.epoch} has ended`);
    this.deadline = deadline;
    this.#noteCommit();
  }

  /** Keeps its epoch: nobody else may claim between two stretches of one source. */
  async commitAndClaim(): Promise<Slice | null> {
    if (this.isDrained()) {
      await this.release();
      return null;
    }
    await this.#commit();
    if (!this.#gate.isOpen()) {
      await this.release();
      return null;
    }
    this.#records = 0;
    this.#bytes = 0;
    this.#sliceRecords = nextSliceRecords(this.#invocation.offer.slice, this.#shard.cursor.pace);
    return this.#sliceInHand();
  }

  async release(): Promise<void> {
    const { pins, clean } = this.#leftBehind();
    const progress = this.#committable(pins);
    const ending = { clean, pollAtMs: this.#safePollAtMs };
    const finished = this.#progress.isFinishSafe;
    // A poll that found nothing more succeeded all the same: earlier failures are over.
    const drained = this.isDrained();
    const released = (cursor: CheckpointCursor): CheckpointCursor => {
      const left = releaseCheckpoint(cursor, progress, ending);
      const cleared = drained && left.attempts > 0 ? { ...left, attempts: 0 } : left;
      return finished ? finish(cleared) : cleared;
    };
    await this.#commits.commit(() => this.#change(released));
    this.#slice = null;
  }

  async fail(failure: Failure): Promise<void> {
    // A send that outlasts its put could land behind the next holder's look-back, so nobody claims before this claim would run out.
    const quietAtMs = this.#writer?.isSending() === true ? this.deadline.atMs + this.#terms.graceMs : 0;
    const retryAtMs = Math.max(failure.retryAtMs, quietAtMs);
    const progress = this.#committable(this.#writer?.pins());
    const failed = { progress, failure: { ...failure, retryAtMs }, forMs: this.deadline.remainingMs() };
    await this.#commits.commit(() => failByCheckpoint(this.#shard, failed));
    this.#slice = null;
  }

  lookAtGate(): Promise<void> {
    return this.#gate.look({ forMs: this.#readForMs() });
  }

  hasProgress(): boolean {
    return this.#slice !== null && this.#progress.isSafeAhead();
  }

  attempts(): number {
    return this.#slice === null || this.hasProgress() ? 0 : this.#slice.attempts;
  }

  isLast(): boolean {
    return this.isDrained();
  }

  isAtEnd(): boolean {
    return this.#finished || this.#records >= this.#sliceRecords || this.#bytes >= this.#invocation.offer.slice.bytes;
  }

  isDrained(): boolean {
    return this.#finished || this.#pause.forMs !== null;
  }

  describe({ position }: ConnectRecord): string {
    return position === null ? JSON.stringify(this.#progress.delivered) : formatPosition(position);
  }

  // -------------------------------------------------------------------------------------------------------------------

  #start(slice: CheckpointSlice, deadline: Deadline): Slice {
    const { p } = readSourceCheckpoint(slice.checkpoint);
    const now = this.#invocation.host.clock.monotonicMs();
    this.#slice = slice;
    this.deadline = deadline;
    this.#poller.startAt(p);
    this.#progress.startAt(p);
    this.#committedAtMs = now;
    this.#gate.noteSeen();
    this.#pace.restart();
    return this.#sliceInHand();
  }

  #sliceInHand(): Slice {
    const { generation, epoch, deaths, attempts } = this.#mustHold();
    return { identity: { shard: this.#shard.shard, generation, epoch }, deaths, attempts, isSingle: false };
  }

  get #commits(): CommitMeter {
    return this.#invocation.tally.commits;
  }

  #mustHold(): CheckpointSlice {
    if (this.#slice === null) throw new FencedError('no slice is held');
    return this.#slice;
  }

  #change(transition: (cursor: CheckpointCursor) => CheckpointCursor): Promise<CheckpointCursor> {
    return this.#shard.change(transition, { forMs: this.deadline.remainingMs() });
  }

  /** Without `pins`, those that were found stay: no writer has looked at them. */
  #committable(pins?: Pins): CheckpointProgress {
    const { epoch, generation, checkpoint } = this.#mustHold();
    const q = pins === undefined ? readSourceCheckpoint(checkpoint).q : encodePins(pins);
    const stored = q === undefined || pins?.size === 0 ? { p: this.#progress.safe } : { p: this.#progress.safe, q };
    return { epoch, generation, checkpoint: stored, pace: this.#pace.measure(this.#shard.cursor.pace) };
  }

  /** At an end as it should be. What is put but not flushed keeps the pins below it. */
  #leftBehind(): { readonly pins: Pins; readonly clean: boolean } {
    const writer = this.#writer;
    if (writer === null) return { pins: NO_PINS, clean: true };
    const { isFlushed } = this.#progress;
    if (isFlushed && writer.isClean()) return { pins: NO_PINS, clean: true };
    return { pins: isFlushed ? writer.settledPins() : writer.pins(), clean: false };
  }

  async #storePins(pins: Pins): Promise<void> {
    demandKeepable(pins);
    const progress = this.#committable(pins);
    const deadline = claimDeadline(this.#invocation);
    await this.#change((cursor) => commitCheckpoint(cursor, progress, deadline.atMs));
    this.deadline = deadline;
    // Nothing is sent behind a pause that the cursor shows by now (I9).
    this.#gate.noteSeen();
    this.#gate.demandOpen();
  }

  /** Once a second, as a look at the gate is due: one commit for all queues that are looked back in side by side. */
  async #renew(): Promise<void> {
    if (this.#gate.waitMaxMs() > 0) return;
    this.#renewal ??= this.commit().finally(() => {
      this.#renewal = null;
    });
    await this.#renewal;
  }

  #noteCommit(): void {
    const now = this.#invocation.host.clock.monotonicMs();
    this.#committedAtMs = now;
    this.#gate.noteSeen();
    this.#progress.commit();
    this.#pace.restart();
  }

  /** What a poll may still bring into this slice. */
  #pollLimits(): { readonly records: number; readonly forMs: number } {
    const left = this.#sliceRecords - this.#records;
    const records = Math.min(this.#opened.config.runtime['consumer.override.max.poll.records'] ?? POLL_RECORDS, left);
    return { records, forMs: this.#readForMs() };
  }

  #readForMs(): number {
    return this.deadline.remainingMs() - COMMIT_RESERVE_MS;
  }

  /** The end of a slice that got somewhere; of one that did not, a source that is unwell. */
  #outOfTime(): Error {
    if (this.#progress.hasDelivered()) return new SliceOver();
    return new RetryableError('the source did not answer within the claim', { code: 'source.unavailable' });
  }
}
