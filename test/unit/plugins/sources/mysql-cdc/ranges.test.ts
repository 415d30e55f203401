import { describe, expect, test } from 'vitest';
import { innerBounds } from '../../../../../plugins/sources/mysql-cdc/find-ranges.ts';
import { chunkQuery } from '../../../../../plugins/sources/mysql-cdc/snapshot-query.ts';
import { rangeNames, rangeOf } from '../../../../../plugins/sources/mysql-cdc/table-range.ts';

describe('ranges of a table', () => {
  test.each([
    [1n, 100n, 4, [25n, 50n, 75n]],
    [-10n, 9n, 2, [-1n]],
    [0n, 2n ** 64n - 1n, 2, [2n ** 63n - 1n]],
    [5n, 6n, 4, [5n]],
    [5n, 5n, 4, []],
  ])('divide the numbers from %s to %s into %s', (least, most, parts, bounds) => {
    expect(innerBounds({ least, most }, parts)).toEqual(bounds);
  });

  test.each([
    { database: 'shop', table: 'orders', within: null },
    { database: 'shop', table: 'orders', within: { column: 'id', above: null, upTo: -5n } },
    { database: 'shop', table: 'orders', within: { column: 'id', above: 2n ** 63n, upTo: null } },
  ])('are known by the names of their shards: $within.upTo', (range) => {
    expect(rangeOf(rangeNames(range))).toEqual(range);
  });

  test('are asked for by their bounds, and behind what was read of them', () => {
    const id = {
      name: 'id',
      kind: 'int',
      isUnsigned: false,
      optional: false,
      length: 0,
      scale: 0,
      charset: null,
      members: [],
    } as const;
    const shape = { database: 'shop', table: 'orders', columns: [id], primaryKey: [0] };
    const within = { column: 'id', above: 10n, upTo: 20n };

    const query = chunkQuery(shape, { after: [12], within, skipped: 0, rows: 5, waitsForWriters: false });

    expect(query).toBe('SELECT `id` FROM `shop`.`orders` WHERE `id` > 12 AND `id` > 10 AND `id` <= 20 ORDER BY `id` LIMIT 5');
  });
});
