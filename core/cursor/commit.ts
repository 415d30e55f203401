/**
 * Commits: how a slice moves its start forward, and how it ends.
 *
 * Only the epoch that holds a range changes it (I2). A write whose reply was lost is sent again and recognised: where the
 * whole range is finished already, nothing changes and nothing is refused.
 */
import { assert } from '../assert.ts';
import type { ErrorCode } from '../error-codes.ts';
import { FencedError } from '../errors.ts';
import { type Json, jsonEquals } from '../json.ts';
import { maxOffset, type Offset } from '../offset.ts';
import {
  ACTIVE,
  type CheckpointCursor,
  type FreeRange,
  type HeldRange,
  isTruncated,
  type LogCursor,
  type OpenRange,
  type Pace,
  type Status,
} from './cursor.ts';
import { readSourceCheckpoint } from './source-checkpoint.ts';

/** A slice's progress: `[from, upTo)` of its range is finished. `from` is where it started, or committed to before. */
export interface Progress {
  readonly epoch: number;
  readonly generation: number;
  readonly from: Offset;
  readonly upTo: Offset;
  /** Store time of the last finished record; `null` when none was read. */
  readonly storedAtMs: number | null;
  readonly pace: Pace | null;
}

/** @throws {FencedError} when the epoch holds nothing, and the range is not finished or there was no progress to recognise. */
export function commit(cursor: LogCursor, progress: Progress, deadlineAtMs: number): LogCursor {
  const held = heldBy(cursor, progress);
  if (held === null) {
    // I2: a commit of nothing ends no slice, so an epoch that holds nothing has lost its own.
    if (progress.upTo === progress.from) throw fenced(progress.epoch);
    return cursor;
  }
  const start = reached(held, progress);
  const { deaths, attempts } = troublesAt(held, start);
  const left: OpenRange | null =
    held.end === start ? null : { ...held, start, deaths, attempts, holder: { owner: held.holder.owner, deadlineAtMs } };
  return progressed(cursor, { held, left, progress });
}

/**
 * Commits what is delivered; the rest is free at once. `readEnd` bounds what a tail leaves behind.
 *
 * @throws {FencedError} as `commit`.
 */
export function release(cursor: LogCursor, progress: Progress, readEnd: Offset): LogCursor {
  return leave(cursor, progress, { readEnd, failure: null });
}

/**
 * As `release`, but the rest is free only from `retryAtMs` on, with one attempt more.
 *
 * @throws {FencedError} as `commit`.
 */
export function fail(
  cursor: LogCursor,
  progress: Progress,
  { readEnd, error, retryAtMs }: { readonly readEnd: Offset; readonly error: ErrorCode; readonly retryAtMs: number },
): LogCursor {
  return leave(cursor, progress, { readEnd, failure: { error, retryAtMs } });
}

/**
 * Fixes the end of a tail at what it has read, so that others can claim behind it.
 *
 * @throws {FencedError} as `commit`.
 */
export function closeTail(
  cursor: LogCursor,
  { epoch, generation, end }: { readonly epoch: number; readonly generation: number; readonly end: Offset },
): LogCursor {
  const tail = cursor.open.find((range) => range.kind === 'held' && range.epoch === epoch);
  if (tail === undefined || cursor.generation !== generation) throw fenced(epoch);
  if (tail.end !== null) return cursor;
  // Below its start when a gap overtook what it has read.
  if (end <= tail.start) return { ...cursor, open: cursor.open.filter((range) => range !== tail) };
  return { ...cursor, next: end, open: cursor.open.map((range) => (range === tail ? { ...range, end } : range)) };
}

function leave(
  cursor: LogCursor,
  progress: Progress,
  {
    readEnd,
    failure,
  }: { readonly readEnd: Offset; readonly failure: { readonly error: ErrorCode; readonly retryAtMs: number } | null },
): LogCursor {
  const held = heldBy(cursor, progress);
  if (held === null) return cursor;
  const start = reached(held, progress);
  const end = held.end ?? maxOffset(readEnd, start);
  const { deaths, attempts } = troublesAt(held, start);
  const left: FreeRange | null =
    end === start
      ? null
      : {
          kind: 'free',
          start,
          end,
          deaths,
          attempts: failure === null ? attempts : attempts + 1,
          retryAtMs: failure?.retryAtMs ?? 0,
          error: failure?.error ?? null,
        };
  return progressed(held.end === null ? { ...cursor, next: end } : cursor, { held, left, progress });
}

function progressed(
  cursor: LogCursor,
  { held, left, progress }: { readonly held: HeldRange; readonly left: OpenRange | null; readonly progress: Progress },
): LogCursor {
  const { upTo, storedAtMs, pace } = progress;
  const moved = upTo > held.start;
  const open: OpenRange[] = [];
  for (const range of cursor.open) {
    if (range !== held) open.push(range);
    else if (left !== null) open.push(left);
  }
  return {
    ...cursor,
    // A tail's `next` moves with its start.
    next: left?.end === null ? left.start : cursor.next,
    open,
    lastStoredAtMs: newestOf(cursor, storedAtMs),
    pace: pace ?? cursor.pace,
    status: moved ? settled(cursor.status) : cursor.status,
  };
}

