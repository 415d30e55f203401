/** Every cursor the transitions can lead to, and requests that fit them. */
import fc from 'fast-check';
import type { LogClaimRequest } from '../../core/cursor/claim.ts';
import type { Progress } from '../../core/cursor/commit.ts';
import type {
  CheckpointCursor,
  FirstRecord,
  Gaps,
  Gate,
  HeldRange,
  Holder,
  LogCursor,
  OpenRange,
  Pace,
  Status,
} from '../../core/cursor/cursor.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import { errorCodes } from '../../core/error-codes.ts';
import type { Json } from '../../core/json.ts';
import { advance, type Offset, offset } from '../../core/offset.ts';
import { CLAIM_MS, GRACE_MS, NOW_MS } from './builders.ts';

/** Around `NOW_MS`: deadlines and retry times on both sides of it, and on it. */
const moments = fc.oneof(
  fc.integer({ min: NOW_MS - 2 * CLAIM_MS, max: NOW_MS + 2 * CLAIM_MS }),
  fc.constantFrom(NOW_MS - GRACE_MS, NOW_MS - GRACE_MS + 1, NOW_MS, NOW_MS + 1),
);

const codes = fc.constantFrom(...(Object.keys(errorCodes) as ErrorCode[]));

/** Small counts are where the rules change. */
const deathCounts = fc.oneof(fc.constantFrom(0, 1, 2, 5), fc.nat({ max: 12 }));
const attemptCounts = fc.nat({ max: 10 });

const gates: fc.Arbitrary<Gate> = fc.record({
  state: fc.constantFrom('running', 'paused', 'stopped', 'deleted'),
  revision: fc.nat({ max: 20 }),
});

const statuses: fc.Arbitrary<Status> = fc.oneof(
  fc.record({ state: fc.constant('active'), restarts: fc.nat({ max: 5 }) }),
  fc.record({ state: fc.constant('failed'), code: codes, retryAtMs: fc.option(moments), restarts: fc.nat({ max: 5 }) }),
  fc.record({ state: fc.constant('gone'), restarts: fc.nat({ max: 5 }) }),
  fc.constant<Status>({ state: 'done' }),
);

/** Claims are possible: active, or failed with a retry time that has come. */
const startableStatuses: fc.Arbitrary<Status> = fc.oneof(
  fc.record({ state: fc.constant('active'), restarts: fc.nat({ max: 5 }) }),
  fc.record({ state: fc.constant('failed'), code: codes, retryAtMs: fc.constant(NOW_MS), restarts: fc.nat({ max: 5 }) }),
);

/** As precise as the codec keeps it. */
const paces: fc.Arbitrary<Pace | null> = fc.option(
  fc.record({ usPerRecord: fc.nat({ max: 1e9 }).map((hundredths) => hundredths / 100), bytesPerRecord: fc.nat({ max: 4e6 }) }),
);

const storeTimes = fc.option(fc.integer({ min: 0, max: 2 * NOW_MS }));

/** Zero, small, and as large as an offset gets; the slack lets ranges follow. */
const starts = fc.oneof(fc.nat({ max: 1_000 }).map(BigInt), fc.bigInt({ min: 0n, max: 2n ** 62n }));
const lengths = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2_000 })).map(BigInt);

const firstRecords: fc.Arbitrary<FirstRecord | null> = fc.option(
  fc.record({ at: starts.map(offset), storedAtMs: fc.integer({ min: 0, max: 2 * NOW_MS }) }),
);
/** Finished records between two open ranges; often there are none. */
const finishedCounts = fc.oneof(fc.constant(0), fc.nat({ max: 500 })).map(BigInt);

const gaps: fc.Arbitrary<Gaps | null> = fc.option(
  fc
    .record({
      count: fc.integer({ min: 1, max: 99 }),
      records: fc.bigInt({ min: 1n, max: 2n ** 62n }),
      start: starts,
      end: lengths,
    })
    .map(({ count, records, start, end }) => ({ count, records, start: offset(start), end: offset(start + end) })),
);

