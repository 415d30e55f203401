import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float32Digits } from '../../../../plugins/converters/float32.ts';

describe('float32Digits', () => {
  it.each([1.1, 0.1, 3.4028235e38, 1.1754944e-38, 16777216, -2.5, 1e10, 0.3, 123456.79])(
    'gives %s back for its float32',
    (value) => {
      expect(float32Digits(Math.fround(value))).toBe(value);
    },
  );

  it('gives a number of the same float32, with no more digits than the float32 has as a double', () => {
    fc.assert(
      fc.property(fc.float(), (value) => {
        const digits = float32Digits(value);

        expect(Math.fround(digits)).toBe(value);
        expect(String(digits).length).toBeLessThanOrEqual(String(value).length);
      }),
    );
  });
});
