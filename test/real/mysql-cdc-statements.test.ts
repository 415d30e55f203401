/** What `mysql-cdc-source` tells of what is done to tables as a whole. */
import { describe, expect, test } from 'vitest';
import { formatPosition } from '../../core/record/position.ts';
import type { Struct } from '../../core/record/schema.ts';
import type { PolledRecord } from '../../plugins/api/source.ts';
import { withDatabases } from '../support/databases.ts';
import { aCdcReader, type CdcKeys, drain, lastCheckpoint, recordsIn } from '../support/mysql-cdc.ts';

const ALL = { 'skipped.operations': 'none', 'schema.changes.topic': 'schema' };

withDatabases('mysql-cdc-source and statements', {}, (database) => {
  const { run } = database;

  /** What is given of these, where `shop.t` is captured and has one row. */
  async function given(keys: CdcKeys, ...statements: readonly string[]): Promise<readonly PolledRecord[]> {
    const shop = { 'table.include.list': 'shop\\.t', ...keys };
    await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop', 'CREATE TABLE shop.t (id INT PRIMARY KEY)');
    await run('INSERT INTO shop.t VALUES (1)');
    const before = await drain(await aCdcReader(database, null, shop));
    await run(...statements);
    return recordsIn(await drain(await aCdcReader(database, lastCheckpoint(before), shop)));
  }

  describe('a TRUNCATE', () => {
    test('is an event without a key, in its order', async () => {
      const records = await given(ALL, 'USE shop', 'TRUNCATE t', 'INSERT INTO t VALUES (2)');

      expect(records.map(({ topic, value }) => [topic, (value.value as Struct)['op']])).toEqual([
        ['test.shop.t', 't'],
        ['schema', undefined],
        ['test.shop.t', 'c'],
      ]);
      expect(records[0]).toMatchObject({
        key: { value: null },
        value: { value: { before: null, after: null, source: { db: 'shop', table: 't' } } },
      });
    });

    test('is marked where events are flat', async () => {
      const [record] = await given({ ...ALL, 'output.format': 'flat' }, 'TRUNCATE TABLE shop.t');

      expect(record?.value.value).toMatchObject({ __op: 't', __db: 'shop', __table: 't', __deleted: 'true' });
    });

    test('is not told unless it is asked for, nor of tables that are not captured', async () => {
      expect(await given({}, 'TRUNCATE shop.t')).toEqual([]);
      expect(await given(ALL, 'CREATE TABLE shop.u (id INT)', 'TRUNCATE shop.u')).toEqual([]);
    });
  });

  test('changes that are to be skipped are', async () => {
    const records = await given(
      { 'skipped.operations': 'c,d' },
      'INSERT INTO shop.t VALUES (2)',
      'UPDATE shop.t SET id = 3 WHERE id = 2',
      'DELETE FROM shop.t',
    );

    expect(records.map(({ value }) => (value.value as Struct)['op'])).toEqual(['d', 'c']);
  });

  test('statements that change captured tables are told, as they were written', async () => {
    const records = await given(
      ALL,
      'CREATE TABLE shop.u (id INT)',
      'ALTER TABLE shop.t ADD COLUMN v INT',
      'CREATE PROCEDURE shop.p() DROP TABLE shop.t',
      'DROP TABLE shop.t',
      'DROP DATABASE shop',
    );

    const told = records.map(({ key, value }) => [key.value, (value.value as Struct)['ddl']]);
    expect(told).toEqual([
      [{ databaseName: 'shop' }, 'ALTER TABLE shop.t ADD COLUMN v INT'],
      [{ databaseName: 'shop' }, expect.stringMatching(/^DROP TABLE .*t/) as unknown],
      [{ databaseName: 'shop' }, 'DROP DATABASE shop'],
    ]);
  });

  test('all of it is at the same positions again, wherever reading goes on', async () => {
    const shop = { ...ALL, 'database.include.list': 'shop' };
    await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop');
    const start = lastCheckpoint(await drain(await aCdcReader(database, null, shop)));
    await run(
      'CREATE TABLE shop.t (id INT PRIMARY KEY)',
      'INSERT INTO shop.t VALUES (1), (2)',
      'CREATE TABLE shop.u AS SELECT * FROM shop.t',
      'TRUNCATE shop.t',
      'INSERT INTO shop.t VALUES (3)',
    );

    const results = await drain(await aCdcReader(database, start, shop), { records: 1 });

    const whole = recordsIn(results).map(placeOf);
    expect(whole.map((place) => place.split(' ')[0])).toEqual([
      'schema',
      ...['test.shop.t', 'test.shop.t'],
      ...['schema', 'test.shop.u', 'test.shop.u'],
      ...['test.shop.t', 'schema'],
      'test.shop.t',
    ]);
    for (const [index, { checkpoint }] of results.entries()) {
      const rest = await drain(await aCdcReader(database, checkpoint, shop));
      expect(recordsIn(rest).map(placeOf)).toEqual(whole.slice(recordsIn(results.slice(0, index + 1)).length));
    }
  });
});

function placeOf({ topic, position }: PolledRecord): string {
  return `${topic} ${formatPosition(position ?? [])}`;
}
