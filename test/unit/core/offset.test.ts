import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../../core/assert.ts';
import { advance, maxOffset, minOffset, offset, recordsBetween } from '../../../core/offset.ts';

const OFFSET_MAX = 9_223_372_036_854_775_807n;
const offsets = fc.bigInt({ min: 0n, max: OFFSET_MAX }).map(offset);

describe('offset', () => {
  test('takes all that a signed 64-bit integer holds from zero on, digit for digit (I8)', () => {
    expect(String(offset(OFFSET_MAX))).toBe('9223372036854775807');
    expect(offset(0)).toBe(0n);
    expect(offset(42)).toBe(42n);
  });

  test.each([-1, -1n, OFFSET_MAX + 1n])('refuses %s', (value) => {
    expect(() => offset(value)).toThrow(AssertionError);
  });

  test('refuses a number that is no integer', () => {
    expect(() => offset(1.5)).toThrow(RangeError);
    expect(() => offset(Number.NaN)).toThrow(RangeError);
  });
});

describe('advance', () => {
  test('adds beyond what a number counts exactly (I8)', () => {
    expect(advance(offset(9_007_199_254_740_993n), 2)).toBe(9_007_199_254_740_995n);
  });
});

describe('minOffset and maxOffset', () => {
  test('pick the lower and the higher of two', () => {
    fc.assert(
      fc.property(offsets, offsets, (a, b) => {
        expect([minOffset(a, b), maxOffset(a, b)]).toEqual(a <= b ? [a, b] : [b, a]);
      }),
    );
  });
});

describe('recordsBetween', () => {
  test('counts what lies between, and nothing where the end comes first', () => {
    fc.assert(
      fc.property(offsets, fc.nat(), (start, records) => {
        const end = minOffset(advance(start, records), offset(OFFSET_MAX));

        expect(recordsBetween(start, end)).toBe(Number(end - start));
        expect(recordsBetween(end, start)).toBe(0);
      }),
    );
  });
});
