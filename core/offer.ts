/** What passes between the scheduler, an invoker and an invocation. All of it is JSON. */
import type { ErrorCode } from './error-codes.ts';
import type { Stage } from './errors.ts';
import type { Measure } from './measure.ts';
import type { ShardId } from './shard-id.ts';

/** A holder whose end an invoker has seen: a thread's or process's exit, the platform's answer; never a lost connection. */
export interface EndedHolder {
  readonly owner: string;
  readonly epoch: number;
  /** What it ran in is gone, too: what it had begun and not awaited, such as a send, is over a second later at most. */
  readonly isGone: boolean;
}

/** Of one slice. */
export interface SliceBounds {
  readonly records: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Nobody has measured the shard's pace: `records` is for the first slice, and what that measures for those behind it. */
  readonly isUnpaced?: true;
}

/**
 * "This shard deserves an invocation." Reserves nothing: the invocation claims for itself, so an offer that is lost,
 * delayed, doubled or stale does no harm.
 */
export interface Offer {
  readonly id: string;
  readonly connector: string;
  readonly uid: string;
  readonly shard: ShardId;
  /** A bounded slice, or a tail that follows the end of the log. Sources follow when asked for a tail. */
  readonly mode: 'slice' | 'tail';
  readonly slice: SliceBounds;
  /** How long the invocation may go on claiming slices, in ms from its start; 0: one slice. */
  readonly quantumMs: number;
  readonly ended: readonly EndedHolder[];
  /** Whether another shard of the connector committed lately: tells a deadly record from a deadly environment. */
  readonly peersCommit: boolean;
}

/** How a slice ended. */
export type Outcome = 'drained' | 'yielded' | 'fenced' | 'failed';

/** Kafka Connect's task error and record counters, for one invocation. */
export interface RunCounts {
  readonly slices: number;
  readonly read: number;
  readonly filtered: number;
  readonly delivered: number;
  /** Durably dead-lettered. */
  readonly deadLettered: number;
  /** Dropped by `errors.tolerance=all` without a dead-letter queue. */
  readonly dropped: number;
  /** Sent to the dead-letter queue, alone or with others, and not acknowledged. */
  readonly deadLettersFailed: number;
  /** Of which the log was told, one by one. */
  readonly errorsLogged: number;
  /** Removed by retention before they were read. */
  readonly skipped: number;
  /** Older than what a versioned target holds. */
  readonly stale: number;
  readonly retries: number;
  /** Puts that the target turned away for being too many, or did not answer in time: it can bear no more. */
  readonly throttled: number;
  /** Commits of delivered records: those that landed, those that came too late for their epoch, those the store did not take. */
  readonly commits: number;
  readonly commitsFenced: number;
  readonly commitsFailed: number;
  /** Of the cursor, and of the connector's document. */
  readonly storeReads: number;
  readonly storeWrites: number;
  readonly conflicts: number;
}

/** Of an invocation that has done nothing yet. */
export const NO_COUNTS: RunCounts = {
  slices: 0,
  read: 0,
  filtered: 0,
  delivered: 0,
  deadLettered: 0,
  dropped: 0,
  deadLettersFailed: 0,
  errorsLogged: 0,
  skipped: 0,
  stale: 0,
  retries: 0,
  throttled: 0,
  commits: 0,
  commitsFenced: 0,
  commitsFailed: 0,
  storeReads: 0,
  storeWrites: 0,
  conflicts: 0,
};

/** What is measured once a batch or once a commit; absent where there was none. */
export interface RunMeasures {
  /** Of batches, as they were read or polled. */
  readonly batchRecords?: Measure;
  /** Read or polled, and not yet committed: after each batch. */
  readonly activeRecords?: Measure;
  /** Of a source's polls that brought records. */
  readonly pollMs?: Measure;
  /** Of puts that were answered. */
  readonly putMs?: Measure;
  /** Of commits that landed, and how many records each of them covers. */
  readonly commitMs?: Measure;
  readonly commitRecords?: Measure;
}

export interface RunError {
  readonly code: ErrorCode;
  readonly stage: Stage;
  readonly message: string;
  /** `topic/broker/queue@offset`, or a source's position. */
  readonly position?: string;
}

/** One invocation in history. */
export interface RunRecord {
  readonly offerId: string;
  readonly owner: string;
  readonly connector: string;
  readonly shard: ShardId;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** `null` when there was nothing to claim; `refusal` says why. */
  readonly outcome: Outcome | null;
  readonly refusal?: string;
  /** Of its last slice; absent where it began none. */
  readonly epoch?: number;
  readonly counts: RunCounts;
  /** Absent where nothing was measured. */
  readonly measures?: RunMeasures;
  /** How old the first record of a commit was when it was committed, for some of the commits; absent where there was none to tell. */
  readonly latenciesMs?: readonly number[];
  readonly error?: RunError;
}

/** What an invocation brings back. `cursor` is the stored document and its version, so that the scheduler need not read it. */
export interface InvocationResult {
  readonly run: RunRecord;
  readonly cursor: { readonly value: string; readonly version: string } | null;
  /** An empty outcome: offer again not before this moment (epoch ms); `null` when only a change of the cursor helps. */
  readonly notBeforeMs: number | null;
  /** Of the records it put, some of them where there are very many; absent for none. */
  readonly topics?: readonly string[];
}

/**
 * How an invocation ended as its invoker saw it. `died`: the end was seen, so what its `owner` held may be claimed at once
 * (`null`: which run of the offer it was is not known), `isGone`: with the thread or process it ran in;
 * `lost`: nothing is known (a lost connection), the deadline decides; `refused`: it never started (no slot, throttled),
 * `isForShard`: though there is room for other shards.
 */
export type InvocationEnd =
  | { readonly kind: 'completed'; readonly result: InvocationResult }
  | { readonly kind: 'died'; readonly owner: string | null; readonly isGone: boolean; readonly message: string }
  | { readonly kind: 'lost'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string; readonly isForShard?: true };
