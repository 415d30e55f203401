import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparePositions, formatPosition, type Position, parsePosition } from '../../../../core/record/position.ts';

const parts = fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 2n ** 64n }));
const positions: fc.Arbitrary<Position> = fc.array(parts, { minLength: 1, maxLength: 4 });

describe('comparePositions', () => {
  test.each([
    ['1.9', '1.10'],
    ['1.10', '2'],
    ['1', '1.0'],
    ['9007199254740992', '9007199254740993'],
  ])('puts %s before %s', (first, second) => {
    const a: Position = first.split('.').map(BigInt);
    const b: Position = second.split('.').map(BigInt);

    expect(comparePositions(a, b)).toBeLessThan(0);
    expect(comparePositions(b, a)).toBeGreaterThan(0);
  });

  test('is an order: equal to itself only, the same from both sides, and transitive', () => {
    fc.assert(
      fc.property(positions, positions, positions, (a, b, c) => {
        expect(comparePositions(a, b) === 0).toBe(formatPosition(a) === formatPosition(b));
        expect(Math.sign(comparePositions(a, b)) + Math.sign(comparePositions(b, a))).toBe(0);
        if (comparePositions(a, b) <= 0 && comparePositions(b, c) <= 0) expect(comparePositions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe('formatPosition', () => {
  test('writes the parts in decimal, and is read back digit for digit (I8)', () => {
    expect(formatPosition([12n, 3_456n, 7n])).toBe('12.3456.7');
    fc.assert(
      fc.property(positions, (position) => {
        expect(parsePosition(formatPosition(position))).toEqual(position);
      }),
    );
  });
});

describe('parsePosition', () => {
  test.each(['', '.', '1.', '.1', '1..2', '-1', '1e3', '0x1', ' 1', '1 ', '1.2\n', '1,2', '١'])('is undefined for %j', (text) => {
    expect(parsePosition(text)).toBeUndefined();
  });
});
