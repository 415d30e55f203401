/** Formats of the log that a session may choose, and values that only one kind of server has. */
import { expect, onTestFinished, test } from 'vitest';
import type { Json } from '../../core/json.ts';
import type { Struct } from '../../core/record/schema.ts';
import type { SourceReader } from '../../plugins/api/source.ts';
import { withDatabases } from '../support/databases.ts';
import { aCdcReader, drain, lastCheckpoint, pollOnce, recordsIn } from '../support/mysql-cdc.ts';

const TIMEOUT_MS = 60_000;

const ONLY_SHOP = { 'database.include.list': 'shop' };

withDatabases('mysql-cdc-source', {}, (database) => {
  const { run, isMariadb } = database;

  /** Where a connector stands that has read a table. */
  async function readShop(columns: string, ...rows: readonly string[]): Promise<Json> {
    await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop', `CREATE TABLE shop.t (${columns})`);
    for (const row of rows) await run(`INSERT INTO shop.t VALUES (${row})`);
    return lastCheckpoint(await drain(await aCdcReader(database, null, ONLY_SHOP)));
  }

  const readFrom = (checkpoint: Json): Promise<SourceReader> => aCdcReader(database, checkpoint, ONLY_SHOP);

  test('goes on within a transaction that the server compressed', { timeout: TIMEOUT_MS }, async () => {
    const first = await readShop('id INT PRIMARY KEY, v TEXT');
    const compression = isMariadb ? 'GLOBAL log_bin_compress' : 'SESSION binlog_transaction_compression';
    onTestFinished(async () => void (await run(`SET ${compression} = OFF`)));
    await run(
      `SET ${compression} = ON`,
      'BEGIN',
      "INSERT INTO shop.t VALUES (1, REPEAT('a', 1000)), (2, REPEAT('b', 1000))",
      "UPDATE shop.t SET v = REPEAT('c', 1000)",
      'DELETE FROM shop.t WHERE id = 1',
      'COMMIT',
    );
    const given: unknown[] = [];
    let at = first;

    // Each reader dies after one record.
    for (let count = 1; count > 0; ) {
      const { records, checkpoint } = await pollOnce(await readFrom(at), { records: 1 });
      given.push(...records.map(({ key, value }) => [(key.value as Struct)['id'], (value.value as Struct)['op']]));
      at = checkpoint;
      count = records.length;
    }

    expect(given).toEqual([
      [1, 'c'],
      [2, 'c'],
      [1, 'u'],
      [2, 'u'],
      [1, 'd'],
    ]);
  });

  test.runIf(!isMariadb)('gives vectors as lists, of rows that it reads and of changes alike', async () => {
    const columns = 'id INT PRIMARY KEY, v VECTOR(3)';
    const first = await readShop(columns);
    await run("INSERT INTO shop.t VALUES (1, STRING_TO_VECTOR('[1.5,-2,0]'))");

    const changed = recordsIn(await drain(await readFrom(first)));
    const read = recordsIn(await drain(await readFrom(null)));

    for (const records of [changed, read]) {
      const [after] = records.map(({ value }) => (value.value as Struct)['after'] as Struct);
      expect(Array.from(after?.['v'] as ArrayLike<number>)).toEqual([1.5, -2, 0]);
    }
  });

  test('gives numbers that are printed with zeros before them alike, of rows that it reads and of changes', async () => {
    const kinds = [
      'TINYINT(4)',
      'SMALLINT(6)',
      'MEDIUMINT(9)',
      'INT(10)',
      'BIGINT(20)',
      'DECIMAL(10,2)',
      'FLOAT(10,2)',
      'DOUBLE(12,3)',
    ];
    const columns = kinds.map((kind, index) => `c${index} ${kind} ZEROFILL`).join(', ');
    const first = await readShop(`id DECIMAL(8,3) ZEROFILL PRIMARY KEY, ${columns}`);
    await run(`INSERT INTO shop.t VALUES (1.5${', 7'.repeat(kinds.length)}), (0${', 0'.repeat(kinds.length)})`);

    const changed = recordsIn(await drain(await readFrom(first)));
    const read = recordsIn(await drain(await readFrom(null)));

    const statesIn = (records: typeof read) => records.map(({ key, value }) => [key.value, (value.value as Struct)['after']]);
    const byKey = (states: ReturnType<typeof statesIn>) =>
      states.sort(([a], [b]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    expect(byKey(statesIn(read))).toEqual(byKey(statesIn(changed)));
    expect(statesIn(read).map(([key]) => key)).toEqual([{ id: '0.000' }, { id: '1.500' }]);
  });

  test.runIf(!isMariadb)('is stopped by JSON that a session logs as a difference, before the change is passed over', async () => {
    const first = await readShop('id INT PRIMARY KEY, v JSON', "1, JSON_OBJECT('a', REPEAT('x', 1000), 'b', 1)");
    await run("INSERT INTO shop.t VALUES (2, '{}')");
    await run('SET binlog_row_value_options = PARTIAL_JSON', "UPDATE shop.t SET v = JSON_SET(v, '$.b', 2) WHERE id = 1");
    const reader = await readFrom(first);

    const { records, checkpoint } = await pollOnce(reader);
    const errors: unknown[] = [];
    for (const from of [checkpoint, checkpoint]) {
      errors.push(await pollOnce(await readFrom(from)).catch((thrown: unknown) => thrown));
    }

    expect(records.map(({ key }) => key.value)).toEqual([{ id: 2 }]);
    const refusal = {
      name: 'FatalTaskError',
      code: 'source.unreadable',
      message: expect.stringContaining('binlog_row_value_options') as string,
    };
    expect(errors).toMatchObject([refusal, refusal]);
  });

  test('moves on with changes of other tables, so that it needs no heartbeat to keep up with its log', async () => {
    const first = await readShop('id INT PRIMARY KEY');
    await run('DROP DATABASE IF EXISTS other', 'CREATE DATABASE other', 'CREATE TABLE other.t (id INT PRIMARY KEY)');
    await run('FLUSH BINARY LOGS', 'INSERT INTO other.t VALUES (1)');

    const results = await drain(await readFrom(first));

    const [[file] = []] = await run(isMariadb ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
    expect(recordsIn(results)).toEqual([]);
    expect(lastCheckpoint(results)).toMatchObject({ file });
  });
});
