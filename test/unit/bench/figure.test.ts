import { describe, expect, test } from 'vitest';
import { figureOf, quantile, tableOf } from '../../../bench/figure.ts';

describe('figureOf', () => {
  test('compares the value with its goal and its reference', () => {
    const fast = figureOf({ name: 'writes', value: 50_000, unit: '1/s', reference: 40_000, goal: { atLeast: 30_000 } });
    const late = figureOf({ name: 'p99', value: 1.5, unit: 'ms', goal: { atMost: 1 } });

    expect(fast).toEqual({
      name: 'writes',
      value: 50_000,
      unit: '1/s',
      reference: 40_000,
      ratio: 1.25,
      goal: '>= 30,000',
      ok: true,
    });
    expect(late).toEqual({ name: 'p99', value: 1.5, unit: 'ms', goal: '<= 1', ok: false });
  });

  test('an exact goal is met by that value alone', () => {
    const goal = { exactly: 1 };

    expect(figureOf({ name: 'writes', value: 1, unit: 'writes', goal })).toMatchObject({ goal: '= 1', ok: true });
    expect(figureOf({ name: 'writes', value: 1.001, unit: 'writes', goal })).toMatchObject({ goal: '= 1', ok: false });
  });

  test('what is only printed is always ok', () => {
    expect(figureOf({ name: 'seeds', value: 0, unit: '1/min', goal: 'printed' })).toMatchObject({ goal: 'printed', ok: true });
  });

  test('a value that is not a number meets no goal', () => {
    expect(figureOf({ name: 'p99', value: Number.NaN, unit: 'ms', goal: { atMost: 1 } }).ok).toBe(false);
  });
});

describe('tableOf', () => {
  test('is one aligned line per figure, with empty cells where there is no reference', () => {
    const figure = figureOf({ name: 'p99', value: 1.5, unit: 'ms', goal: { atMost: 1 } });

    expect(tableOf([figure]).split('\n')).toEqual([
      'name  value  unit  reference  ratio  goal  ok',
      'p99   1.5    ms                      <= 1  NOT OK',
    ]);
  });
});

describe('quantile', () => {
  test('is the value below which the share lies, and the largest for all of them', () => {
    const values = Float64Array.from({ length: 100 }, (_, index) => 100 - index);

    expect(quantile(values, 0.5)).toBe(51);
    expect(quantile(values, 0.99)).toBe(100);
    expect(quantile(values, 1)).toBe(100);
  });
});
