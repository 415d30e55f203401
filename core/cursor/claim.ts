/**
 * Claims: how an invocation takes work. Nothing is reserved before.
 *
 * A log's claim takes the lowest range that is free, or whose holder is gone; otherwise a new one from `next`. A held range
 * is never taken before its deadline plus the skew between clocks, except from a holder whose end was seen.
 *
 * While eight ranges are open only the lowest of them is halved; others that are to be halved wait until it is finished, or
 * there is room. So where every invocation dies there are never more than eight and as many as the lowest can be halved:
 * 8 + log2 of a slice's records, rounded up. That is 22 ranges and 1.6 KB for 10,000 records.
 */
import type { Json } from '../json.ts';
import type { EndedHolder } from '../offer.ts';
import { advance, maxOffset, minOffset, type Offset } from '../offset.ts';
import {
  type CheckpointCursor,
  DEATHS_BEFORE_HALVING,
  type Gate,
  type HeldRange,
  type Holder,
  isTruncated,
  type LogCursor,
  OPEN_RANGES_MAX,
  type OpenRange,
  type Status,
} from './cursor.ts';

export interface ClaimRequest {
  readonly holder: Holder;
  readonly nowMs: number;
  /** The revision of the configuration the claimer works with. */
  readonly revision: number;
  /** How long after a holder's deadline nobody may take its range: clock skew, and for `overwrite` targets the put timeout. */
  readonly graceMs: number;
  readonly ended: readonly Pick<EndedHolder, 'owner' | 'epoch'>[];
}

export interface LogClaimRequest extends ClaimRequest {
  /** At most so many records a slice (I6). */
  readonly records: number;
  /** The end of the log as the claimer knows it. */
  readonly max: Offset;
  /** One range at a time, in order. */
  readonly ordered: boolean;
  /** At most so many slices held at once. */
  readonly heldMax: number;
}

/** Why a claim took nothing. `notBeforeMs`: when a claim of an unchanged cursor can succeed; `null`: only a change helps. */
export interface Refused {
  readonly kind: 'refused';
  readonly reason:
    | 'gate-closed'
    | 'revision-differs'
    | 'failed'
    | 'gone'
    | 'done'
    | 'held'
    | 'backing-off'
    | 'too-many-open'
    | 'nothing-to-claim';
  readonly notBeforeMs: number | null;
}

export interface LogSlice {
  readonly kind: 'log';
  readonly start: Offset;
  /** `null`: a tail. */
  readonly end: Offset | null;
  readonly epoch: number;
  readonly generation: number;
  readonly deaths: number;
  readonly attempts: number;
}

export interface CheckpointSlice {
  readonly kind: 'checkpoint';
  readonly checkpoint: Json;
  /** As the last holder left it. */
  readonly clean: boolean;
  readonly epoch: number;
  readonly generation: number;
  readonly deaths: number;
  readonly attempts: number;
}

export type Claim<C, S> = { readonly kind: 'claimed'; readonly cursor: C; readonly slice: S } | Refused;

// ---------------------------------------------------------------------------------------------------------------------

export function claim(cursor: LogCursor, request: LogClaimRequest): Claim<LogCursor, LogSlice> {
  const refusal = refuseByStatus(cursor, request);
  if (refusal !== null) return refusal;
  const own = ownRange(cursor, request.holder.owner);
  if (own !== undefined) return { kind: 'claimed', cursor, slice: sliceOf(own, cursor) };

  const found = request.ordered ? headRange(cursor, request) : lowestClaimable(cursor, request);
  if ('reason' in found) return found;
  const { range } = found;
  if (range === null) return claimNew(cursor, request);
  return claimOpen(cursor, range, request);
}

/** Takes everything from `next` on, alone: where anything is open, that is claimed instead, as a bounded slice. */
export function claimTail(cursor: LogCursor, request: LogClaimRequest): Claim<LogCursor, LogSlice> {
  const refusal = refuseByStatus(cursor, request);
  if (refusal !== null) return refusal;
  const own = ownRange(cursor, request.holder.owner);
  if (own !== undefined) return { kind: 'claimed', cursor, slice: sliceOf(own, cursor) };
  const [first] = cursor.open;
  const abandonedEmpty =
    first?.kind === 'held' && first.end === null && request.max <= first.start && isAbandoned(first, request);
  // What is behind `next` is bounded work and goes first, as slices: also what the tail of a dead holder left.
  if (first !== undefined && !abandonedEmpty) return claim(cursor, request);
  const epoch = cursor.epoch + 1;
  // A holder that died without a record to touch says nothing about the one that comes next: no death is counted.
  const tail: HeldRange = { kind: 'held', start: cursor.next, end: null, epoch, holder: request.holder, deaths: 0, attempts: 0 };
  const claimed: LogCursor = { ...cursor, epoch, open: [tail], status: started(cursor.status) };
  return { kind: 'claimed', cursor: claimed, slice: sliceOf(tail, claimed) };
}

