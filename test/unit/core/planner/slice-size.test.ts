import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextSliceRecords, sliceSize } from '../../../../core/planner/slice-size.ts';
import { aConnector } from '../../../support/planning.ts';

const MIB = 1024 * 1024;

function recordsOf({ usPerRecord = 1_000, bytesPerRecord = 100, k = 1, sliceTargetMs = 2_000, storeRoundTripMs = 1 }) {
  const terms = { sliceTargetMs, storeRoundTripMs };
  return sliceSize({ usPerRecord, bytesPerRecord }, aConnector({ slicesPerShardMax: k }), terms).records;
}

describe('sliceSize', () => {
  test('takes a thousand records before anybody has measured', () => {
    const slice = sliceSize(null, aConnector(), { sliceTargetMs: 2_000, storeRoundTripMs: 1 });

    expect(slice).toEqual({ records: 1_000, bytes: 32 * MIB, durationMs: 4_000, isUnpaced: true });
  });

  test('takes as many records as fill the target duration at the pace of the shard', () => {
    expect(recordsOf({ usPerRecord: 1_000 })).toBe(2_000);
    expect(recordsOf({ usPerRecord: 500 })).toBe(4_000);
  });

  test('lasts four round trips of the store for each slice that runs beside it', () => {
    expect(recordsOf({ k: 8, storeRoundTripMs: 100 })).toBe(4 * 8 * 100);
    expect(recordsOf({ k: 8, storeRoundTripMs: 50 })).toBe(2_000);
  });

  test('lasts no longer than ten seconds, however slow the store is', () => {
    expect(recordsOf({ k: 8, storeRoundTripMs: 5_000 })).toBe(10_000);
  });

  test('takes no more records than fit 32 MB', () => {
    expect(recordsOf({ bytesPerRecord: 64 * 1024 })).toBe(512);
  });

  test('stays between a hundred and a hundred thousand records, at any pace', () => {
    const numbers = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: 1, max: 64 }), (usPerRecord, bytesPerRecord, k) => {
        const records = recordsOf({ usPerRecord, bytesPerRecord, k });

        expect(Number.isInteger(records)).toBe(true);
        expect(records).toBeGreaterThanOrEqual(100);
        expect(records).toBeLessThanOrEqual(100_000);
      }),
    );
  });
});

describe('nextSliceRecords', () => {
  const pace = { usPerRecord: 100, bytesPerRecord: 100 };

  test('goes by the pace once somebody has measured it', () => {
    const unpaced = sliceSize(null, aConnector(), { sliceTargetMs: 2_000, storeRoundTripMs: 1 });

    expect(nextSliceRecords(unpaced, null)).toBe(1_000);
    expect(nextSliceRecords(unpaced, pace)).toBe(20_000);
    expect(nextSliceRecords(unpaced, { ...pace, usPerRecord: 10_000 })).toBe(1_000);
  });

  test('is what the planner wants where it went by a pace', () => {
    const paced = sliceSize({ ...pace, usPerRecord: 1_000 }, aConnector(), { sliceTargetMs: 2_000, storeRoundTripMs: 1 });

    expect(nextSliceRecords(paced, pace)).toBe(2_000);
  });
});
