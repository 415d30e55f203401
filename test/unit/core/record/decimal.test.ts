import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decimalScale,
  decimalText,
  parseDecimal,
  unscaledAt,
  unscaledBytes,
  unscaledOf,
} from '../../../../core/record/decimal.ts';
import type { Schema } from '../../../../core/record/schema.ts';
import { ShapeError } from '../../../../core/record/shape-error.ts';

const anyUnscaled = fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n });
const anyScale = fc.integer({ min: -40, max: 40 });

describe('unscaledBytes', () => {
  it.each([
    [0n, '00'],
    [1n, '01'],
    [-1n, 'ff'],
    [127n, '7f'],
    [128n, '0080'],
    [-128n, '80'],
    [-129n, 'ff7f'],
    [12340n, '3034'],
    [2n ** 64n, '010000000000000000'],
  ])('writes %s in as few bytes as hold it', (unscaled, hex) => {
    expect(Buffer.from(unscaledBytes(unscaled)).toString('hex')).toBe(hex);
  });

  it('gives back every number (I8)', () => {
    fc.assert(
      fc.property(anyUnscaled, (unscaled) => {
        expect(unscaledOf(unscaledBytes(unscaled))).toBe(unscaled);
      }),
    );
  });
});

describe('unscaledOf', () => {
  it('reads longer forms than needed', () => {
    expect(unscaledOf(Uint8Array.of(0, 0, 1))).toBe(1n);
    expect(unscaledOf(Uint8Array.of(0xff, 0xff, 0xff))).toBe(-1n);
  });

  it('refuses no bytes', () => {
    expect(() => unscaledOf(new Uint8Array())).toThrow(ShapeError);
  });
});

describe('decimalText', () => {
  it.each([
    [12340n, 2, '123.40'],
    [-5n, 3, '-0.005'],
    [5n, 0, '5'],
    [5n, -3, '5E+3'],
    [1234n, -3, '1.234E+6'],
    [1n, 7, '1E-7'],
    [1n, 6, '0.000001'],
    [0n, 2, '0.00'],
    [0n, -2, '0E+2'],
  ])('writes %s at scale %s as Java does', (unscaled, scale, text) => {
    expect(decimalText({ unscaled, scale })).toBe(text);
  });

  it('is read back to the same decimal', () => {
    fc.assert(
      fc.property(anyUnscaled, anyScale, (unscaled, scale) => {
        expect(parseDecimal(decimalText({ unscaled, scale }))).toStrictEqual({ unscaled, scale });
      }),
    );
  });
});

describe('parseDecimal', () => {
  it.each(['', '1.', '.5', '1e', '0x1', ' 1', 'NaN'])('refuses %j', (text) => {
    expect(parseDecimal(text)).toBeUndefined();
  });
});

describe('unscaledAt', () => {
  it('appends zeros, and takes away none but zeros', () => {
    expect(unscaledAt(2, { unscaled: 15n, scale: 1 })).toBe(150n);
    expect(unscaledAt(1, { unscaled: 150n, scale: 2 })).toBe(15n);
    expect(() => unscaledAt(1, { unscaled: 151n, scale: 2 })).toThrow(ShapeError);
  });

  it('makes no number of a gigabyte of zeros', () => {
    expect(() => unscaledAt(2, { unscaled: 1n, scale: -999_999_999 })).toThrow(ShapeError);
    expect(unscaledAt(2, { unscaled: 0n, scale: -999_999_999 })).toBe(0n);
  });
});

describe('decimalScale', () => {
  it.each([undefined, {}, { scale: '' }, { scale: '1.5' }, { scale: '9'.repeat(20) }])(
    'refuses the parameters %j',
    (parameters) => {
      const schema: Schema = { type: 'bytes', optional: false, ...(parameters && { parameters }) };

      expect(() => decimalScale(schema)).toThrow(ShapeError);
    },
  );
});
