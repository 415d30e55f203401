/**
 * What operators and discoveries do to a cursor: gates, failures and restarts, gaps, ends, resets. Progress already
 * committed is never touched, except by a reset (I3).
 */
import type { ErrorCode } from '../error-codes.ts';
import type { Json } from '../json.ts';
import { maxOffset, minOffset, type Offset, recordsBetween } from '../offset.ts';
import {
  ACTIVE,
  type CheckpointCursor,
  type Cursor,
  type Gate,
  holdersOf,
  isTruncated,
  type LogCursor,
  type OpenRange,
  type Status,
  watermark,
} from './cursor.ts';

/** Raises the gate; a gate of an older or equal revision changes nothing. Held slices may still commit (I9). */
export function raiseGate<C extends Cursor>(cursor: C, gate: Gate): C {
  return gate.revision > cursor.gate.revision ? { ...cursor, gate } : cursor;
}

/**
 * Marks the shard FAILED. With `retryAtMs` a claim may restart it then; without, only an operator. A shard that is done
 * stays so, and so does one whose log was truncated: what a holder runs into afterwards must not open a way past the reset.
 */
export function failShard<C extends Cursor>(
  cursor: C,
  failure: { readonly code: ErrorCode; readonly retryAtMs: number | null },
): C {
  if (cursor.status.state === 'done' || isTruncated(cursor.status)) return cursor;
  return { ...cursor, status: { state: 'failed', ...failure, restarts: cursor.status.restarts } };
}

/**
 * An operator's restart: what failed becomes active, and past attempts and deaths are forgotten. A back-off is waited for all the
 * same: it also covers a put that was given up and may still land over newer values. What is gone stays so: only whoever finds its
 * queue again can tell whether it is the same.
 */
export function restart<C extends Cursor>(cursor: C): C {
  const { state } = cursor.status;
  if ((state !== 'failed' && state !== 'gone') || isTruncated(cursor.status)) return cursor;
  const status: Status = state === 'gone' ? { state, restarts: 0 } : ACTIVE;
  if (cursor.kind === 'checkpoint') return { ...cursor, status, attempts: 0, deaths: 0, error: null };
  const open = cursor.open.map(
    (range): OpenRange => (range.kind === 'free' ? { ...range, attempts: 0, deaths: 0, error: null } : range),
  );
  return { ...cursor, status, open };
}

/**
 * The queue does not exist (any more). A shard that is done needs it no longer; one that has failed still waits for what it
 * waited for, should the queue be back: a broker may be away for a moment.
 */
export function vanish<C extends Cursor>(cursor: C): C {
  const { status } = cursor;
  return status.state === 'active' ? { ...cursor, status: { state: 'gone', restarts: status.restarts } } : cursor;
}

/** The queue is back. Nobody has mended anything, so what was counted before it went still counts. */
export function reappear<C extends Cursor>(cursor: C): C {
  const { status } = cursor;
  return status.state === 'gone' ? { ...cursor, status: { state: 'active', restarts: status.restarts } } : cursor;
}

/** A finite shard has come to its end. */
export function finish(cursor: CheckpointCursor): CheckpointCursor {
  return { ...cursor, status: { state: 'done' } };
}

/** Retention removed everything below `to`: cuts what is left to do, and records how much was never read (I10). */
export function skip(cursor: LogCursor, to: Offset): LogCursor {
  const start = watermark(cursor);
  if (to <= start) return cursor;
  let records = recordsBetween(cursor.next, to);
  const open: OpenRange[] = [];
  for (const range of cursor.open) {
    // A tail starts at `next`, so what it misses is counted already.
    if (range.end === null) open.push({ ...range, start: maxOffset(range.start, to) });
    else {
      records += recordsBetween(range.start, minOffset(range.end, to));
      if (range.end > to) open.push({ ...range, start: maxOffset(range.start, to) });
    }
  }
  const gaps = { count: (cursor.gaps?.count ?? 0) + 1, records: (cursor.gaps?.records ?? 0n) + BigInt(records), start, end: to };
  return { ...cursor, next: maxOffset(cursor.next, to), open, gaps };
}

/** Why a reset was refused; the operator retries once it no longer holds. */
export type ResetRefusal = 'not-stopped' | 'held';

/**
 * Starts a new generation at a position an operator chose: the one way back (I3). Only while the gate says stopped and
 * nobody can still be writing: no holder, and no put that was given up either. A back-off outlasts such a put in every
 * target where it could land over newer values, so what backs off is waited for.
 */
export function reset<C extends Cursor>(
  cursor: C,
  request: { readonly position: C extends LogCursor ? Offset : Json; readonly nowMs: number; readonly graceMs: number },
): { readonly kind: 'reset'; readonly cursor: C } | { readonly kind: 'refused'; readonly reason: ResetRefusal } {
  if (cursor.gate.state !== 'stopped') return { kind: 'refused', reason: 'not-stopped' };
  const { nowMs, graceMs } = request;
  const held = holdersOf(cursor).some(({ deadlineAtMs }) => deadlineAtMs + graceMs > nowMs);
  if (held || backsOffUntilMs(cursor) > nowMs) return { kind: 'refused', reason: 'held' };
  const generation = cursor.generation + 1;
  const fresh =
    cursor.kind === 'log'
      ? {
          ...cursor,
          generation,
          status: ACTIVE,
          next: request.position as Offset,
          open: [],
          lastStoredAtMs: null,
          firstRecord: null,
          gaps: null,
        }
      : resetCheckpoint(cursor, generation, request.position as Json);
  return { kind: 'reset', cursor: fresh as C };
}

function backsOffUntilMs(cursor: Cursor): number {
  if (cursor.kind === 'checkpoint') return cursor.retryAtMs;
  return Math.max(0, ...cursor.open.map((range) => (range.kind === 'free' ? range.retryAtMs : 0)));
}

function resetCheckpoint(cursor: CheckpointCursor, generation: number, checkpoint: Json): CheckpointCursor {
  return {
    ...cursor,
    generation,
    status: ACTIVE,
    checkpoint,
    clean: true,
    holder: null,
    attempts: 0,
    deaths: 0,
    retryAtMs: 0,
    error: null,
    pollAtMs: 0,
  };
}
