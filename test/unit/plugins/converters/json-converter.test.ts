import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordError } from '../../../../core/errors.ts';
import { parseJson } from '../../../../core/record/lossless-json.ts';
import type { Schema, Value } from '../../../../core/record/schema.ts';
import type { Converter } from '../../../../plugins/api/converter.ts';
import { jsonConverter } from '../../../../plugins/converters/json-converter.ts';
import { anyJsonValue, anyTyped } from '../../../support/arbitrary-values.ts';
import { type ConverterVector, comparableDatum, converterVectors, datumOf } from '../../../support/connect-form.ts';
import { bytesOf, textOf } from '../../../support/log-records.ts';

const { aliases, config: Config } = jsonConverter;
const vectors = converterVectors().filter((vector) => aliases.includes(vector.class));

/** Where Kafka Connect lets a misfit through as another value, and the misfit is refused here (I8). */
const REFUSED_HERE = new Map([
  ['JsonConverter-085', 'reads the text "x" as the int32 0'],
  ['JsonConverter-092', 'reads 300 as the int8 44'],
  ['JsonConverter-095', 'reads 5 as a null in a required string'],
  ['JsonConverter-107', 'reads 1.2345 as a decimal of scale 2 that no longer fits its schema'],
]);

/** Java's value has no counterpart: a decimal without a schema. Kafka Connect cannot write it either. */
const UNREPRESENTABLE = ['JsonConverter-079'];

