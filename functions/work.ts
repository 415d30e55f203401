/**
 * One shard's work as the spine sees it, the same for a log and for a source: claim a slice, hand out its batches, take note of
 * what is delivered, commit.
 *
 * Three places move forward one behind the other: read, delivered (`put` has taken it), safe (flushed). Only what is safe is
 * ever committed (I1).
 */
import type { Refused } from '../core/cursor/claim.ts';
import type { Cursor } from '../core/cursor/cursor.ts';
import { failShard } from '../core/cursor/steer.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import type { RetryableError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { ConnectRecord } from '../core/record/connect-record.ts';
import type { SinkWriter, SliceIdentity } from '../plugins/api/sink.ts';
import type { Deadline } from './deadline.ts';
import type { Processed, Refusal } from './pipeline.ts';
import type { Station } from './sandbox.ts';

export interface Batch {
  readonly records: readonly ConnectRecord[];
  readonly bytes: number;
  /** Nothing came, and the shard stands where it stood: there is nothing to deliver, not even a position. */
  readonly isIdle: boolean;
  /** What the pipeline makes of it. */
  processed(): Processed;
}

/** What the spine must know of the slice in hand. */
export interface Slice {
  readonly identity: SliceIdentity;
  /** Invocations that died on this very range. */
  readonly deaths: number;
  readonly attempts: number;
  /** One record, of which all invocations died. */
  readonly isSingle: boolean;
}

/** How a slice ends without being finished. `restartAtMs` absent: the shard itself goes on. */
export interface Failure {
  readonly code: ErrorCode;
  readonly retryAtMs: number;
  readonly shardFails: boolean;
  /** Of the configuration the slice worked with. */
  readonly revision: number;
  readonly restartAtMs: number | null;
}

/**
 * What `failed` makes of the cursor, and FAILED where the shard itself fails. A write that was only recognised, its reply
 * having been lost, must not fail what was restarted since (I2). Nor is it the old configuration's to say so where an operator
 * has changed it meanwhile, perhaps for this very reason: the next claim tries with the new one.
 */
export function withFailure<C extends Cursor>(cursor: C, failed: C, { code, shardFails, revision, restartAtMs }: Failure): C {
  const fails = shardFails && failed !== cursor && failed.gate.revision === revision;
  return fails ? failShard(failed, { code, retryAtMs: restartAtMs }) : failed;
}

export interface Work {
  readonly deadline: Deadline;
  /** For the slice in hand, after a claim. A writer that was kept warm, or a new one. */
  openWriter(): Promise<SinkWriter>;
  /** The first claim. Heals a gate that an operator left behind, and checks the log. */
  claim(): Promise<Slice | Refused>;
  /** Where a transactional target says the slice goes on. */
  resumeAt(position: Json): Promise<void>;
  /** `null`: the slice is at its end, or nothing more comes for now. */
  next(): Promise<Batch | null>;
  /**
   * The batch in hand is on its way: what the next one takes of this thread's time, the pipeline's included, is begun now, and runs
   * while the target works. What another process answers was asked for by `next` already.
   */
  readAhead(): void;
  /** What a transactional target stores when the first `count` records of the batch are in; `undefined`: nothing can resume there. */
  positionBehind(batch: Batch, count: number): Json | undefined;
  /** The first `count` records of the batch are delivered. May be said several times of one batch, each time of more. */
  delivered(batch: Batch, count: number): void;
  /** Everything delivered is durable. */
  flushed(): void;
  /** Whether what is delivered must be committed before the batch is delivered. */
  wantsCommitBefore(batch: Batch): boolean;
  /** Whether what is delivered is worth a commit in the middle of the slice. */
  wantsCommit(): boolean;
  /** Commits and keeps the slice. */
  commit(): Promise<void>;
  /** Commits, and claims what comes next in the same write; `null` when there is nothing, or the gate is closed. */
  commitAndClaim(): Promise<Slice | null>;
  /** Commits, and gives back what is left. */
  release(): Promise<void>;
  fail(failure: Failure): Promise<void>;
  /** To be called after a wait. @throws {SliceOver} when the gate was closed meanwhile (I9). */
  lookAtGate(): Promise<void>;
  /** Whether anything became safe since the claim. */
  hasProgress(): boolean;
  /** Failures of this range in a row, without progress in between. */
  attempts(): number;
  /** Whether no slice follows the one in hand, as far as is known. */
  isLast(): boolean;
  /** Whether all of the slice was handed out. */
  isAtEnd(): boolean;
  /** Whether nothing was left to do when the slice ended. */
  isDrained(): boolean;
  /** What may be kept warm after a clean end. */
  station(writer: SinkWriter | null): Station;
  /** Text of a record's place, for errors and history. */
  describe(record: ConnectRecord): string;
}

/**
 * Thrown to leave a slice early: its time is over, its gate closed, its log moved. Not an error, unless nothing was done since the
 * claim and nobody wanted it to end: begun anew at once, it would end alike for ever, and nobody hear of it (I10).
 */
export class SliceOver extends Error {
  override readonly name = 'SliceOver';
  /** What a slice that got nowhere fails with; `null` where it was told to end. */
  readonly otherwise: RetryableError | null;

  constructor(otherwise: RetryableError | null = null) {
    super();
    this.otherwise = otherwise;
  }
}

/** A refused record that `errors.tolerance=none` does not let pass: the shard fails at its place. */
export class RecordRefused extends Error {
  override readonly name = 'RecordRefused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.error.message, { cause: refusal.error });
    this.refusal = refusal;
  }
}

/** Nothing more can be tried in this slice: the outcome of a write is unknown, or its writer may still be busy. */
export class SliceBroken extends Error {
  override readonly name = 'SliceBroken';
  override readonly cause: RetryableError;

  constructor(cause: RetryableError) {
    super(cause.message, { cause });
    this.cause = cause;
  }
}
