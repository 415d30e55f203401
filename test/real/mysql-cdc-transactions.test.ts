/** What `mysql-cdc-source` tells of transactions. */
import { expect, test } from 'vitest';
import { comparePositions, formatPosition } from '../../core/record/position.ts';
import type { Struct } from '../../core/record/schema.ts';
import type { PolledRecord } from '../../plugins/api/source.ts';
import { withDatabases } from '../support/databases.ts';
import { aCdcReader, type CdcKeys, drain, lastCheckpoint, pollOnce, recordsIn } from '../support/mysql-cdc.ts';

const KEYS: CdcKeys = { 'provide.transaction.metadata': 'true', 'table.include.list': 'shop\\.[tu]' };

/** Of two captured tables and one that is not. */
const CHANGES = [
  'BEGIN',
  'INSERT INTO shop.other VALUES (1)',
  'INSERT INTO shop.t VALUES (1), (2)',
  'INSERT INTO shop.u VALUES (1)',
  'UPDATE shop.t SET id = 3 WHERE id = 2',
  'COMMIT',
  'INSERT INTO shop.other VALUES (2)',
  'ALTER TABLE shop.t ADD COLUMN v INT',
  'DELETE FROM shop.u',
] as const;

withDatabases('mysql-cdc-source and transactions', {}, (database) => {
  const { run, isMariadb } = database;

  async function begun(keys: CdcKeys) {
    await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop');
    for (const table of ['t', 'u', 'other']) await run(`CREATE TABLE shop.${table} (id INT PRIMARY KEY)`);
    return lastCheckpoint(await drain(await aCdcReader(database, null, keys)));
  }

  test('each event says which of its transaction it is, and a topic where transactions begin and end', async () => {
    const start = await begun(KEYS);
    await run(...CHANGES);

    const records = recordsIn(await drain(await aCdcReader(database, start, KEYS)));

    const id = expect.stringMatching(isMariadb ? /^0-11-\d+$/ : /^[\da-f-]{36}:\d+$/) as string;
    const event = (total: bigint, order: bigint) => ({ transaction: { id, total_order: total, data_collection_order: order } });
    const counted = (...counts: readonly (readonly [string, bigint])[]) =>
      counts.map(([name, count]) => ({ data_collection: name, event_count: count }));
    const values = records.map(({ topic, value }) => [topic, value.value as Struct]);
    expect(values).toMatchObject([
      ['test.transaction', { status: 'BEGIN', id, event_count: null, data_collections: null }],
      ['test.shop.t', event(1n, 1n)],
      ['test.shop.t', event(2n, 2n)],
      ['test.shop.u', event(3n, 1n)],
      ['test.shop.t', event(4n, 3n)],
      ['test.shop.t', event(5n, 4n)],
      ['test.transaction', { status: 'END', id, event_count: 5n, data_collections: counted(['shop.t', 4n], ['shop.u', 1n]) }],
      ['test.transaction', { status: 'BEGIN', id }],
      ['test.shop.u', event(1n, 1n)],
      ['test.transaction', { status: 'END', id, event_count: 1n, data_collections: counted(['shop.u', 1n]) }],
    ]);
    const positions = records.map(({ position = [] }) => position);
    expect(positions).toEqual(positions.toSorted(comparePositions));
    expect(new Set(positions.map(formatPosition)).size).toBe(records.length);
  });

  test.each([{}, { 'output.format': 'flat', 'tombstones.on.delete': 'true' }])(
    'all of it is the same again, wherever reading goes on: %j',
    async (more) => {
      const keys = { ...KEYS, ...more };
      const start = await begun(keys);
      await run(...CHANGES);

      const results = await drain(await aCdcReader(database, start, keys), { records: 1 });

      const whole = recordsIn(results).map(told);
      for (const [index, { checkpoint }] of results.entries()) {
        const rest = await drain(await aCdcReader(database, checkpoint, keys));
        expect(recordsIn(rest).map(told)).toEqual(whole.slice(recordsIn(results.slice(0, index + 1)).length));
      }
    },
  );

  test('rows that are read are of none', async () => {
    await begun(KEYS);
    await run('INSERT INTO shop.t VALUES (1)');
    const reader = await aCdcReader(database, null, KEYS);
    await pollOnce(reader);

    const [record] = recordsIn(await drain(reader));

    expect(record?.value.value).toMatchObject({ op: 'r', transaction: null });
  });
});

/** But for the time at which it was read. */
function told({ topic, position, value }: PolledRecord): unknown {
  const { ts_ms: _, ...fields } = (value.value ?? {}) as Struct;
  return [topic, formatPosition(position ?? []), fields];
}