describe('jsonConverter', () => {
  describe('golden vectors', () => {
    for (const vector of vectors) {
      const difference = REFUSED_HERE.get(vector.id);
      if (UNREPRESENTABLE.includes(vector.id)) {
        it(`${vector.id} has a value that does not exist here`, () => {
          expect(() => answer(vector)).toThrow('has no form in memory');
        });
      } else if (difference !== undefined) {
        it(`${vector.id} is refused, where Kafka Connect ${difference} (I8)`, () => {
          expect(() => answer(vector)).toThrow(RecordError);
        });
      } else if (vector.error !== undefined) {
        it(`${vector.id} is refused`, () => {
          expect(() => answer(vector)).toThrow(RecordError);
        });
      } else {
        it(vector.id, () => {
          expect(answer(vector)).toStrictEqual(wanted(vector));
        });
      }
    }
  });

  it('gives back every value with its schema, through the envelope (I8)', () => {
    fc.assert(
      fc.property(anyTyped, ({ schema, value }) => {
        const converter = aConverter();

        const first = converter.fromConnect('t', schema, value);

        deepStrictEqual(comparableDatum(converter.toConnect('t', first, [])), { schema, value });
        // The second time the head of the document is known.
        deepStrictEqual(comparableDatum(converter.toConnect('t', converter.fromConnect('t', schema, value), [])), {
          schema,
          value,
        });
      }),
    );
  });

  it('gives back every value with its schema, decimals as numbers (I8)', () => {
    fc.assert(
      fc.property(anyTyped, ({ schema, value }) => {
        const converter = aConverter({ 'decimal.format': 'NUMERIC' });

        const bytes = converter.fromConnect('t', schema, value);

        deepStrictEqual(comparableDatum(converter.toConnect('t', bytes, [])), { schema, value });
        deepStrictEqual(comparableDatum(converter.toConnect('t', bytes, [])), { schema, value });
      }),
    );
  });

  it.each(['true', 'false'])('gives back every value without a schema, with schemas.enable=%s (I8)', (enabled) => {
    const converter = aConverter({ 'schemas.enable': enabled });
    fc.assert(
      fc.property(
        anyJsonValue.filter((value) => value !== null),
        (value) => {
          deepStrictEqual(comparableDatum(converter.toConnect('t', converter.fromConnect('t', null, value), [])), {
            schema: null,
            value,
          });
        },
      ),
    );
  });

  it('writes with a schema and no envelope what the envelope holds', () => {
    fc.assert(
      fc.property(anyTyped, ({ schema, value }) => {
        const enveloped = textOf(aConverter().fromConnect('t', schema, value)) ?? '';
        const plain = textOf(aConverter({ 'schemas.enable': 'false' }).fromConnect('t', schema, value)) ?? '';

        expect(enveloped.endsWith(`,"payload":${plain}}`)).toBe(true);
      }),
    );
  });

  describe('toConnect', () => {
    it.each([
      ['{"type":"int8"}', '128'],
      ['{"type":"int8"}', '1.5'],
      ['{"type":"int32"}', '2147483648'],
      ['{"type":"int32"}', 'true'],
      ['{"type":"int64"}', '9223372036854775808'],
      ['{"type":"int64"}', '"1"'],
      ['{"type":"int64"}', '1e17'],
      ['{"type":"float"}', '1e39'],
      ['{"type":"double"}', '1e400'],
      ['{"type":"double"}', '"1.5"'],
      ['{"type":"boolean"}', '"true"'],
      ['{"type":"string"}', 'false'],
      ['{"type":"bytes"}', '"A"'],
      ['{"type":"bytes"}', '"_-8="'],
      ['{"type":"bytes"}', '5'],
      ['{"type":"int32","name":"org.apache.kafka.connect.data.Time"}', '86400001'],
      ['{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}}', '1.005'],
      ['{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}}', '""'],
      ['{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal"}', '1'],
      ['{"type":"array","items":{"type":"int8"}}', '{}'],
      ['{"type":"array","items":{"type":"int8"}}', '[1,null]'],
      ['{"type":"map","keys":{"type":"string"},"values":{"type":"int8"}}', '[["a",1]]'],
      ['{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}}', '[[1]]'],
      ['{"type":"struct","fields":[{"type":"int8","field":"constructor"}]}', '{}'],
      ['{"type":"struct","fields":[]}', '[]'],
    ])('refuses a payload that does not have the shape: %s of %s (I8)', (schema, payload) => {
      expect(() => read(`{"schema":${schema},"payload":${payload}}`)).toThrow(
        expect.objectContaining({ name: 'RecordError', code: 'record.conversion_failed' }),
      );
    });

    it('names the field that does not fit, and quotes nothing', () => {
      const schema =
        '{"type":"struct","fields":[{"type":"array","items":{"type":"struct","fields":[{"type":"int32","field":"zip"}]},"field":"homes"}]}';

      expect(() => read(`{"schema":${schema},"payload":{"homes":[{"zip":1},{"zip":"secret"}]}}`)).toThrow(
        /^homes\.1\.zip: expected int32, found text$/,
      );
    });

    it('reads decimals written as numbers, to the scale of the schema', () => {
      const schema = '{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"20"}}';

      expect(unscaled(read(`{"schema":${schema},"payload":1.5}`))).toBe(150000000000000000000n);
      expect(unscaled(read(`{"schema":${schema},"payload":0.12345678901234567891}`))).toBe(12345678901234567891n);
      expect(unscaled(read(`{"schema":${schema},"payload":123456789012345678}`))).toBe(12345678901234567800000000000000000000n);
    });

    it('reads as float what Kafka Connect writes for numbers that JSON does not have', () => {
      expect(read('{"schema":{"type":"double"},"payload":"NaN"}').value).toBe(Number.NaN);
      expect(read('{"schema":{"type":"float"},"payload":"-Infinity"}').value).toBe(Number.NEGATIVE_INFINITY);
    });

    it('reads fields with hostile names as fields', () => {
      const fields = ['__proto__', 'constructor'].map((name) => `{"type":"int32","field":"${name}"}`).join(',');

      const { value } = read(`{"schema":{"type":"struct","fields":[${fields}]},"payload":{"__proto__":1,"constructor":2}}`);

      expect(Object.entries(value as object)).toStrictEqual([
        ['__proto__', 1],
        ['constructor', 2],
      ]);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    });

    it('refuses bytes that are not UTF-8', () => {
      const bytes = Uint8Array.of(0x22, 0xff, 0x22);

      expect(() => aConverter({ 'schemas.enable': 'false' }).toConnect('t', bytes, [])).toThrow('the bytes are not UTF-8');
    });

    it('passes over a byte order mark', () => {
      expect(read('\ufeff1', { 'schemas.enable': 'false' }).value).toBe(1);
    });

    it('refuses a payload nested beyond the stack', () => {
      const schema = '{"type":"int64"}';
      const deep = `${'['.repeat(100_000)}12345678901234567${']'.repeat(100_000)}`;

      expect(() => read(`{"schema":${schema},"payload":${deep}}`)).toThrow(RecordError);
    });

    it('keeps the bytes it read', () => {
      const bytes = bytesOf('1');

      expect(aConverter({ 'schemas.enable': 'false' }).toConnect('t', bytes, []).bytes).toBe(bytes);
    });
  });

  describe('fromConnect', () => {
    it.each<[Schema, Value]>([
      [{ type: 'int8', optional: false }, 128],
      [{ type: 'int16', optional: false }, 1.5],
      [{ type: 'int32', optional: false }, 1n],
      [{ type: 'int64', optional: false }, 1],
      [{ type: 'int64', optional: false }, 2n ** 63n],
      [{ type: 'float32', optional: false }, 1e39],
      [{ type: 'float64', optional: false }, '1'],
      [{ type: 'boolean', optional: false }, 1],
      [{ type: 'string', optional: false }, 1],
      [{ type: 'bytes', optional: false }, 'AA=='],
      [{ type: 'string', optional: false }, null],
      [{ type: 'array', optional: false, items: { type: 'int8', optional: false } }, [null]],
      [
        { type: 'map', optional: false, keys: { type: 'string', optional: false }, values: { type: 'int8', optional: false } },
        { a: 1 },
      ],
      [{ type: 'struct', optional: false, fields: [{ name: 'toString', schema: { type: 'string', optional: false } }] }, {}],
      [{ type: 'struct', optional: true, fields: [] }, []],
    ])('refuses a value that does not have the shape: %o of %o (I8)', (schema, value) => {
      expect(() => aConverter().fromConnect('t', schema, value)).toThrow(
        expect.objectContaining({ name: 'RecordError', code: 'record.conversion_failed' }),
      );
    });

    it('writes a float32 with as many digits as tell it from the next', () => {
      const schema: Schema = { type: 'float32', optional: false };

      expect(textOf(aConverter({ 'schemas.enable': 'false' }).fromConnect('t', schema, Math.fround(1.1)))).toBe('1.1');
    });

    it('writes no bytes for a null without a schema, and null for one with', () => {
      const plain = aConverter({ 'schemas.enable': 'false' });

      expect(plain.fromConnect('t', null, null)).toBeNull();
      expect(textOf(plain.fromConnect('t', { type: 'string', optional: true }, null))).toBe('null');
    });
  });
});

function answer(vector: ConverterVector): unknown {
  const converter = aConverter(vector.config);
  if (vector.kind === 'toConnect')
    return comparableDatum(converter.toConnect('t', vector.input == null ? null : bytesOf(vector.input), []));
  const { schema, value } = datumOf(vector.input);
  const text = textOf(converter.fromConnect('t', schema, value));
  return text === null ? null : parseJson(text);
}

function wanted(vector: ConverterVector): unknown {
  if (vector.kind === 'toConnect') return vector.output && datumOf(vector.output);
  return vector.output == null ? null : parseJson(vector.output);
}

function aConverter(config: Readonly<Record<string, string>> = {}): Converter {
  return jsonConverter.create(Config.parse(config), 'value');
}

function read(text: string, config?: Readonly<Record<string, string>>) {
  return aConverter(config).toConnect('t', bytesOf(text), []);
}

function unscaled({ value }: { readonly value: Value }): bigint {
  return BigInt(`0x${Buffer.from(value as Uint8Array).toString('hex')}`);
}
