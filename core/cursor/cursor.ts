/**
 * The cursor: the one stored document per shard that says what is finished, what is claimed and what comes next.
 *
 * A finished range is one below `next` that meets nothing in `open`: there are no done flags. Whatever is left undone stays
 * in `open`, without a holder. The watermark is computed, never stored.
 *
 * Cursors change only by the pure transitions of this folder, stored by one conditional write each.
 */

import { assert } from '../assert.ts';
import type { ErrorCode } from '../error-codes.ts';
import type { Json } from '../json.ts';
import type { Offset } from '../offset.ts';

/** What operators closed or opened, with the connector's revision that said so. Functions claim only through an open gate. */
export interface Gate {
  readonly state: 'running' | 'paused' | 'stopped' | 'deleted';
  readonly revision: number;
}

/**
 * `active`: claims are possible. `failed`: waits for an operator, or for `retryAtMs`. `gone`: the queue vanished.
 * `done`: a finite shard has ended; only a reset leaves it.
 *
 * `restarts` counts automatic restarts since the last progress.
 */
export type Status =
  | { readonly state: 'active'; readonly restarts: number }
  | { readonly state: 'failed'; readonly code: ErrorCode; readonly retryAtMs: number | null; readonly restarts: number }
  | { readonly state: 'gone'; readonly restarts: number }
  | { readonly state: 'done' };

export const ACTIVE: Status = { state: 'active', restarts: 0 };

/** Only a reset leaves a truncated log: what `next` points at is not what was read before. */
export function isTruncated(status: Status): boolean {
  return status.state === 'failed' && status.code === 'shard.log_truncated';
}

/** Who holds a slice, and until when (wall clock, epoch ms) nobody else may take it. */
export interface Holder {
  /** The offer's id, `/`, random per run of an entry, `.`, a counter per claim. */
  readonly owner: string;
  readonly deadlineAtMs: number;
}

/** Smoothed cost of a record, for sizing slices. */
export interface Pace {
  readonly usPerRecord: number;
  readonly bytesPerRecord: number;
}

/** Invocations that died, and failures reported, since this range last made progress. */
interface Troubles {
  readonly deaths: number;
  readonly attempts: number;
}

/** A claimed range. `end: null` is a tail: it owns everything from `start` on, and `next` moves with its start. */
export interface HeldRange extends Troubles {
  readonly kind: 'held';
  readonly start: Offset;
  readonly end: Offset | null;
  readonly epoch: number;
  readonly holder: Holder;
}

/** A range given back or failed. */
export interface FreeRange extends Troubles {
  readonly kind: 'free';
  readonly start: Offset;
  readonly end: Offset;
  /** Not to be claimed before; 0 when it may be claimed at once. */
  readonly retryAtMs: number;
  readonly error: ErrorCode | null;
}

export type OpenRange = HeldRange | FreeRange;

/** The lowest record that a log held when it was looked at. */
export interface FirstRecord {
  readonly at: Offset;
  readonly storedAtMs: number;
}

/** Records that retention removed before they were read (I10). */
export interface Gaps {
  readonly count: number;
  readonly records: bigint;
  /** The latest one. */
  readonly start: Offset;
  readonly end: Offset;
}

export interface LogCursor {
  readonly kind: 'log';
  readonly generation: number;
  readonly gate: Gate;
  readonly status: Status;
  /** First offset not yet claimed. */
  readonly next: Offset;
  /** Last epoch given out. */
  readonly epoch: number;
  /** Ascending, disjoint (I4), below `next`. */
  readonly open: readonly OpenRange[];
  readonly pace: Pace | null;
  /** Store time of the newest record that is finished; tells a log that was created anew. */
  readonly lastStoredAtMs: number | null;
  /** As this generation found the log before it delivered anything: tells the same when nothing is finished yet. */
  readonly firstRecord: FirstRecord | null;
  readonly gaps: Gaps | null;
}

export interface CheckpointCursor {
  readonly kind: 'checkpoint';
  readonly generation: number;
  readonly gate: Gate;
  readonly status: Status;
  readonly checkpoint: Json;
  /** Whether the last holder left with nothing in flight: then no look-back is needed. The next one finds it so until it leaves. */
  readonly clean: boolean;
  readonly epoch: number;
  readonly attempts: number;
  readonly deaths: number;
  readonly holder: Holder | null;
  /** Not to be claimed before; 0 when it may be claimed at once. */
  readonly retryAtMs: number;
  readonly error: ErrorCode | null;
  /** When the source wants to be polled again. Advice for the planner: a claim does not look at it. */
  readonly pollAtMs: number;
  readonly pace: Pace | null;
}

export type Cursor = LogCursor | CheckpointCursor;

/** From so many unfinished ranges on, nothing new is claimed from `next`: eight ranges fit the 1 KB of one DynamoDB write unit. */
export const OPEN_RANGES_MAX = 8;

/** An invocation and its successor died on it: from then on a range is taken by half, so that one deadly record is found. */
export const DEATHS_BEFORE_HALVING = 2;

/** At size one, so many deaths are blamed on the record. */
export const DEATHS_BEFORE_VERDICT = 5;

/** A cursor starts behind a closed gate of revision 0, so that no claim precedes a look at the connector's document. */
const CLOSED: Gate = { state: 'stopped', revision: 0 };

export function createLogCursor(start: Offset): LogCursor {
  return {
    kind: 'log',
    generation: 1,
    gate: CLOSED,
    status: ACTIVE,
    next: start,
    epoch: 0,
    open: [],
    pace: null,
    lastStoredAtMs: null,
    firstRecord: null,
    gaps: null,
  };
}

export function createCheckpointCursor(checkpoint: Json = null): CheckpointCursor {
  return {
    kind: 'checkpoint',
    generation: 1,
    gate: CLOSED,
    status: ACTIVE,
    checkpoint,
    clean: true,
    epoch: 0,
    attempts: 0,
    deaths: 0,
    holder: null,
    retryAtMs: 0,
    error: null,
    pollAtMs: 0,
    pace: null,
  };
}

/** The lowest position not yet finished (I1). */
export function watermark(cursor: Pick<LogCursor, 'open' | 'next'>): Offset {
  return cursor.open[0]?.start ?? cursor.next;
}

export function heldRanges(cursor: LogCursor): readonly HeldRange[] {
  return cursor.open.filter((range) => range.kind === 'held');
}

export function holdersOf(cursor: Cursor): readonly Holder[] {
  if (cursor.kind === 'log') return heldRanges(cursor).map(({ holder }) => holder);
  return cursor.holder === null ? [] : [cursor.holder];
}

/** Checks what every transition must keep (I4); the store's codec and every test call it. */
export function assertLogCursor(cursor: LogCursor): void {
  let above: Offset | null = null;
  for (const { start, end } of cursor.open) {
    assert(above === null || start >= above, `open ranges overlap at ${start} (I4)`);
    assert(end === null || end > start, `empty or inverted open range at ${start}`);
    assert(end !== null || start === cursor.next, 'a tail starts elsewhere than at next');
    above = end ?? start;
  }
  assert(above === null || above <= cursor.next, 'an open range ends above next');
}
