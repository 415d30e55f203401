import { expect } from 'vitest';
import { logicalNames, type PrimitiveType, type Schema, type Value } from '../../../core/record/schema.ts';
import { aSinkRecord, STRING, textDatum } from '../../support/connect-records.ts';
import type { SinkCase } from './sink-under-test.ts';

/** The target gives back what it was given, without coercion (I8). A target that has no such type skips the case by name. */
export function roundTripCases(check: SinkCase): void {
  for (const [what, schema, value] of fields) {
    check(`keeps ${what} (I8)`, ['heldField'], async (sink) => {
      const writer = await sink.start();
      const struct: Schema = {
        type: 'struct',
        optional: false,
        fields: [
          { name: 'id', schema: STRING },
          { name: 'field', schema },
        ],
      };
      const record = aSinkRecord({
        key: textDatum('a'),
        value: { schema: struct, value: Object.freeze({ id: 'a', field: value }) },
      });

      const { failures } = await writer.put([record]);
      await writer.flush();

      expect(failures).toEqual([]);
      expect(await sink.heldField('a')).toEqual(value);
    });
  }
}

const fields: readonly (readonly [what: string, schema: Schema, value: Value])[] = [
  ['an int8', of('int8'), -128],
  ['an int16', of('int16'), 32_767],
  ['an int32', of('int32'), -2_147_483_648],
  ['an int64', of('int64'), 42n],
  ['an int64 beyond 2^53', of('int64'), 9_007_199_254_740_993n],
  ['the largest int64', of('int64'), 2n ** 63n - 1n],
  ['the smallest int64', of('int64'), -(2n ** 63n)],
  ['a float32', of('float32'), 1.5],
  ['a float64', of('float64'), 0.1],
  ['a large float64', of('float64'), 1.7976931348623157e308],
  ['true', of('boolean'), true],
  ['false', of('boolean'), false],
  ['text', of('string'), 'größe 漢字 🚀 "quoted" \\ \' line\nbreak\ttab'],
  ['empty text', of('string'), ''],
  ['bytes', of('bytes'), Uint8Array.from({ length: 256 }, (_, byte) => byte)],
  ['empty bytes', of('bytes'), new Uint8Array()],
  ['null', { type: 'string', optional: true }, null],
  ['a null int64', { type: 'int64', optional: true }, null],
  ['an array', { type: 'array', optional: false, items: of('int64') }, [1n, 9_007_199_254_740_993n]],
  ['an empty array', { type: 'array', optional: false, items: of('string') }, []],
  ['an array with a null', { type: 'array', optional: false, items: { type: 'string', optional: true } }, ['a', null]],
  [
    'a map',
    { type: 'map', optional: false, keys: of('string'), values: of('int32') },
    new Map([
      ['b', 2],
      ['a', 1],
    ]),
  ],
  ['a struct', { type: 'struct', optional: false, fields: [{ name: 'x', schema: of('int64') }] }, { x: 7n }],
  ['a decimal', { ...of('bytes'), name: logicalNames.decimal, parameters: { scale: '2' } }, Uint8Array.from([0x30, 0x39])],
  ['a date', { ...of('int32'), name: logicalNames.date }, 20_454],
  ['a time', { ...of('int32'), name: logicalNames.time }, 86_399_999],
  ['a timestamp', { ...of('int64'), name: logicalNames.timestamp }, 1_767_225_600_123n],
];

function of(type: PrimitiveType): Schema & { readonly type: PrimitiveType } {
  return { type, optional: false };
}
