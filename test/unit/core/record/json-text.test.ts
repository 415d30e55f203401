import { describe, expect, it } from 'vitest';
import { jsonString, jsonText } from '../../../../core/record/json-text.ts';
import type { Value } from '../../../../core/record/schema.ts';

describe('jsonText', () => {
  it.each<[Value, string]>([
    [9223372036854775807n, '9223372036854775807'],
    [{ a: [1n], b: { c: -0 } }, '{"a":[1],"b":{"c":-0.0}}'],
    [[Number.NaN, Number.POSITIVE_INFINITY, 1e21], '["NaN","Infinity",1e+21]'],
    [{ a: Uint8Array.of(1, 2) }, '{"a":"2 bytes"}'],
    [new Map<Value, Value>([['a', 1n]]), '{"a":1}'],
    [new Map<Value, Value>([[1, 'x']]), '[[1,"x"]]'],
    [{}, '{}'],
    [[{}, [], 1n], '[{},[],1]'],
    [JSON.parse('{"__proto__":{"x":1}}') as Value, '{"__proto__":{"x":1}}'],
  ])('writes %o', (value, text) => {
    expect(jsonText(value, (bytes) => `${bytes.length} bytes`)).toBe(text);
  });
});

describe('jsonString', () => {
  it.each(['', 'plain', '"', '\\', '\n', '\u0000', '\ud800', '😀', 'é', 'x'.repeat(100), `${'x'.repeat(100)}"`])(
    'writes %j as JSON does',
    (text) => {
      expect(jsonString(text)).toBe(JSON.stringify(text));
    },
  );
});