/** A range to take, `null` for a new one, or why neither. */
type Found = { readonly range: OpenRange | null } | Refused;

/** An ordered shard's only choice: its lowest range, or `next` when nothing is open (I7). */
function headRange(cursor: LogCursor, request: LogClaimRequest): Found {
  // More than one range is open only where the connector was not ordered before: none may be held while another starts.
  for (const range of cursor.open) {
    if (range.kind === 'held' && !isAbandoned(range, request)) return refused('held', takeableAtMs(range.holder, request));
  }
  const head = cursor.open[0];
  if (head?.kind === 'free' && head.retryAtMs > request.nowMs) return refused('backing-off', head.retryAtMs);
  return { range: head ?? null };
}

function lowestClaimable(cursor: LogCursor, request: LogClaimRequest): Found {
  let held = 0;
  let soonestMs = Number.POSITIVE_INFINITY;
  let lowest: OpenRange | undefined;
  let tailHeld = false;
  for (const range of cursor.open) {
    if (range.kind === 'held' && !isAbandoned(range, request)) {
      held += 1;
      tailHeld = range.end === null;
      soonestMs = Math.min(soonestMs, takeableAtMs(range.holder, request));
    } else if (range.kind === 'free' && range.retryAtMs > request.nowMs) {
      soonestMs = Math.min(soonestMs, range.retryAtMs);
    } else if (mayBeTaken(range, cursor)) {
      lowest ??= range;
    }
  }
  const notBeforeMs = soonestMs === Number.POSITIVE_INFINITY ? null : soonestMs;
  if (held >= request.heldMax) return refused('held', notBeforeMs);
  if (lowest !== undefined) return { range: lowest };
  if (tailHeld) return refused('held', notBeforeMs);
  if (cursor.open.length >= OPEN_RANGES_MAX) return refused('too-many-open', notBeforeMs);
  if (cursor.next >= request.max) return refused(cursor.open.length > held ? 'backing-off' : 'nothing-to-claim', notBeforeMs);
  return { range: null };
}

/** Whether taking it leaves few enough ranges open. */
function mayBeTaken(range: OpenRange, { open }: LogCursor): boolean {
  return open.length < OPEN_RANGES_MAX || range === open[0] || !isHalvedWhenTaken(range);
}

/** A range whose holder died, not for the first time. One record is no range to halve. */
function isHalvedWhenTaken({ kind, deaths, start, end }: OpenRange): boolean {
  return kind === 'held' && deaths + 1 >= DEATHS_BEFORE_HALVING && (end === null || end - start > 1n);
}

function claimNew(cursor: LogCursor, request: LogClaimRequest): Claim<LogCursor, LogSlice> {
  const end = minOffset(advance(cursor.next, request.records), request.max);
  if (end <= cursor.next) return refused('nothing-to-claim', null);
  const epoch = cursor.epoch + 1;
  const range: HeldRange = { kind: 'held', start: cursor.next, end, epoch, holder: request.holder, deaths: 0, attempts: 0 };
  const claimed: LogCursor = { ...cursor, epoch, next: end, open: [...cursor.open, range], status: started(cursor.status) };
  return { kind: 'claimed', cursor: claimed, slice: sliceOf(range, claimed) };
}

