/** How much one slice takes. */
import type { Pace } from '../cursor/cursor.ts';
import type { SliceBounds } from '../offer.ts';
import type { PlannedConnector, PlannerTerms } from './view.ts';

/** Before anybody has measured: two batches of Kafka Connect's default size. */
const RECORDS_FIRST = 1_000;
const RECORDS_MIN = 100;
/** What a crash may have to do again. */
const RECORDS_MAX = 100_000;

/** A slice stops here at the latest, well inside its claim of 20 s. */
const DURATION_MAX_MS = 10_000;

/** One that takes so much longer than it was planned to stops, too: on few hosts others wait for its place. */
const OVERTIME = 2;

/** What a host with 512 MB can surely hold, several times over. */
const BYTES_MAX = 32 * 1024 * 1024;

/**
 * K invocations write one cursor, and each write meets those of the others: with slices shorter than so many round trips for
 * each of them, conflicts eat what parallelism brings.
 */
const ROUND_TRIPS_PER_SLICE = 4;

/** Sized by the shard's pace towards the target duration. */
export function sliceSize(
  pace: Pace | null,
  { slicesPerShardMax }: PlannedConnector,
  { sliceTargetMs, storeRoundTripMs }: PlannerTerms,
): SliceBounds {
  const leastMs = ROUND_TRIPS_PER_SLICE * slicesPerShardMax * storeRoundTripMs;
  const targetMs = Math.min(Math.max(sliceTargetMs, leastMs), DURATION_MAX_MS);
  const bounds = { bytes: BYTES_MAX, durationMs: Math.min(OVERTIME * targetMs, DURATION_MAX_MS) };
  return pace === null
    ? { records: RECORDS_FIRST, ...bounds, isUnpaced: true }
    : { records: recordsIn(targetMs, pace), ...bounds };
}

/**
 * For the next slice of an invocation: an offer that was sent before anybody had measured would end each of them after a moment,
 * with writes to store and target that cost more than the records do.
 */
export function nextSliceRecords({ records, durationMs, isUnpaced }: SliceBounds, pace: Pace | null): number {
  return isUnpaced && pace !== null ? Math.max(records, recordsIn(durationMs / OVERTIME, pace)) : records;
}

function recordsIn(targetMs: number, { usPerRecord, bytesPerRecord }: Pace): number {
  const byTime = (targetMs * 1_000) / Math.max(usPerRecord, 0.01);
  const byBytes = BYTES_MAX / Math.max(bytesPerRecord, 1);
  return Math.round(Math.min(Math.max(Math.min(byTime, byBytes), RECORDS_MIN), RECORDS_MAX));
}
