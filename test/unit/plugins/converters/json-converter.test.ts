import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordError } from '../../../../core/errors.ts';
import { parseJson } from '../../../../core/record/lossless-json.ts';
import type { Converter } from '../../../../plugins/api/converter.ts';
import { jsonConverter } from '../../../../plugins/converters/json-converter.ts';
import {
  comparableDatum,
  converterVectors,
  datumOf,
  type FromConnectVector,
  type ToConnectVector,
} from '../../../support/connect-form.ts';
import { bytesOf, textOf } from '../../../support/log-records.ts';

const { aliases, config: Config } = jsonConverter;
const vectors = converterVectors().filter((vector) => aliases.includes(vector.class));

/** Where Kafka Connect lets a misfit through as another value, and the misfit is refused here (I8). */
const REFUSED_HERE = new Map([
  ['JsonConverter-085', 'reads the text "x" as the int32 0'],
  ['JsonConverter-092', 'reads 300 as the int8 44'],
  ['JsonConverter-095', 'reads 5 as a null in a required string'],
  ['JsonConverter-107', 'reads 1.2345 as a decimal of scale 2 that no longer fits its schema'],
  ['JsonConverter-079', 'has decimals without a schema; in memory there are none here'],
]);

describe('jsonConverter', () => {
  describe('golden vectors', () => {
    for (const vector of vectors) {
      const difference = REFUSED_HERE.get(vector.id);
      if (difference !== undefined) {
        it(`${vector.id} is refused, where Kafka Connect ${difference} (I8)`, () => {
          expect(() => answer(vector)).toThrow();
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
});

function answer(vector: ToConnectVector | FromConnectVector): unknown {
  const converter = aConverter(vector.config);
  if (vector.kind === 'toConnect')
    return comparableDatum(converter.toConnect('t', vector.input == null ? null : bytesOf(vector.input), []));
  const { schema, value } = datumOf(vector.input);
  const text = textOf(converter.fromConnect('t', schema, value));
  return text === null ? null : parseJson(text);
}

function wanted(vector: ToConnectVector | FromConnectVector): unknown {
  if (vector.kind === 'toConnect') return vector.output && datumOf(vector.output);
  return vector.output == null ? null : parseJson(vector.output);
}

function aConverter(config: Readonly<Record<string, string>> = {}): Converter {
  return jsonConverter.create(Config.parse(config), 'value');
}
