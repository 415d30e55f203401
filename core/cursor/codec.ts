/**
 * Cursors as stored text. Short keys and arrays, so that eight open slices fit 1 KB; errors are codes.
 *
 * Version N+1 reads what N writes. A document of a newer format is refused, never guessed at.
 */
import { AssertionError } from '../assert.ts';
import type { ErrorCode } from '../error-codes.ts';
import { FatalTaskError } from '../errors.ts';
import type { Json } from '../json.ts';
import { type Offset, offset } from '../offset.ts';
import type { ShardId } from '../shard-id.ts';
import {
  assertLogCursor,
  type CheckpointCursor,
  type Cursor,
  type Gaps,
  type Gate,
  type LogCursor,
  type OpenRange,
  type Pace,
  type Status,
} from './cursor.ts';

const FORMAT = 1;

type StoredGate = readonly [state: 'r' | 'p' | 's' | 'd', revision: number];
/** Active with its restarts, failed with code, retry time and restarts, gone, done. */
type StoredStatus = readonly ['a', number] | readonly ['f', ErrorCode, number | null, number] | readonly ['g'] | readonly ['d'];
/** `end` is stored as a length, `null` for a tail; a held range has epoch, owner and deadline, a free one its retry time and error. */
type StoredRange =
  | readonly [
      'h',
      start: string,
      length: string | null,
      deaths: number,
      attempts: number,
      epoch: number,
      owner: string,
      deadlineAtMs: number,
    ]
  | readonly ['f', start: string, length: string, deaths: number, attempts: number, retryAtMs: number, error: ErrorCode | null];

interface StoredLogCursor {
  readonly v: number;
  readonly k: 'l';
  readonly g: number;
  readonly gt: StoredGate;
  readonly s: StoredStatus;
  readonly n: string;
  readonly e: number;
  readonly o: readonly StoredRange[];
  readonly p: readonly [number, number] | null;
  readonly t: number | null;
  readonly x: readonly [count: number, records: string, start: string, end: string] | null;
}

interface StoredCheckpointCursor {
  readonly v: number;
  readonly k: 'c';
  readonly g: number;
  readonly gt: StoredGate;
  readonly s: StoredStatus;
  readonly c: Json;
  readonly cl: boolean;
  readonly e: number;
  readonly a: number;
  readonly d: number;
  readonly h: readonly [owner: string, deadlineAtMs: number] | null;
  readonly r: number;
  readonly er: ErrorCode | null;
  readonly pa: number;
  readonly p: readonly [number, number] | null;
}

export function encodeCursor(cursor: Cursor): string {
  return JSON.stringify(cursor.kind === 'log' ? storeLog(cursor) : storeCheckpoint(cursor));
}

/** @throws {FatalTaskError} `store.document_corrupt` or `store.document_newer`, naming the shard. */
export function decodeCursor(text: string, shard: ShardId): Cursor {
  let stored: StoredLogCursor | StoredCheckpointCursor;
  try {
    stored = JSON.parse(text) as StoredLogCursor | StoredCheckpointCursor;
    if (typeof stored.v === 'number' && stored.v > FORMAT) throw newer(shard, stored.v);
    const cursor = stored.k === 'l' ? readLog(stored) : readCheckpoint(stored);
    if (cursor.kind === 'log') assertLogCursor(cursor);
    return cursor;
  } catch (cause) {
    if (cause instanceof FatalTaskError) throw cause;
    throw new FatalTaskError(`the stored cursor of shard ${shard} cannot be read`, { code: 'store.document_corrupt', cause });
  }
}

function newer(shard: ShardId, format: number): FatalTaskError {
  return new FatalTaskError(`the cursor of shard ${shard} is stored in format ${format}, this version reads up to ${FORMAT}`, {
    code: 'store.document_newer',
  });
}

function storeLog(cursor: LogCursor): StoredLogCursor {
  const { gaps } = cursor;
  return {
    v: FORMAT,
    k: 'l',
    g: cursor.generation,
    gt: storeGate(cursor.gate),
    s: storeStatus(cursor.status),
    n: String(cursor.next),
    e: cursor.epoch,
    o: cursor.open.map(storeRange),
    p: storePace(cursor.pace),
    t: cursor.lastStoredAtMs,
    x: gaps === null ? null : [gaps.count, String(gaps.records), String(gaps.start), String(gaps.end)],
  };
}

function readLog(stored: StoredLogCursor): LogCursor {
  return {
    kind: 'log',
    generation: int(stored.g),
    gate: readGate(stored.gt),
    status: readStatus(stored.s),
    next: readOffset(stored.n),
    epoch: int(stored.e),
    open: stored.o.map(readRange),
    pace: readPace(stored.p),
    lastStoredAtMs: stored.t === null ? null : number(stored.t),
    gaps: stored.x === null ? null : readGaps(stored.x),
  };
}

