import { describe, expect, it } from 'vitest';
import { logicalNames, type Schema, type Value } from '../../../../core/record/schema.ts';
import { valueText } from '../../../../plugins/converters/value-text.ts';

const double: Schema = { type: 'float64', optional: false };
const float: Schema = { type: 'float32', optional: false };
const decimal: Schema = { type: 'bytes', optional: false, name: logicalNames.decimal, parameters: { scale: '2' } };
const string: Schema = { type: 'string', optional: true };

describe('valueText', () => {
  it.each<[Schema | null, Value, string]>([
    [null, true, 'true'],
    [null, 1, '1'],
    [null, 1.5, '1.5'],
    [null, 12345678901234567n, '12345678901234567'],
    [null, [1, 'a', null], '[1, a, null]'],
    [null, { a: { b: [] } }, '{a={b=[]}}'],
    [null, new Map<Value, Value>([[1, 'x']]), '{1=x}'],
    [double, 1, '1.0'],
    [double, -0, '-0.0'],
    [double, 0.001, '0.001'],
    [double, 0.00099, '9.9E-4'],
    [double, 9999999, '9999999.0'],
    [double, 1e7, '1.0E7'],
    [double, 1.5e300, '1.5E300'],
    [double, Number.NaN, 'NaN'],
    [double, Number.NEGATIVE_INFINITY, '-Infinity'],
    [float, Math.fround(1.1), '1.1'],
    [float, Math.fround(1.5e10), '1.5E10'],
    [decimal, Uint8Array.of(0x30, 0x39), '123.45'],
    [{ type: 'int64', optional: false, name: logicalNames.timestamp }, 1483425001864n, '1483425001864'],
    [{ type: 'array', optional: false, items: double }, [1], '[1.0]'],
    [{ type: 'map', optional: false, keys: string, values: double }, new Map([['a', 1]]), '{a=1.0}'],
    [
      {
        type: 'struct',
        optional: false,
        fields: [
          { name: 'a', schema: double },
          { name: 'b', schema: string },
          { name: 'c', schema: string },
        ],
      },
      { a: 1, b: null, c: 'x' },
      'Struct{a=1.0,c=x}',
    ],
  ])('prints as Java does: %o, %o', (schema, value, text) => {
    expect(valueText(schema, value)).toBe(text);
  });
});
