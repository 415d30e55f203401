/** Cursors and what is asked of them, with only the fields that matter written in the test. Plain numbers serve as offsets. */
import type { Claim, ClaimRequest, LogClaimRequest } from '../../core/cursor/claim.ts';
import type { CheckpointProgress, Progress } from '../../core/cursor/commit.ts';
import {
  ACTIVE,
  type CheckpointCursor,
  createCheckpointCursor,
  createLogCursor,
  type FreeRange,
  type Gate,
  type HeldRange,
  type LogCursor,
} from '../../core/cursor/cursor.ts';
import { type Offset, offset } from '../../core/offset.ts';
import { type ShardId, shardId } from '../../core/shard-id.ts';

/** A time of day for cursors; nothing depends on which. */
export const NOW_MS = 1_800_000_000_000;

/** How long a claim holds, and how long after that nobody may take it: the defaults of the design. */
export const CLAIM_MS = 20_000;
export const GRACE_MS = 5_000;

export const aShard: ShardId = shardId('uid', ['queue', 'orders', 'broker-a', '0']);

const RUNNING: Gate = { state: 'running', revision: 1 };

/** `next` and other offsets as numbers or as what they are. */
type Plain<T> = { readonly [K in keyof T]: Offset extends T[K] ? T[K] | number : T[K] };
type Fields<T> = Partial<Plain<T>>;

/** Claimable: the gate is open at revision 1. */
export function aLogCursor({ next = 0, ...fields }: Fields<LogCursor> = {}): LogCursor {
  const epoch = fields.epoch ?? Math.max(0, ...(fields.open ?? []).map((range) => (range.kind === 'held' ? range.epoch : 0)));
  return { ...createLogCursor(offset(next)), gate: RUNNING, status: ACTIVE, ...fields, epoch };
}

export function aHeldRange({
  start = 0,
  end = 100,
  owner = 'holder',
  deadlineAtMs = NOW_MS + CLAIM_MS,
  ...fields
}: Fields<Omit<HeldRange, 'holder'>> & { readonly owner?: string; readonly deadlineAtMs?: number } = {}): HeldRange {
  const range = { kind: 'held', deaths: 0, attempts: 0, epoch: 1, ...fields } as const;
  return { ...range, start: offset(start), end: end === null ? null : offset(end), holder: { owner, deadlineAtMs } };
}

/** Its holder's deadline and the grace are past. */
export function anAbandonedRange(fields: Parameters<typeof aHeldRange>[0] = {}): HeldRange {
  return aHeldRange({ deadlineAtMs: NOW_MS - GRACE_MS, ...fields });
}

export function aFreeRange({ start = 0, end = 100, ...fields }: Fields<FreeRange> = {}): FreeRange {
  return { kind: 'free', deaths: 0, attempts: 0, retryAtMs: 0, error: null, ...fields, start: offset(start), end: offset(end) };
}

export function aCheckpointCursor(fields: Partial<CheckpointCursor> = {}): CheckpointCursor {
  return { ...createCheckpointCursor(), gate: RUNNING, status: ACTIVE, ...fields };
}

interface ClaimFields extends Partial<Omit<ClaimRequest, 'holder'>> {
  readonly owner?: string;
  readonly deadlineAtMs?: number;
}

export function aClaim({ owner = 'claimer', deadlineAtMs = NOW_MS + CLAIM_MS, ...fields }: ClaimFields = {}): ClaimRequest {
  return { nowMs: NOW_MS, revision: 1, graceMs: GRACE_MS, ended: [], ...fields, holder: { owner, deadlineAtMs } };
}

/** Of an unordered shard that holds 1,000 records, 100 a slice, four slices at once. */
export function aLogClaim({
  records = 100,
  max = 1_000,
  ordered = false,
  heldMax = 4,
  ...fields
}: ClaimFields & Fields<Omit<LogClaimRequest, keyof ClaimRequest>> = {}): LogClaimRequest {
  return { ...aClaim(fields), records, max: offset(max), ordered, heldMax };
}

/** Of epoch 1 in generation 1, from 0 on. */
export function aProgress({ from = 0, upTo = from, ...fields }: Fields<Progress> = {}): Progress {
  return { epoch: 1, generation: 1, storedAtMs: null, pace: null, ...fields, from: offset(from), upTo: offset(upTo) };
}

export function aCheckpointProgress(fields: Partial<CheckpointProgress> = {}): CheckpointProgress {
  return { epoch: 1, generation: 1, checkpoint: null, pace: null, ...fields };
}

/** What was claimed; a refusal is a failed test. */
export function claimed<C, S>(claim: Claim<C, S>): { readonly cursor: C; readonly slice: S } {
  if (claim.kind === 'refused') throw new Error(`refused: ${claim.reason}`);
  return claim;
}