function storeCheckpoint(cursor: CheckpointCursor): StoredCheckpointCursor {
  return {
    v: FORMAT,
    k: 'c',
    g: cursor.generation,
    gt: storeGate(cursor.gate),
    s: storeStatus(cursor.status),
    c: cursor.checkpoint,
    cl: cursor.clean,
    e: cursor.epoch,
    a: cursor.attempts,
    d: cursor.deaths,
    h: cursor.holder === null ? null : [cursor.holder.owner, cursor.holder.deadlineAtMs],
    r: cursor.retryAtMs,
    er: cursor.error,
    pa: cursor.pollAtMs,
    p: storePace(cursor.pace),
  };
}

function readCheckpoint(stored: StoredCheckpointCursor): CheckpointCursor {
  if (stored.k !== 'c' || typeof stored.cl !== 'boolean' || stored.c === undefined) throw new AssertionError('not a cursor');
  return {
    kind: 'checkpoint',
    generation: int(stored.g),
    gate: readGate(stored.gt),
    status: readStatus(stored.s),
    checkpoint: stored.c,
    clean: stored.cl,
    epoch: int(stored.e),
    attempts: int(stored.a),
    deaths: int(stored.d),
    holder: stored.h === null ? null : { owner: string(stored.h[0]), deadlineAtMs: number(stored.h[1]) },
    retryAtMs: number(stored.r),
    error: stored.er,
    pollAtMs: number(stored.pa),
    pace: readPace(stored.p),
  };
}

function storeRange(range: OpenRange): StoredRange {
  const { start, deaths, attempts } = range;
  if (range.kind === 'free')
    return ['f', String(start), String(range.end - start), deaths, attempts, range.retryAtMs, range.error];
  const length = range.end === null ? null : String(range.end - start);
  return ['h', String(start), length, deaths, attempts, range.epoch, range.holder.owner, range.holder.deadlineAtMs];
}

function readRange(stored: StoredRange): OpenRange {
  const start = readOffset(stored[1]);
  const troubles = { deaths: int(stored[3]), attempts: int(stored[4]) };
  if (stored[0] === 'f') {
    return { kind: 'free', start, end: readEnd(start, stored[2]), ...troubles, retryAtMs: number(stored[5]), error: stored[6] };
  }
  const end = stored[2] === null ? null : readEnd(start, stored[2]);
  const holder = { owner: string(stored[6]), deadlineAtMs: number(stored[7]) };
  return { kind: 'held', start, end, ...troubles, epoch: int(stored[5]), holder };
}

function storeGate({ state, revision }: Gate): StoredGate {
  return [gateLetters[state], revision];
}

const gateLetters = { running: 'r', paused: 'p', stopped: 's', deleted: 'd' } as const;
const gateStates = { r: 'running', p: 'paused', s: 'stopped', d: 'deleted' } as const;

function readGate([letter, revision]: StoredGate): Gate {
  if (!Object.hasOwn(gateStates, letter)) throw new AssertionError('not a gate');
  return { state: gateStates[letter], revision: int(revision) };
}

function storeStatus(status: Status): StoredStatus {
  switch (status.state) {
    case 'active':
      return ['a', status.restarts];
    case 'failed':
      return ['f', status.code, status.retryAtMs, status.restarts];
    case 'gone':
      return ['g'];
    case 'done':
      return ['d'];
  }
}

function readStatus(stored: StoredStatus): Status {
  switch (stored[0]) {
    case 'a':
      return { state: 'active', restarts: int(stored[1]) };
    case 'f':
      return {
        state: 'failed',
        code: stored[1],
        retryAtMs: stored[2] === null ? null : number(stored[2]),
        restarts: int(stored[3]),
      };
    case 'g':
      return { state: 'gone' };
    case 'd':
      return { state: 'done' };
    default:
      throw new AssertionError('not a status');
  }
}

/** Whole microseconds and bytes are precise enough for sizing, and short. */
function storePace(pace: Pace | null): readonly [number, number] | null {
  return pace === null ? null : [Math.round(pace.usPerRecord * 100) / 100, Math.round(pace.bytesPerRecord)];
}

function readPace(stored: readonly [number, number] | null): Pace | null {
  return stored === null ? null : { usPerRecord: number(stored[0]), bytesPerRecord: number(stored[1]) };
}

function readGaps([count, records, start, end]: readonly [number, string, string, string]): Gaps {
  return { count: int(count), records: BigInt(records), start: readOffset(start), end: readOffset(end) };
}

function readOffset(digits: unknown): Offset {
  return offset(BigInt(string(digits)));
}

function readEnd(start: Offset, length: unknown): Offset {
  return offset(start + BigInt(string(length)));
}

function int(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new AssertionError('not an integer');
  return value as number;
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new AssertionError('not a number');
  return value;
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new AssertionError('not a text');
  return value;
}
