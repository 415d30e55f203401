import { describe, expect, test } from 'vitest';
import { namedConnectors } from '../../../cli/connector-names.ts';

const THERE = ['orders', 'shop-a', 'shop-b', 'shop-b-2', 'who?', 'ümläut', 'a*b'];
const api = { names: async () => THERE };

describe('namedConnectors', () => {
  test.each([
    [['shop-*'], ['shop-a', 'shop-b', 'shop-b-2']],
    [['*'], THERE],
    [['shop-?'], ['shop-a', 'shop-b']],
    [['*b*2'], ['shop-b-2']],
    [['*-b'], ['shop-b']],
    [['?ml?ut'], ['ümläut']],
    [
      ['shop-b', 'shop-*', 'gone'],
      ['shop-b', 'shop-a', 'shop-b-2', 'gone'],
    ],
    [['who?'], ['who?']],
    [['a*b'], ['a*b']],
    [['**or**s**'], ['orders']],
  ])('%j names %j', async (named, names) => {
    expect(await namedConnectors(api, named)).toEqual(names);
  });

  test.each(['x*', 'orders*s', '?', 'order?s', 'shop-a*a', 'SHOP-*', 'shop.a*'])(
    'refuses %j, which nothing matches',
    async (pattern) => {
      await expect(namedConnectors(api, [pattern])).rejects.toThrow(`no connector matches ${pattern}`);
    },
  );

  test('asks nobody about plain names', async () => {
    const silent = { names: () => Promise.reject(new Error('asked')) };

    expect(await namedConnectors(silent, ['a', 'b', 'a'])).toEqual(['a', 'b']);
  });

  test('answers soon for a pattern of many stars', async () => {
    const long = { names: async () => ['a'.repeat(255)] };

    await expect(namedConnectors(long, [`${'*a'.repeat(100)}*b`])).rejects.toThrow('no connector');
  });
});