function claimOpen(cursor: LogCursor, range: OpenRange, request: LogClaimRequest): Claim<LogCursor, LogSlice> {
  // The tail of a holder that died becomes a bounded range; with nothing behind its start there is nothing to take over.
  const end = range.end ?? minOffset(advance(range.start, request.records), maxOffset(request.max, range.start));
  if (end === range.start) return refused('nothing-to-claim', null);
  const reclaimed = range.kind === 'held';
  const died = reclaimed ? range.deaths + 1 : range.deaths;
  const epoch = cursor.epoch + 1;
  const half = reclaimed && died >= DEATHS_BEFORE_HALVING ? advance(range.start, (end - range.start + 1n) / 2n) : end;
  // One more death halves a half again, but at size one a record is blamed for its own deaths, not for those of its neighbours.
  const deaths = half < end ? DEATHS_BEFORE_HALVING : died;
  const taken: HeldRange = {
    kind: 'held',
    start: range.start,
    end: half,
    epoch,
    holder: request.holder,
    deaths,
    attempts: range.attempts,
  };
  const open: OpenRange[] = cursor.open.map((other) => (other === range ? taken : other));
  let next = range.end === null ? end : cursor.next;
  if (half < end) {
    // The upper half was the last claimed: an ordered shard unclaims it, another keeps it open for others, with its deaths.
    if (request.ordered && end === next) next = half;
    else
      open.splice(open.indexOf(taken) + 1, 0, {
        kind: 'free',
        start: half,
        end,
        deaths,
        attempts: range.attempts,
        retryAtMs: 0,
        error: null,
      });
  }
  const claimed: LogCursor = { ...cursor, epoch, next, open, status: started(cursor.status) };
  return { kind: 'claimed', cursor: claimed, slice: sliceOf(taken, claimed) };
}

// ---------------------------------------------------------------------------------------------------------------------

export function claimCheckpoint(cursor: CheckpointCursor, request: ClaimRequest): Claim<CheckpointCursor, CheckpointSlice> {
  const refusal = refuseByStatus(cursor, request);
  if (refusal !== null) return refusal;
  const { holder } = cursor;
  if (holder?.owner === request.holder.owner) return { kind: 'claimed', cursor, slice: checkpointSliceOf(cursor) };
  if (holder !== null && !isAbandoned({ holder, epoch: cursor.epoch }, request))
    return refused('held', takeableAtMs(holder, request));
  if (holder === null && cursor.retryAtMs > request.nowMs) return refused('backing-off', cursor.retryAtMs);
  const claimed: CheckpointCursor = {
    ...cursor,
    epoch: cursor.epoch + 1,
    holder: request.holder,
    deaths: holder === null ? cursor.deaths : cursor.deaths + 1,
    // A holder that died left whatever it had in flight.
    clean: holder === null && cursor.clean,
    retryAtMs: 0,
    error: null,
    status: started(cursor.status),
  };
  return { kind: 'claimed', cursor: claimed, slice: checkpointSliceOf(claimed) };
}

function checkpointSliceOf({ checkpoint, clean, epoch, generation, deaths, attempts }: CheckpointCursor): CheckpointSlice {
  return { kind: 'checkpoint', checkpoint, clean, epoch, generation, deaths, attempts };
}

// ---------------------------------------------------------------------------------------------------------------------

function refuseByStatus(
  cursor: { readonly gate: Gate; readonly status: Status },
  { revision, nowMs }: ClaimRequest,
): Refused | null {
  const { gate, status } = cursor;
  if (gate.state !== 'running') return refused('gate-closed', null);
  if (gate.revision !== revision) return refused('revision-differs', null);
  if (isTruncated(status)) return refused('failed', null);
  if (status.state === 'failed') {
    return status.retryAtMs !== null && status.retryAtMs <= nowMs ? null : refused('failed', status.retryAtMs);
  }
  return status.state === 'active' ? null : refused(status.state, null);
}

/** A failed shard whose retry time has come restarts with this claim, at the cost of one automatic restart. */
function started(status: Status): Status {
  return status.state === 'failed' ? { state: 'active', restarts: status.restarts + 1 } : status;
}

function ownRange(cursor: LogCursor, owner: string): HeldRange | undefined {
  for (const range of cursor.open) {
    if (range.kind === 'held' && range.holder.owner === owner) return range;
  }
  return undefined;
}

/** Only past its deadline and the grace, or when its end was seen, has a holder surely stopped. */
function isAbandoned(held: { readonly holder: Holder; readonly epoch: number }, request: ClaimRequest): boolean {
  if (takeableAtMs(held.holder, request) <= request.nowMs) return true;
  return request.ended.some(({ owner, epoch }) => owner === held.holder.owner && epoch === held.epoch);
}

function takeableAtMs(holder: Holder, { graceMs }: ClaimRequest): number {
  return holder.deadlineAtMs + graceMs;
}

function sliceOf({ start, end, epoch, deaths, attempts }: HeldRange, { generation }: LogCursor): LogSlice {
  return { kind: 'log', start, end, epoch, generation, deaths, attempts };
}

function refused(reason: Refused['reason'], notBeforeMs: number | null): Refused {
  return { kind: 'refused', reason, notBeforeMs };
}
