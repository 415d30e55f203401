import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../../core/record/shape-error.ts';
import { utf8Encoder } from '../../../../plugins/converters/utf8.ts';

describe('utf8Encoder', () => {
  it('encodes text after text as UTF-8, and never over an earlier one', () => {
    const encode = utf8Encoder();
    const anyLength = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 4_000, maxLength: 4_200 }));
    fc.assert(
      fc.property(fc.array(anyLength, { maxLength: 10 }), (texts) => {
        const encoded = texts.map(encode);

        expect(encoded.map((bytes) => Buffer.from(bytes).toString())).toStrictEqual(texts);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses half a surrogate pair, which would come back as another character (I8)', () => {
    expect(() => utf8Encoder()('a\ud800')).toThrow(ShapeError);
    expect(Buffer.from(utf8Encoder()('\ud83d\ude00')).toString('hex')).toBe('f09f9880');
  });
});
