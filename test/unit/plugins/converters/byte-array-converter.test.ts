import { describe, expect, it } from 'vitest';
import { RecordError } from '../../../../core/errors.ts';
import { logicalNames, type Schema, type Value } from '../../../../core/record/schema.ts';
import { byteArrayConverter } from '../../../../plugins/converters/byte-array-converter.ts';
import { comparableDatum, converterVectors, datumOf } from '../../../support/connect-form.ts';

const converter = byteArrayConverter.create({}, 'value');

describe('byteArrayConverter', () => {
  describe('golden vectors', () => {
    for (const vector of converterVectors().filter((candidate) => byteArrayConverter.aliases.includes(candidate.class))) {
      it(vector.id, () => {
        if (vector.kind === 'toConnect') {
          const bytes = Uint8Array.from(Buffer.from(vector.inputBase64 ?? '', 'base64'));
          expect(comparableDatum(converter.toConnect('t', bytes, []))).toStrictEqual(vector.output && datumOf(vector.output));
        } else {
          const { schema, value } = datumOf(vector.input);
          const bytes = converter.fromConnect('t', schema, value);
          expect(Buffer.from(bytes ?? []).toString('base64')).toBe(vector.outputBase64);
        }
      });
    }
  });

  it('passes bytes and null through untouched', () => {
    const bytes = Uint8Array.of(1);

    expect(converter.toConnect('t', bytes, []).value).toBe(bytes);
    expect(converter.fromConnect('t', null, bytes)).toBe(bytes);
    expect(converter.fromConnect('t', { type: 'bytes', optional: true }, null)).toBeNull();
  });

  it.each<[Schema | null, Value]>([
    [null, 'text'],
    [{ type: 'string', optional: false }, 'text'],
    [{ type: 'bytes', optional: false, name: logicalNames.decimal, parameters: { scale: '2' } }, Uint8Array.of(1)],
  ])('refuses %o', (schema, value) => {
    expect(() => converter.fromConnect('t', schema, value)).toThrow(RecordError);
  });
});
