import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Json, jsonEquals } from '../../../core/json.ts';

const values: fc.Arbitrary<Json> = fc.json().map((text) => JSON.parse(text) as Json);

describe('jsonEquals', () => {
  test('finds a copy equal', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(jsonEquals(value, JSON.parse(JSON.stringify(value)) as Json)).toBe(true);
      }),
    );
  });

  test('does not look at the order of keys, at any depth', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(jsonEquals(value, backwards(value))).toBe(true);
        expect(jsonEquals(backwards(value), value)).toBe(true);
      }),
    );
  });

  test('finds two values equal just when their sorted texts are', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(jsonEquals(a, b)).toBe(sortedText(a) === sortedText(b));
      }),
    );
  });

  test.each<readonly [Json, Json]>([
    [null, 0],
    [null, {}],
    [0, '0'],
    [false, null],
    [[], {}],
    [{}, []],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, null]],
    [[null], []],
    [{ a: null }, {}],
    [{ a: null }, { b: null }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [JSON.parse('{"__proto__":null}') as Json, { a: null }],
    [JSON.parse('{"__proto__":{}}') as Json, {}],
    [{ toString: null }, {}],
  ])('tells %j from %j', (a, b) => {
    expect(jsonEquals(a, b)).toBe(false);
    expect(jsonEquals(b, a)).toBe(false);
  });

  test.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('compares %s that nest deeper than the call stack', (_, open, close) => {
    const nested = (inner: string) => JSON.parse(open.repeat(20_000) + inner + close.repeat(20_000)) as Json;

    expect(jsonEquals(nested('0'), nested('0'))).toBe(true);
    expect(jsonEquals(nested('0'), nested('1'))).toBe(false);
  });
});

/** The same, with the keys of each object in the other order. */
function backwards(value: Json): Json {
  return JSON.parse(JSON.stringify(value), (_, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).reverse()) : part,
  ) as Json;
}

function sortedText(value: Json): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isObject(part)
      ? Object.entries(part)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .flatMap(([key, each]) => [`key ${key}`, each as Json])
          .concat('object')
      : part,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