/** Pieces of a log from its start on; they become open ranges with finished records between. */
interface Piece {
  readonly finished: bigint;
  readonly length: bigint;
  readonly kind: 'held' | 'free';
  readonly deaths: number;
  readonly attempts: number;
  readonly atMs: number;
  readonly error: ErrorCode | null;
}

const pieces: fc.Arbitrary<Piece> = fc.record({
  finished: finishedCounts,
  length: lengths,
  kind: fc.constantFrom('held', 'free'),
  deaths: deathCounts,
  attempts: attemptCounts,
  atMs: fc.oneof(fc.constant(0), moments),
  error: fc.option(codes),
});

/** Epochs were given out in no order of offsets: ranges are given back and claimed again. */
function rangesOf(start: bigint, parts: readonly Piece[], rotate: number): { readonly open: OpenRange[]; readonly next: Offset } {
  let at = start;
  const open = parts.map(({ finished, length, kind, deaths, attempts, atMs, error }, index): OpenRange => {
    const from = offset(at + finished);
    const end = advance(from, length);
    at = end;
    if (kind === 'free') return { kind, start: from, end, deaths, attempts, retryAtMs: atMs, error };
    const epoch = 1 + ((index + rotate) % parts.length);
    return { kind, start: from, end, deaths, attempts, epoch, holder: { owner: `owner-${index}`, deadlineAtMs: atMs } };
  });
  return { open, next: offset(at) };
}

interface LogCursorFields {
  readonly gate?: fc.Arbitrary<Gate>;
  readonly status?: fc.Arbitrary<Status>;
  /** Halving can leave more than the eight from which on nothing new is claimed. */
  readonly openMax?: number;
}

/** A tail is alone; a bounded range never stands beside one. */
export function logCursors({ gate = gates, status = statuses, openMax = 12 }: LogCursorFields = {}): fc.Arbitrary<LogCursor> {
  const facts = {
    generation: fc.integer({ min: 1, max: 9 }),
    gate,
    status,
    pace: paces,
    lastStoredAtMs: storeTimes,
    firstRecord: firstRecords,
    gaps,
  };
  const bounded = fc
    .record({
      start: starts,
      parts: fc.oneof(fc.array(pieces, { maxLength: 2 }), fc.array(pieces, { maxLength: openMax })),
      rotate: fc.nat({ max: 99 }),
      behind: finishedCounts,
      ...facts,
    })
    .map(({ start, parts, rotate, behind, ...rest }): LogCursor => {
      const { open, next } = rangesOf(start, parts, rotate);
      return { kind: 'log', ...rest, open, next: advance(next, behind), epoch: parts.length + rotate };
    });
  const tails = fc
    .record({ start: starts, holder: holders(), deaths: deathCounts, epoch: fc.integer({ min: 1, max: 99 }), ...facts })
    .map(({ start, holder, deaths, epoch, ...rest }): LogCursor => {
      const tail: HeldRange = { kind: 'held', start: offset(start), end: null, epoch, holder, deaths, attempts: 0 };
      return { kind: 'log', ...rest, open: [tail], next: offset(start), epoch };
    });
  return fc.oneof({ arbitrary: bounded, weight: 5 }, { arbitrary: tails, weight: 1 });
}

/** Behind an open gate, with a status that lets claims through. */
export function claimableLogCursors(fields: Omit<LogCursorFields, 'gate' | 'status'> = {}): fc.Arbitrary<LogCursor> {
  return logCursors({ ...fields, gate: fc.constant({ state: 'running', revision: 7 }), status: startableStatuses });
}

function holders(): fc.Arbitrary<Holder> {
  return fc.record({ owner: fc.constantFrom('owner-a', 'owner-b'), deadlineAtMs: moments });
}

