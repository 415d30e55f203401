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
  type FirstRecord,
  type Gaps,
  type Gate,
  type Holder,
  type LogCursor,
  type OpenRange,
  type Pace,
  type Status,
} from './cursor.ts';

const FORMAT = 1;

type StoredGate = readonly [state: 'r' | 'p' | 's' | 'd', revision: number];
/** Active with its restarts, failed with code, retry time and restarts, gone with its restarts, done. */
type StoredStatus =
  | readonly ['a', number]
  | readonly ['f', ErrorCode, number | null, number]
  | readonly ['g', number]
  | readonly ['d'];
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
  /** Absent in documents of versions that did not know it. */
  readonly f?: readonly [at: string, storedAtMs: number];
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

/** What was parsed may be anything: each field is checked where it is read. Numbers are by the same rule where they are stored. */
type Unchecked<T> = { readonly [K in keyof T]?: unknown };

/** @throws {AssertionError} for a cursor that no version could read back: what is stored stays. */
export function encodeCursor(cursor: Cursor): string {
  if (cursor.kind === 'log') assertLogCursor(cursor);
  return JSON.stringify(cursor.kind === 'log' ? storeLog(cursor) : storeCheckpoint(cursor));
}

/** @throws {FatalTaskError} `store.document_corrupt` or `store.document_newer`, naming the shard. */
export function decodeCursor(text: string, shard: ShardId): Cursor {
  try {
    const stored = JSON.parse(text) as Unchecked<StoredLogCursor> & Unchecked<StoredCheckpointCursor>;
    if (typeof stored.v === 'number' && stored.v > FORMAT) throw newer(shard, stored.v);
    if (stored.v !== FORMAT) throw new AssertionError('not a format');
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
  const { gaps, firstRecord } = cursor;
  return {
    v: FORMAT,
    k: 'l',
    g: int(cursor.generation),
    gt: storeGate(cursor.gate),
    s: storeStatus(cursor.status),
    n: String(cursor.next),
    e: int(cursor.epoch),
    o: cursor.open.map(storeRange),
    p: storePace(cursor.pace),
    t: cursor.lastStoredAtMs === null ? null : number(cursor.lastStoredAtMs),
    ...(firstRecord === null ? {} : { f: [String(firstRecord.at), number(firstRecord.storedAtMs)] }),
    x: gaps === null ? null : [int(gaps.count), String(gaps.records), String(gaps.start), String(gaps.end)],
  };
}

function readLog(stored: Unchecked<StoredLogCursor>): LogCursor {
  return {
    kind: 'log',
    generation: int(stored.g),
    gate: readGate(stored.gt),
    status: readStatus(stored.s),
    next: readOffset(stored.n),
    epoch: int(stored.e),
    open: list(stored.o).map(readRange),
    pace: readPace(stored.p),
    lastStoredAtMs: stored.t === null ? null : number(stored.t),
    firstRecord: stored.f === undefined ? null : readFirstRecord(stored.f),
    gaps: stored.x === null ? null : readGaps(stored.x),
  };
}

function storeCheckpoint(cursor: CheckpointCursor): StoredCheckpointCursor {
  return {
    v: FORMAT,
    k: 'c',
    g: int(cursor.generation),
    gt: storeGate(cursor.gate),
    s: storeStatus(cursor.status),
    c: cursor.checkpoint,
    cl: cursor.clean,
    e: int(cursor.epoch),
    a: int(cursor.attempts),
    d: int(cursor.deaths),
    h: cursor.holder === null ? null : [cursor.holder.owner, number(cursor.holder.deadlineAtMs)],
    r: number(cursor.retryAtMs),
    er: cursor.error,
    pa: number(cursor.pollAtMs),
    p: storePace(cursor.pace),
  };
}

function readCheckpoint(stored: Unchecked<StoredCheckpointCursor>): CheckpointCursor {
  if (stored.k !== 'c' || typeof stored.cl !== 'boolean' || stored.c === undefined) throw new AssertionError('not a cursor');
  return {
    kind: 'checkpoint',
    generation: int(stored.g),
    gate: readGate(stored.gt),
    status: readStatus(stored.s),
    checkpoint: stored.c as Json,
    clean: stored.cl,
    epoch: int(stored.e),
    attempts: int(stored.a),
    deaths: int(stored.d),
    holder: stored.h === null ? null : readHolder(list(stored.h)),
    retryAtMs: number(stored.r),
    error: readError(stored.er),
    pollAtMs: number(stored.pa),
    pace: readPace(stored.p),
  };
}

function storeRange(range: OpenRange): StoredRange {
  const start = String(range.start);
  const deaths = int(range.deaths);
  const attempts = int(range.attempts);
  if (range.kind === 'free')
    return ['f', start, String(range.end - range.start), deaths, attempts, number(range.retryAtMs), range.error];
  const length = range.end === null ? null : String(range.end - range.start);
  const { owner, deadlineAtMs } = range.holder;
  return ['h', start, length, deaths, attempts, int(range.epoch), owner, number(deadlineAtMs)];
}

function readRange(stored: unknown): OpenRange {
  const [letter, first, length, deaths, attempts, ...rest] = list(stored);
  const start = readOffset(first);
  const troubles = { deaths: int(deaths), attempts: int(attempts) };
  if (letter === 'f') {
    const [retryAtMs, error] = rest;
    return {
      kind: 'free',
      start,
      end: readEnd(start, length),
      ...troubles,
      retryAtMs: number(retryAtMs),
      error: readError(error),
    };
  }
  if (letter !== 'h') throw new AssertionError('not a range');
  const [epoch, ...holder] = rest;
  const end = length === null ? null : readEnd(start, length);
  return { kind: 'held', start, end, ...troubles, epoch: int(epoch), holder: readHolder(holder) };
}

function readHolder([owner, deadlineAtMs]: readonly unknown[]): Holder {
  return { owner: string(owner), deadlineAtMs: number(deadlineAtMs) };
}

function storeGate({ state, revision }: Gate): StoredGate {
  return [gateLetters[state], int(revision)];
}

const gateLetters = { running: 'r', paused: 'p', stopped: 's', deleted: 'd' } as const;
const gateStates = { r: 'running', p: 'paused', s: 'stopped', d: 'deleted' } as const;

function readGate(stored: unknown): Gate {
  const [letter, revision] = list(stored);
  if (typeof letter !== 'string' || !Object.hasOwn(gateStates, letter)) throw new AssertionError('not a gate');
  return { state: gateStates[letter as keyof typeof gateStates], revision: int(revision) };
}

function storeStatus(status: Status): StoredStatus {
  switch (status.state) {
    case 'active':
      return ['a', int(status.restarts)];
    case 'failed':
      return ['f', status.code, status.retryAtMs === null ? null : number(status.retryAtMs), int(status.restarts)];
    case 'gone':
      return ['g', int(status.restarts)];
    case 'done':
      return ['d'];
  }
}

function readStatus(stored: unknown): Status {
  const [letter, ...rest] = list(stored);
  switch (letter) {
    case 'a':
      return { state: 'active', restarts: int(rest[0]) };
    case 'f': {
      const [failure, retryAtMs, restarts] = rest;
      const retry = retryAtMs === null ? null : number(retryAtMs);
      return { state: 'failed', code: code(failure), retryAtMs: retry, restarts: int(restarts) };
    }
    case 'g':
      // Absent in documents of versions that did not keep it.
      return { state: 'gone', restarts: rest[0] === undefined ? 0 : int(rest[0]) };
    case 'd':
      return { state: 'done' };
    default:
      throw new AssertionError('not a status');
  }
}

/** Hundredths of a microsecond and whole bytes are precise enough for sizing, and short. */
function storePace(pace: Pace | null): readonly [number, number] | null {
  return pace === null ? null : [number(Math.round(pace.usPerRecord * 100) / 100), number(Math.round(pace.bytesPerRecord))];
}

function readPace(stored: unknown): Pace | null {
  if (stored === null) return null;
  const [usPerRecord, bytesPerRecord] = list(stored);
  return { usPerRecord: number(usPerRecord), bytesPerRecord: number(bytesPerRecord) };
}

function readFirstRecord(stored: unknown): FirstRecord {
  const [at, storedAtMs] = list(stored);
  return { at: readOffset(at), storedAtMs: number(storedAtMs) };
}

function readGaps(stored: unknown): Gaps {
  const [count, records, start, end] = list(stored);
  return { count: int(count), records: digits(records), start: readOffset(start), end: readOffset(end) };
}

function readError(stored: unknown): ErrorCode | null {
  return stored === null ? null : code(stored);
}

function readOffset(value: unknown): Offset {
  return offset(digits(value));
}

function readEnd(start: Offset, length: unknown): Offset {
  return offset(start + digits(length));
}

/** Decimal digits only: `BigInt` alone would also take an empty text, blanks and hexadecimal. */
function digits(value: unknown): bigint {
  if (typeof value !== 'string' || !/^\d+$/.test(value)) throw new AssertionError('not digits');
  return BigInt(value);
}

function int(value: unknown): number {
  if (!Number.isInteger(value)) throw new AssertionError('not an integer');
  return number(value);
}

/** No count, time or size is negative, or beyond what a `number` holds exactly. */
function number(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new AssertionError('not a number');
  return value;
}

/** Any text: versions that share a format may know different codes. */
function code(value: unknown): ErrorCode {
  return string(value) as ErrorCode;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new AssertionError('not a list');
  return value as readonly unknown[];
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new AssertionError('not a text');
  return value;
}
