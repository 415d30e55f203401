import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExactJson, ExactNumber, readJson } from '../../../../core/record/json-parser.ts';
import { isList, isObject } from '../../../../core/record/json-schema.ts';
import { jsonText } from '../../../../core/record/json-text.ts';
import { parseExactJson, parseJson } from '../../../../core/record/lossless-json.ts';
import type { Value } from '../../../../core/record/schema.ts';
import { ShapeError } from '../../../../core/record/shape-error.ts';
import { anyJsonValue } from '../../../support/arbitrary-values.ts';

describe('parseJson', () => {
  it('gives back every value it can hold, digit for digit (I8)', () => {
    fc.assert(
      fc.property(anyJsonValue, (value) => {
        deepStrictEqual(parseJson(text(value)), value);
      }),
    );
  });

  it.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['123456789012345678901234567890', 123456789012345678901234567890n],
    ['[1,-12345678901234567,"x"]', [1, -12345678901234567n, 'x']],
    ['{"a":\t12345678901234567\n}', { a: 12345678901234567n }],
    ['12345678901234567.5', Number('12345678901234567.5')],
    ['12345678901234567e2', Number('12345678901234567e2')],
    ['0.12345678901234567', Number('0.12345678901234567')],
    ['"12345678901234567"', '12345678901234567'],
    ['"at 12345678901234567, or so"', 'at 12345678901234567, or so'],
    ['007', 7],
    ['[-01,00.5]', [-1, 0.5]],
    ['1.7976931348623157e400', Number.POSITIVE_INFINITY],
    ['-0', -0],
  ])('reads %s', (source, value) => {
    expect(parseJson(source)).toStrictEqual(value);
  });

  it('finds a long number wherever it stands', () => {
    fc.assert(
      fc.property(fc.nat({ max: 70 }), fc.bigInt({ min: 10n ** 16n, max: 10n ** 25n }), (blanks, number) => {
        expect(parseJson(`${' '.repeat(blanks)}[${number}]`)).toStrictEqual([number]);
        expect(parseJson(`{"${'1'.repeat(blanks)}":-${number}}`)).toStrictEqual({ ['1'.repeat(blanks)]: -number });
      }),
    );
  });

  it('makes plain properties of hostile keys, on both of its ways', () => {
    for (const number of ['1', '12345678901234567']) {
      const object = parseJson(`{"__proto__":{"x":${number}},"constructor":2}`) as Record<string, unknown>;

      expect(Object.keys(object)).toStrictEqual(['__proto__', 'constructor']);
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
      expect(object['x']).toBeUndefined();
    }
  });

  it('says where a text stops being JSON, and quotes none of it', () => {
    expect(() => parseJson('{"secret":"hunter2",}')).toThrow(new ShapeError('not JSON from character 20 on', 20));
    expect(() => parseJson('{"secret":"hunt')).toThrow(new ShapeError('the JSON text ends too early', 15));
    expect(() => parseJson('')).toThrow(new ShapeError('the JSON text ends too early', 0));
  });

  it('refuses numbers of more than a thousand characters', () => {
    expect(parseJson('1'.repeat(1_000))).toBe(BigInt('1'.repeat(1_000)));
    expect(() => parseJson('1'.repeat(1_001))).toThrow(ShapeError);
  });

  it('takes time in proportion to a text of digits', () => {
    const digits = '9'.repeat(1_000_000);

    expect(parseJson(`"${digits}"`)).toBe(digits);
  });
});

describe('parseExactJson', () => {
  it('keeps fractions that a double would not hold', () => {
    expect(parseExactJson('[1.5,1.2345678901234567890,12345678901234567]')).toStrictEqual([
      1.5,
      new ExactNumber('1.2345678901234567890'),
      12345678901234567n,
    ]);
    expect(parseExactJson('-1234567890123.45678e-3')).toStrictEqual(new ExactNumber('-1234567890123.45678e-3'));
  });
});

describe('readJson', () => {
  it('reads what JSON.parse reads, to the same value', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (source, indent) => {
        const indented = JSON.stringify(JSON.parse(source), null, indent);

        deepStrictEqual(rounded(readJson(indented, false)), JSON.parse(indented));
      }),
    );
  });

  it('refuses what JSON.parse refuses, leading zeros aside', () => {
    const damaged = fc
      .tuple(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.nat({ max: 2 }),
        fc.constantFrom('', ',', ':', '"', '{', ']', '\\', '-', '.', 'e', '\u0001', 't'),
      )
      .map(([source, at, cut, insert]) => source.slice(0, at % source.length) + insert + source.slice((at % source.length) + cut))
      .filter((source) => !/0\d/.test(source));
    fc.assert(
      fc.property(damaged, (source) => {
        deepStrictEqual(
          readOr(() => rounded(readJson(source, false))),
          readOr(() => JSON.parse(source)),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

/** As `JSON.parse` would have it. */
function rounded(json: ExactJson): unknown {
  if (typeof json === 'bigint') return Number(json);
  if (isList(json)) return json.map(rounded);
  return isObject(json) ? Object.fromEntries(Object.entries(json).map(([key, item]) => [key, rounded(item)])) : json;
}

function readOr(read: () => unknown): unknown {
  try {
    return { read: read() };
  } catch {
    return 'refused';
  }
}

function text(value: Value): string {
  return jsonText(value, () => 'bytes');
}