/** A request that the gate of `cursor` lets through: the log ends near `next`, and some holders' ends were seen. */
export function claimsOf(cursor: LogCursor): fc.Arbitrary<LogClaimRequest> {
  const held = cursor.open.filter((range) => range.kind === 'held');
  return fc
    .record({
      behindNext: fc.oneof(fc.integer({ min: -50, max: 0 }), fc.integer({ min: 1, max: 3_000 })).map(BigInt),
      records: fc.integer({ min: 1, max: 1_000 }),
      ordered: fc.boolean(),
      heldMax: fc.integer({ min: 1, max: 10 }),
      ended: fc.subarray(held.map(({ holder: { owner }, epoch }) => ({ owner, epoch }))),
    })
    .map(({ behindNext, ...rest }) => ({
      ...rest,
      holder: { owner: 'claimer', deadlineAtMs: NOW_MS + CLAIM_MS },
      nowMs: NOW_MS,
      revision: cursor.gate.revision,
      graceMs: GRACE_MS,
      max: offset(cursor.next + behindNext < 0n ? 0n : cursor.next + behindNext),
    }));
}

/** A cursor and a claim that its gate and status let through. */
export const cursorsAndClaims: fc.Arbitrary<{ readonly cursor: LogCursor; readonly request: LogClaimRequest }> =
  claimableLogCursors().chain((cursor) => claimsOf(cursor).map((request) => ({ cursor, request })));

/** A cursor, one of its slices, and how far that has come. */
export interface Holding {
  readonly cursor: LogCursor;
  readonly held: HeldRange;
  readonly progress: Progress;
  /** What a tail has read; the end of any other slice. */
  readonly readEnd: Offset;
}

export const holdings: fc.Arbitrary<Holding> = logCursors()
  .filter(({ open }) => open.some(({ kind }) => kind === 'held'))
  .chain((cursor) =>
    fc.record({
      cursor: fc.constant(cursor),
      held: fc.constantFrom(...heldOf(cursor)),
      share: shares,
      beyond: finishedCounts,
      storedAtMs: storeTimes,
      pace: paces,
    }),
  )
  .map(({ cursor, held, share, beyond, storedAtMs, pace }) => {
    const length = held.end === null ? 500n : held.end - held.start;
    const upTo = advance(held.start, (length * BigInt(share)) / 4n);
    const progress = { epoch: held.epoch, generation: cursor.generation, from: held.start, upTo, storedAtMs, pace };
    return { cursor, held, progress, readEnd: held.end ?? advance(upTo, beyond) };
  });

/** Quarters of a slice; nothing and all of it are the cases that matter most. */
const shares = fc.constantFrom(0, 1, 2, 4, 4);

function heldOf(cursor: LogCursor): readonly HeldRange[] {
  return cursor.open.filter((range) => range.kind === 'held');
}

// ---------------------------------------------------------------------------------------------------------------------

/** Few, so that two are often equal. */
export const checkpoints: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, 0, '', { file: 'binlog.000001', byte: 4 }),
  fc.json().map((text) => JSON.parse(text) as Json),
);

export function checkpointCursors({
  gate = gates,
  status = statuses,
}: Omit<LogCursorFields, 'openMax'> = {}): fc.Arbitrary<CheckpointCursor> {
  return fc.record({
    kind: fc.constant('checkpoint'),
    generation: fc.integer({ min: 1, max: 9 }),
    gate,
    status,
    checkpoint: checkpoints,
    clean: fc.boolean(),
    epoch: fc.nat({ max: 99 }),
    attempts: attemptCounts,
    deaths: deathCounts,
    holder: fc.option(holders()),
    retryAtMs: fc.oneof(fc.constant(0), moments),
    error: fc.option(codes),
    pollAtMs: fc.oneof(fc.constant(0), moments),
    pace: paces,
  });
}

export function claimableCheckpointCursors(): fc.Arbitrary<CheckpointCursor> {
  return checkpointCursors({ gate: fc.constant({ state: 'running', revision: 7 }), status: startableStatuses });
}
