import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../../core/record/shape-error.ts';
import { base64With } from '../../../../plugins/converters/base64.ts';

describe.each([
  ['with Buffer', base64With(Buffer)],
  ['with atob and btoa', base64With(undefined)],
])('base64With (%s)', (_platform, base64) => {
  it('gives back every byte, also of a part of a buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat({ max: 3 }), (bytes, from) => {
        const part = bytes.subarray(from);

        const text = base64.encode(part);

        expect(text).toBe(Buffer.from(part).toString('base64'));
        expect(base64.decode(text)).toStrictEqual(Uint8Array.from(part));
      }),
    );
  });

  it.each(['A', 'AA', 'AAA', 'AA=', '====', 'AA==AA==', 'A A=', 'AAA=\n', 'AA-_', 'AAAA====', 'é===', '=AAA'])(
    'refuses %j',
    (text) => {
      expect(() => base64.decode(text)).toThrow(ShapeError);
    },
  );
});
