import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLenientJson } from '../../../../clients/rocketmq/lenient-json.ts';

describe('parseLenientJson', () => {
  test('reads keys that are numbers, and keys that are objects', () => {
    expect(parseLenientJson('{"brokerAddrs":{0:"127.0.0.1:10911",1:"x"}}')).toEqual({
      brokerAddrs: { '0': '127.0.0.1:10911', '1': 'x' },
    });
    expect(parseLenientJson('{"t":{{"queueId":0}:{"max":9223372036854775807},{"queueId":1}:{"max":2}}, "tps":0.5}')).toEqual({
      t: [
        [{ queueId: 0n }, { max: 9_223_372_036_854_775_807n }],
        [{ queueId: 1n }, { max: 2n }],
      ],
      tps: 0.5,
    });
  });

  test('reads whatever JSON there is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(withNumbers(parseLenientJson(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('refuses what ends too early, goes on too long or nests too deep', () => {
    for (const text of ['', '{"a":', '["x"', '{"a":1}}', '"open', `${'['.repeat(40)}${']'.repeat(40)}`, '{a b}']) {
      expect(() => parseLenientJson(text), text).toThrow();
    }
  });
});

/** Whole numbers come as `bigint`. */
function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(withNumbers);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withNumbers(each)]));
}
