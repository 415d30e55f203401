/** The cursor: pure transitions, the codec, and the size of what is stored. */
import { claim, type LogClaimRequest, type LogSlice } from '../core/cursor/claim.ts';
import { decodeCursor, encodeCursor } from '../core/cursor/codec.ts';
import { commit, fail, type Progress, release } from '../core/cursor/commit.ts';
import { createLogCursor, type LogCursor, OPEN_RANGES_MAX } from '../core/cursor/cursor.ts';
import { raiseGate } from '../core/cursor/steer.ts';
import { advance, type Offset, offset } from '../core/offset.ts';
import { shardId } from '../core/shard-id.ts';
import type { Report } from './figure.ts';

const ROUNDS = 5;
const ROUND_MS = 300;
const WARM_UP_MS = 300;

const GOAL_TRANSITIONS_PER_SECOND = 500_000;
/** One DynamoDB write unit. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html */
const GOAL_STORED_BYTES = 1_024;

/** After a year of a busy queue, as long in digits as an offset gets. */
const START = offset(9_223_372_036_000_000_000n);
const MAX = advance(START, 800_000_000_000);
const NOW_MS = 1_800_000_000_000;
const SLICE_RECORDS = 10_000;

export async function run(report: Report): Promise<void> {
  report.note(`one queue, 1 to ${OPEN_RANGES_MAX} slices held at once; Node ${process.version}`);
  report.figure({
    name: 'transitions: claim, commit, commit and claim, release, fail',
    value: perSecond(transitions),
    unit: 'transitions/s',
    goal: { atLeast: GOAL_TRANSITIONS_PER_SECOND },
  });
  const cursor = heldCursor(OPEN_RANGES_MAX);
  const text = encodeCursor(cursor);
  const shard = shardId('uid', ['queue', 'orders', 'broker-a', '0']);
  const roundTrips = perSecond(() => {
    decodeCursor(encodeCursor(cursor), shard);
    return 1;
  });
  report.note(
    `encode and decode with ${OPEN_RANGES_MAX} slices: ${Math.round(roundTrips).toLocaleString('en-US')} round trips/s`,
  );
  report.figure({
    name: `stored size with ${OPEN_RANGES_MAX} held slices`,
    value: Buffer.byteLength(text),
    unit: 'bytes',
    goal: { atMost: GOAL_STORED_BYTES },
  });
}

/** `work` answers how much it did. */
function perSecond(work: () => number): number {
  measure(work, WARM_UP_MS);
  let sum = 0;
  for (let round = 0; round < ROUNDS; round += 1) sum += measure(work, ROUND_MS);
  return sum / ROUNDS;
}

function measure(work: () => number, durationMs: number): number {
  const startedAtMs = performance.now();
  let done = 0;
  let elapsedMs = 0;
  while (elapsedMs < durationMs) {
    done += work();
    elapsedMs = performance.now() - startedAtMs;
  }
  return (done / elapsedMs) * 1_000;
}

const LOOPS = 16;

/** Each number of slices for a while: each slice commits half, then the rest and claims the next; one in eight is given back. */
function transitions(): number {
  let count = 0;
  for (let held = 1; held <= OPEN_RANGES_MAX; held += 1) {
    let cursor = emptyCursor();
    const slices: LogSlice[] = [];
    for (let index = 0; index < held * LOOPS; index += 1) {
      const slice = slices.length < held ? undefined : slices.shift();
      if (slice !== undefined) {
        cursor = index % 8 === 7 ? left(cursor, slice, index) : committed(cursor, slice);
        count += index % 8 === 7 ? 1 : 2;
      }
      const answer = claim(cursor, request(held, index));
      count += 1;
      if (answer.kind === 'refused') throw new Error(`refused: ${answer.reason}`);
      cursor = answer.cursor;
      slices.push(answer.slice);
    }
  }
  return count;
}

function committed(cursor: LogCursor, slice: LogSlice): LogCursor {
  const half = commit(cursor, progress(slice, slice.start, middleOf(slice)), NOW_MS + 20_000);
  return commit(half, progress(slice, middleOf(slice), endOf(slice)), NOW_MS + 20_000);
}

function left(cursor: LogCursor, slice: LogSlice, index: number): LogCursor {
  const end = endOf(slice);
  const delivered = progress(slice, slice.start, middleOf(slice));
  return index % 16 === 15
    ? release(cursor, delivered, end)
    : fail(cursor, delivered, { readEnd: end, error: 'target.unavailable', retryAtMs: NOW_MS });
}

function progress({ epoch, generation }: LogSlice, from: Offset, upTo: Offset): Progress {
  return { epoch, generation, from, upTo, storedAtMs: NOW_MS, pace: { usPerRecord: 12.34, bytesPerRecord: 1_024 } };
}

function middleOf(slice: LogSlice): Offset {
  return advance(slice.start, (endOf(slice) - slice.start) / 2n);
}

function endOf({ start, end }: LogSlice): Offset {
  return end ?? start;
}

function request(heldMax: number, index: number): LogClaimRequest {
  return {
    holder: { owner: `Qx7kz3f9a2/Zm9vYmFyYm.${index % 10}`, deadlineAtMs: NOW_MS + 20_000 },
    nowMs: NOW_MS,
    revision: 12,
    graceMs: 5_000,
    ended: [],
    records: SLICE_RECORDS,
    max: MAX,
    ordered: false,
    heldMax,
  };
}

function emptyCursor(): LogCursor {
  return raiseGate({ ...createLogCursor(START), epoch: 12_345_678 }, { state: 'running', revision: 12 });
}

function heldCursor(held: number): LogCursor {
  let cursor = emptyCursor();
  for (let index = 0; index < held; index += 1) {
    const answer = claim(cursor, request(held, index));
    if (answer.kind === 'claimed') cursor = answer.cursor;
  }
  return cursor;
}