/** A record of a log that was created anew would hide that it is another log. */
function newestOf({ status, lastStoredAtMs }: LogCursor, storedAtMs: number | null): number | null {
  if (storedAtMs === null || isTruncated(status)) return lastStoredAtMs;
  return Math.max(storedAtMs, lastStoredAtMs ?? storedAtMs);
}

/** The range this progress is about; `null` when all of it is finished already (a reply was lost). */
function heldBy(cursor: LogCursor, { epoch, generation, from, upTo }: Progress): HeldRange | null {
  if (cursor.generation !== generation) throw fenced(epoch);
  for (const range of cursor.open) {
    if (range.kind !== 'held' || range.epoch !== epoch) continue;
    assert(range.end === null || upTo <= range.end, `commit to ${upTo} beyond the slice's end ${range.end}`);
    return range;
  }
  if (upTo <= cursor.next && !cursor.open.some((range) => meets(range, from, upTo))) return null;
  throw fenced(epoch);
}

/** Where a slice stands: a gap may have moved its start past what it delivered. */
function reached(held: HeldRange, { upTo }: Progress): Offset {
  return maxOffset(held.start, upTo);
}

/** Deaths and attempts count since the last progress: with any, they are forgotten. */
function troublesAt(held: HeldRange, start: Offset): { readonly deaths: number; readonly attempts: number } {
  return start > held.start ? { deaths: 0, attempts: 0 } : held;
}

function meets({ start, end }: OpenRange, from: Offset, upTo: Offset): boolean {
  return start < upTo && (end === null || end > from);
}

/** Progress makes a shard's past restarts forgotten. */
function settled(status: Status): Status {
  return status.state === 'active' && status.restarts > 0 ? ACTIVE : status;
}

// ---------------------------------------------------------------------------------------------------------------------

export interface CheckpointProgress {
  readonly epoch: number;
  readonly generation: number;
  readonly checkpoint: Json;
  readonly pace: Pace | null;
}

/** @throws {FencedError} when the epoch holds nothing and left another checkpoint. */
export function commitCheckpoint(cursor: CheckpointCursor, progress: CheckpointProgress, deadlineAtMs: number): CheckpointCursor {
  if (isLeft(cursor, progress)) return cursor;
  const owner = cursor.holder?.owner ?? '';
  const { attempts, deaths } = hasMoved(cursor, progress) ? { attempts: 0, deaths: 0 } : cursor;
  return { ...cursor, ...forward(cursor, progress), holder: { owner, deadlineAtMs }, attempts, deaths };
}

/**
 * Ends the slice. `clean`: nothing is in flight, so the next holder need not look back.
 *
 * @throws {FencedError} as `commitCheckpoint`.
 */
export function releaseCheckpoint(
  cursor: CheckpointCursor,
  progress: CheckpointProgress,
  { clean, pollAtMs }: { readonly clean: boolean; readonly pollAtMs: number },
): CheckpointCursor {
  if (isLeft(cursor, progress)) return cursor;
  return {
    ...cursor,
    ...forward(cursor, progress),
    // An end as it should be, though nothing may have come.
    status: settled(cursor.status),
    holder: null,
    clean,
    pollAtMs,
    attempts: hasMoved(cursor, progress) ? 0 : cursor.attempts,
    deaths: 0,
  };
}

/** @throws {FencedError} as `commitCheckpoint`. */
export function failCheckpoint(
  cursor: CheckpointCursor,
  progress: CheckpointProgress,
  { error, retryAtMs }: { readonly error: ErrorCode; readonly retryAtMs: number },
): CheckpointCursor {
  if (isLeft(cursor, progress)) return cursor;
  return {
    ...cursor,
    ...forward(cursor, progress),
    holder: null,
    clean: false,
    deaths: 0,
    attempts: hasMoved(cursor, progress) ? 1 : cursor.attempts + 1,
    retryAtMs,
    error,
    // Not of this invocation, which did not come to say when to poll again.
    pollAtMs: 0,
  };
}

function forward(
  cursor: CheckpointCursor,
  progress: CheckpointProgress,
): Pick<CheckpointCursor, 'checkpoint' | 'pace' | 'status'> {
  const status = hasMoved(cursor, progress) ? settled(cursor.status) : cursor.status;
  return { checkpoint: progress.checkpoint, pace: progress.pace ?? cursor.pace, status };
}

/** Whether the source itself got further: what is stored beside its checkpoint is no progress. */
function hasMoved(cursor: CheckpointCursor, { checkpoint }: CheckpointProgress): boolean {
  return !jsonEquals(readSourceCheckpoint(cursor.checkpoint).p, readSourceCheckpoint(checkpoint).p);
}

/** Whether this epoch has ended already with this very checkpoint: its reply was lost. */
function isLeft(cursor: CheckpointCursor, { epoch, generation, checkpoint }: CheckpointProgress): boolean {
  if (cursor.generation !== generation || cursor.epoch !== epoch) throw fenced(epoch);
  if (cursor.holder !== null) return false;
  if (jsonEquals(cursor.checkpoint, checkpoint)) return true;
  throw fenced(epoch);
}

function fenced(epoch: number): FencedError {
  return new FencedError(`epoch ${epoch} no longer holds this slice`);
}
