/** What `mysql-cdc-source` makes of changes, and of what may happen to its server. */
import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import type { Json } from '../../core/json.ts';
import { comparePositions, formatPosition } from '../../core/record/position.ts';
import type { Struct, StructSchema } from '../../core/record/schema.ts';
import type { PolledRecord, SourceReader } from '../../plugins/api/source.ts';
import { mysqlCdcSource } from '../../plugins/sources/mysql-cdc-source.ts';
import { binlogEnd } from '../support/binlogs.ts';
import { withDatabases } from '../support/databases.ts';
import { aCdcReader, type CdcKeys, cdcConfig, drain, lastCheckpoint, pollOnce, recordsIn } from '../support/mysql-cdc.ts';
import { aPluginContext } from '../support/plugin-context.ts';

const TIMEOUT_MS = 60_000;

withDatabases('mysql-cdc-source', {}, (database) => {
  const { run, isMariadb } = database;

  /** A table, and a reader that has read it. */
  async function aReadShop(columns = 'id INT PRIMARY KEY, v VARCHAR(20)', keys: CdcKeys = {}): Promise<SourceReader> {
    await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop', `CREATE TABLE shop.t (${columns})`);
    const reader = await aCdcReader(database, null, { 'database.include.list': 'shop', ...keys });
    const results = await drain(reader);
    await reader.close();
    return aCdcReader(database, lastCheckpoint(results), { 'database.include.list': 'shop', ...keys });
  }

  async function changes(reader: SourceReader): Promise<readonly unknown[]> {
    return recordsIn(await drain(reader)).map(inShort);
  }

  describe('changes', () => {
    test('come in the order of their commits, with what was before and after', async () => {
      const reader = await aReadShop();

      await run(
        "INSERT INTO shop.t VALUES (1, 'a'), (2, 'b')",
        "UPDATE shop.t SET v = 'c' WHERE id = 2",
        'DELETE FROM shop.t WHERE id = 1',
      );

      expect(await changes(reader)).toEqual([
        ['test.shop.t', { id: 1 }, 'c', null, { id: 1, v: 'a' }],
        ['test.shop.t', { id: 2 }, 'c', null, { id: 2, v: 'b' }],
        ['test.shop.t', { id: 2 }, 'u', { id: 2, v: 'b' }, { id: 2, v: 'c' }],
        ['test.shop.t', { id: 1 }, 'd', { id: 1, v: 'a' }, null],
      ]);
    });

    test('of one row in one transaction come one by one', async () => {
      const reader = await aReadShop();

      await run(
        'BEGIN',
        "INSERT INTO shop.t VALUES (1, 'a')",
        "UPDATE shop.t SET v = 'b'",
        "UPDATE shop.t SET v = 'c'",
        'COMMIT',
      );

      expect(await changes(reader)).toEqual([
        ['test.shop.t', { id: 1 }, 'c', null, { id: 1, v: 'a' }],
        ['test.shop.t', { id: 1 }, 'u', { id: 1, v: 'a' }, { id: 1, v: 'b' }],
        ['test.shop.t', { id: 1 }, 'u', { id: 1, v: 'b' }, { id: 1, v: 'c' }],
      ]);
    });

    test('say where they are from', async () => {
      const reader = await aReadShop();
      await run("INSERT INTO shop.t VALUES (1, 'a')");

      const [record] = recordsIn(await drain(reader));

      const { source } = (record?.value.value ?? {}) as Struct;
      expect(source).toMatchObject({
        connector: isMariadb ? 'mariadb' : 'mysql',
        name: 'test',
        db: 'shop',
        table: 't',
        snapshot: 'false',
        server_id: isMariadb ? 11n : 21n,
        gtid: expect.stringMatching(isMariadb ? /^0-11-\d+$/ : /^[\da-f-]{36}:\d+$/) as string,
        file: expect.stringMatching(/^binlog\.\d{6}$/) as string,
      });
    });

    test('of a key are the end of one row and the beginning of another', async () => {
      const reader = await aReadShop('a INT, b VARBINARY(4), v INT, PRIMARY KEY (b, a)', { 'tombstones.on.delete': 'true' });
      await run("INSERT INTO shop.t VALUES (1, x'00', 5)", "UPDATE shop.t SET v = 6, b = x'01'");

      const records = recordsIn(await drain(reader, { records: 1 })).slice(1);

      const [before, after] = [
        { b: Uint8Array.of(0), a: 1 },
        { b: Uint8Array.of(1), a: 1 },
      ];
      expect(
        records.map(({ key, value, headers }) => [key.value, (value.value as Struct | null)?.['op'], headers]),
      ).toMatchObject([
        [before, 'd', [{ name: '__debezium.newkey', value: after }]],
        [before, undefined, []],
        [after, 'c', [{ name: '__debezium.oldkey', value: before }]],
      ]);
    });

    test('are given when a table without a key was read, which is done once', async () => {
      await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop', 'CREATE TABLE shop.t (v INT)');
      await run('INSERT INTO shop.t VALUES (1), (1)');
      const reader = await aCdcReader(database, null, { 'database.include.list': 'shop' });
      // Its beginning, and all rows.
      const results = [await pollOnce(reader), await pollOnce(reader)];
      await reader.close();

      await run('INSERT INTO shop.t VALUES (2)');

      const next = await aCdcReader(database, lastCheckpoint(results), { 'database.include.list': 'shop' });
      expect(await changes(next)).toEqual([['test.shop.t', null, 'c', null, { v: 2 }]]);
    });

    test('of tables without a primary key have their first unique one that takes no nulls, as rows that are read have', async () => {
      await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop');
      await run(
        'CREATE TABLE shop.t (a INT NULL, v VARCHAR(20), b INT NOT NULL, id INT NOT NULL, UNIQUE by_a (a), UNIQUE by_both (id, b), UNIQUE by_b (b))',
        "INSERT INTO shop.t VALUES (1, 'a', 1, 1)",
      );
      const keys = { ...ONLY_SHOP, 'output.format': 'flat' };
      const read = await drain(await aCdcReader(database, null, keys));
      await run("INSERT INTO shop.t VALUES (2, 'b', 2, 2)", "UPDATE shop.t SET v = 'c' WHERE b = 1");

      // By another: who has read rows follows, and does not know the end.
      const changed = await drain(await aCdcReader(database, lastCheckpoint(read), keys));

      expect(recordsIn([...read, ...changed]).map(({ key }) => key.value)).toEqual([
        { id: 1, b: 1 },
        { id: 2, b: 2 },
        { id: 1, b: 1 },
      ]);
    });

    test('of tables without a key have none', async () => {
      const reader = await aReadShop('v INT', { 'tombstones.on.delete': 'true' });
      await run('INSERT INTO shop.t VALUES (1)', 'UPDATE shop.t SET v = 2', 'DELETE FROM shop.t');

      expect(await changes(reader)).toEqual([
        ['test.shop.t', null, 'c', null, { v: 1 }],
        ['test.shop.t', null, 'u', { v: 1 }, { v: 2 }],
        ['test.shop.t', null, 'd', { v: 2 }, null],
      ]);
    });

    test('are rows with marks where they are flat', async () => {
      const reader = await aReadShop(undefined, { 'output.format': 'flat' });
      await run("INSERT INTO shop.t VALUES (1, 'a')", 'DELETE FROM shop.t');

      const values = recordsIn(await drain(reader)).map(({ value }) => value.value);

      const row = { id: 1, v: 'a', __db: 'shop', __table: 't' };
      expect(values).toMatchObject([
        { ...row, __op: 'c', __deleted: 'false' },
        { ...row, __op: 'd', __deleted: 'true' },
      ]);
    });

    test('of tables that are not asked for are left out, however they look', async () => {
      await run(
        'DROP DATABASE IF EXISTS other',
        'CREATE DATABASE other',
        'CREATE TABLE other.t (v VARCHAR(9) CHARACTER SET euckr)',
      );
      const reader = await aReadShop(undefined, {
        'database.include.list': 'shop|other',
        'table.exclude.list': 'other\\.t,.*_log',
      });
      await run('CREATE TABLE shop.a_log (id INT)', "INSERT INTO other.t VALUES ('a')", 'INSERT INTO shop.a_log VALUES (1)');
      await run("INSERT INTO shop.t VALUES (1, 'a')");

      expect(await changes(reader)).toEqual([['test.shop.t', { id: 1 }, 'c', null, { id: 1, v: 'a' }]]);
    });

    test('have the columns that the table had then, and a schema that says so', async () => {
      const reader = await aReadShop();
      await run("INSERT INTO shop.t VALUES (1, 'a')", 'ALTER TABLE shop.t DROP COLUMN v, ADD COLUMN n BIGINT NOT NULL DEFAULT 5');
      await run('INSERT INTO shop.t (id) VALUES (2)');

      const records = recordsIn(await drain(reader));

      expect(records.map(inShort).map((record) => record[4])).toEqual([
        { id: 1, v: 'a' },
        { id: 2, n: 5n },
      ]);
      expect(records.map(({ value }) => columnsOf(value.schema as StructSchema))).toEqual([
        ['id int32', 'v string?'],
        ['id int32', 'n int64'],
      ]);
    });
  });

  describe('topics', () => {
    async function topicsOf(keys: CdcKeys): Promise<readonly unknown[]> {
      await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop');
      await run(...['a_1', 'a_2', 'b'].map((table) => `CREATE TABLE shop.${table} (id INT PRIMARY KEY)`));
      await run(...['a_1', 'a_2', 'b'].map((table) => `INSERT INTO shop.${table} VALUES (1)`));
      const records = recordsIn(await drain(await aCdcReader(database, null, { ...ONLY_SHOP, ...keys })));
      return records.map(({ topic, key }) => [topic, key.value]);
    }
    const of = (table: string) => ({ id: 1, __dbz__physicalTableIdentifier: `test.shop.${table}` });

    test('are one for each table, each database, or one for all', async () => {
      expect(await topicsOf({})).toEqual(['a_1', 'a_2', 'b'].map((table) => [`test.shop.${table}`, { id: 1 }]));
      expect(await topicsOf({ 'topic.per': 'database' })).toEqual(['a_1', 'a_2', 'b'].map((table) => ['test.shop', of(table)]));
      expect(await topicsOf({ 'topic.per': 'all' })).toEqual(['a_1', 'a_2', 'b'].map((table) => ['test', of(table)]));
    });

    test('are shared by tables that are routed there', async () => {
      expect(await topicsOf({ 'topic.routes': 'nothing -> x; (shop)\\.a_\\d{1,2} -> $1.a', 'topic.delimiter': '-' })).toEqual([
        ['test-shop-a', of('a_1')],
        ['test-shop-a', of('a_2')],
        ['test-shop-b', { id: 1 }],
      ]);
    });

    test('are not shared by tables that are not', async () => {
      await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop');
      await run(
        'CREATE TABLE shop.`a?` (id INT)',
        'CREATE TABLE shop.`a!` (id INT)',
        'INSERT INTO shop.`a?` VALUES (1)',
        'INSERT INTO shop.`a!` VALUES (1)',
      );

      const reading = drain(await aCdcReader(database, null, { ...ONLY_SHOP, 'snapshot.mode': 'initial' }));

      await expect(reading).rejects.toThrow('would both be sent to the topic test.shop.a_');
    });
  });

  describe('columns', () => {
    test('are left out, masked and hashed, in rows that are read and in changes', async () => {
      const columns = 'id INT PRIMARY KEY, name VARCHAR(20), email VARCHAR(20), card BIGINT, secret TEXT';
      const keys = {
        'column.exclude.list': 'shop\\.t\\.secret',
        'column.mask.list': '.*\\.card',
        'column.hash.list': '.*\\.email',
        'column.hash.salt': 'salt',
      };
      const reader = await aReadShop(columns, keys);
      await run("INSERT INTO shop.t VALUES (1, 'Ann', 'a@b.c', 1234, 'x'), (2, NULL, NULL, NULL, NULL)");
      const hash = createHash('sha256').update('salta@b.c').digest('hex');

      const logged = (await changes(reader)).map((change) => (change as unknown[])[4]);
      const read = recordsIn(await drain(await aCdcReader(database, null, { ...ONLY_SHOP, ...keys }))).map(
        ({ value }) => (value.value as Struct)['after'],
      );

      expect(logged).toEqual([
        { id: 1, name: 'Ann', email: hash, card: '****' },
        { id: 2, name: null, email: null, card: null },
      ]);
      expect(read).toEqual(logged);
    });

    test('of keys cannot be masked, and are hashed in the key, too', async () => {
      const reader = await aReadShop('id VARCHAR(9) PRIMARY KEY', { 'column.hash.list': 'shop\\.t\\.id' });
      await run("INSERT INTO shop.t VALUES ('a')");
      const hash = createHash('sha256').update('a').digest('hex');

      expect(await changes(reader)).toEqual([['test.shop.t', { id: hash }, 'c', null, { id: hash }]]);
      const masked = drain(await aCdcReader(database, null, { ...ONLY_SHOP, 'column.mask.list': '.*\\.id' }));
      await expect(masked).rejects.toThrow('column shop.t.id is masked');
    });
  });

  describe('tables', () => {
    async function twoTables(): Promise<void> {
      await run('DROP DATABASE IF EXISTS shop', 'CREATE DATABASE shop');
      await run(...['a', 'b'].map((table) => `CREATE TABLE shop.${table} (id INT PRIMARY KEY)`));
      await run('INSERT INTO shop.a VALUES (1)', 'INSERT INTO shop.b VALUES (1)');
    }
    const keysIn = (records: readonly PolledRecord[]) =>
      records.map(({ topic, key, value }) => [topic, key.value, (value.value as Struct)['op']]);

    test('that are asked for later are read then, and the others are not read again', async () => {
      await twoTables();
      const first = await drain(await aCdcReader(database, null, { 'table.include.list': 'shop\\.b' }));

      const second = await drain(await aCdcReader(database, lastCheckpoint(first), { 'table.include.list': 'shop\\..*' }));
      const third = await drain(await aCdcReader(database, lastCheckpoint(second), { 'table.include.list': 'shop\\..*' }));

      expect(keysIn(recordsIn(first))).toEqual([['test.shop.b', { id: 1 }, 'r']]);
      expect(keysIn(recordsIn(second))).toEqual([['test.shop.a', { id: 1 }, 'r']]);
      expect(recordsIn(third)).toEqual([]);
    });

    test('are read again where an operator names them in a checkpoint', async () => {
      await twoTables();
      const first = await drain(await aCdcReader(database, null, ONLY_SHOP));
      const named = { ...(lastCheckpoint(first) as object), again: ['shop.b'] };

      const second = await drain(await aCdcReader(database, named, ONLY_SHOP));
      const third = await drain(await aCdcReader(database, lastCheckpoint(second), ONLY_SHOP));

      expect(keysIn(recordsIn(second))).toEqual([['test.shop.b', { id: 1 }, 'r']]);
      expect(recordsIn(third)).toEqual([]);
      const [before, after] = [first, second].map((results) => recordsIn(results).at(-1)?.position ?? []);
      expect(comparePositions(before ?? [], after ?? [])).toBeLessThan(0);
    });

    test('that are made later are in the log as a whole', async () => {
      await twoTables();
      const reader = await aCdcReader(
        database,
        lastCheckpoint(await drain(await aCdcReader(database, null, ONLY_SHOP))),
        ONLY_SHOP,
      );
      await run('CREATE TABLE shop.c (id INT PRIMARY KEY)', 'INSERT INTO shop.c VALUES (1)', 'DROP TABLE shop.b');

      expect(keysIn(recordsIn(await drain(reader)))).toEqual([['test.shop.c', { id: 1 }, 'c']]);
    });

    test('are not read where the whole log is', async () => {
      await run('DROP DATABASE IF EXISTS shop', 'FLUSH BINARY LOGS');
      const [[file] = []] = await run(isMariadb ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
      const filesLeft = async () => (await run(`PURGE BINARY LOGS TO '${file}'`, 'SHOW BINARY LOGS')).length;
      await expect.poll(filesLeft, { timeout: 10_000 }).toBe(1);
      await twoTables();

      const records = recordsIn(await drain(await aCdcReader(database, null, { ...ONLY_SHOP, 'snapshot.mode': 'never' })));

      expect(keysIn(records)).toEqual([
        ['test.shop.a', { id: 1 }, 'c'],
        ['test.shop.b', { id: 1 }, 'c'],
      ]);
    });
  });

  describe('a reader', () => {
    test('goes on behind each of its checkpoints with the same records, at the same positions', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const reader = await aReadShop(undefined, { 'tombstones.on.delete': 'true' });
      const [{ checkpoint: first }] = [await pollOnce(reader)];
      await run(
        "INSERT INTO shop.t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        'BEGIN',
        "UPDATE shop.t SET v = CONCAT(v, '!')",
        'UPDATE shop.t SET id = id + 10 WHERE id < 3',
        'CREATE TABLE IF NOT EXISTS shop.t (id INT)',
        'BEGIN',
        'DELETE FROM shop.t WHERE id > 10',
        "INSERT INTO shop.t VALUES (5, 'e'), (6, 'f')",
        'COMMIT',
      );
      const results = await drain(await aCdcReader(database, first, { ...ONLY_SHOP, 'tombstones.on.delete': 'true' }), {
        records: 1,
      });
      const all = recordsIn(results).map(identityOf);

      for (const [index, { checkpoint }] of results.entries()) {
        const rest = await drain(
          await aCdcReader(database, stored(checkpoint), { ...ONLY_SHOP, 'tombstones.on.delete': 'true' }),
        );
        expect(recordsIn(rest).map(identityOf)).toEqual(all.slice(recordsIn(results.slice(0, index + 1)).length));
      }
      expect(all.length).toBeGreaterThan(10);
    });

    test('makes progress in a transaction of any size', { timeout: TIMEOUT_MS }, async () => {
      const reader = await aReadShop();
      const { checkpoint: first } = await pollOnce(reader);
      const rows = Array.from({ length: 20_000 }, (_, id) => `(${id}, 'a')`);
      await run('BEGIN', `INSERT INTO shop.t VALUES ${rows.join(',')}`, "UPDATE shop.t SET v = 'b'", 'COMMIT');
      const positions: string[] = [];
      let at: Json = first;

      // Each reader dies after a part.
      for (let given = 1; given > 0; ) {
        const result = await pollOnce(await aCdcReader(database, at, ONLY_SHOP), { records: 3_000 });
        positions.push(...result.records.map(({ position }) => formatPosition(position ?? [])));
        at = result.checkpoint;
        given = result.records.length;
      }

      expect(new Set(positions).size).toBe(40_000);
      expect(positions).toHaveLength(40_000);
    });

    test('gives positions that grow', async () => {
      const reader = await aReadShop();
      await run(
        "INSERT INTO shop.t VALUES (1, 'a'), (2, 'b')",
        'FLUSH BINARY LOGS',
        "UPDATE shop.t SET v = 'c'",
        'DELETE FROM shop.t',
      );

      const positions = recordsIn(await drain(reader)).map(({ position = [] }) => position);

      for (const [index, position] of positions.slice(1).entries()) {
        expect(comparePositions(positions[index] ?? [], position)).toBeLessThan(0);
      }
    });

    test('waits for what comes where it follows', async () => {
      const reader = await aReadShop();
      const waiting = pollOnce(reader, { waitMs: 10_000 });
      await run("INSERT INTO shop.t VALUES (1, 'a')");

      expect((await waiting).records.map(inShort)).toEqual([['test.shop.t', { id: 1 }, 'c', null, { id: 1, v: 'a' }]]);
    });

    // MariaDB waits for others to commit with before it writes into its log.
    if (!isMariadb) {
      test('has rows of a transaction that was logged when it began, and that nobody saw yet', async () => {
        await aReadShop();
        await run('SET GLOBAL binlog_group_commit_sync_delay = 1000000');
        onTestFinished(async () => {
          await run('SET GLOBAL binlog_group_commit_sync_delay = 0');
        });
        const before = await binlogEnd(database);
        const writing = run("INSERT INTO shop.t VALUES (9, 'late')");
        await expect.poll(() => binlogEnd(database), { interval: 5 }).not.toEqual(before);
        expect(await run('SELECT id FROM shop.t')).toEqual([]);

        const records = recordsIn(await drain(await aCdcReader(database, null, ONLY_SHOP)));
        await writing;

        expect(records.map(({ key }) => key.value)).toEqual([{ id: 9 }]);
      });
    }

    test('begins with what comes, where no rows are wanted', async () => {
      await run(
        'DROP DATABASE IF EXISTS shop',
        'CREATE DATABASE shop',
        'CREATE TABLE shop.t (id INT PRIMARY KEY)',
        'INSERT INTO shop.t VALUES (1)',
      );
      const keys = { ...ONLY_SHOP, 'snapshot.mode': 'schema_only' };
      const { checkpoint } = await pollOnce(await aCdcReader(database, null, keys));
      await run('INSERT INTO shop.t VALUES (2)');

      const records = recordsIn(await drain(await aCdcReader(database, checkpoint, keys)));

      expect(records.map(({ key }) => key.value)).toEqual([{ id: 2 }]);
    });

    test('leaves no connection behind where it does not follow', async () => {
      const before = await connections();
      const reader = await aReadShop();
      await drain(reader);

      await expect.poll(connections, { timeout: 10_000 }).toBe(before);
    });

    async function connections(): Promise<number> {
      return (await run('SHOW PROCESSLIST')).filter(([, user]) => user === 'root').length;
    }
  });

  describe('a server', () => {
    test('is ready as it is, for a user with three grants', async () => {
      const user = await aUser('SELECT, REPLICATION SLAVE, REPLICATION CLIENT');

      expect(await discover({ 'database.user': user })).toEqual([{ names: ['binlog'], finite: false }]);
    });

    test('that is not is told everything that it lacks, with the statement that mends it', async () => {
      const user = await aUser('SELECT');
      await run(
        'SET GLOBAL binlog_row_image = MINIMAL',
        'SET GLOBAL binlog_row_metadata = MINIMAL',
        "SET GLOBAL binlog_format = 'MIXED'",
      );
      onTestFinished(async () => {
        await run(
          'SET GLOBAL binlog_row_image = FULL',
          'SET GLOBAL binlog_row_metadata = FULL',
          "SET GLOBAL binlog_format = 'ROW'",
        );
      });

      const error = await discover({ 'database.user': user }).catch((thrown: unknown) => thrown);

      expect(error).toMatchObject({ name: 'FatalTaskError', code: 'source.misconfigured' });
      const monitor = isMariadb ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
      expect((error as Error).message.split('\n').slice(1)).toEqual([
        'binlog_format is MIXED; next: SET GLOBAL binlog_format = ROW',
        'binlog_row_image is MINIMAL; next: SET GLOBAL binlog_row_image = FULL',
        'binlog_row_metadata is MINIMAL; next: SET GLOBAL binlog_row_metadata = FULL',
        `'${user}'@'%' lacks REPLICATION SLAVE, ${monitor}; next: GRANT REPLICATION SLAVE, ${monitor} ON *.* TO '${user}'@'%'`,
      ]);
    });

    async function aUser(grants: string): Promise<string> {
      const user = `u${performance.now().toFixed(3).replace('.', '')}`;
      await run(`CREATE USER ${user}@'%'`, `GRANT ${grants} ON *.* TO ${user}@'%'`);
      return user;
    }

    function discover(keys: CdcKeys): Promise<unknown> {
      return mysqlCdcSource.discover(cdcConfig(database, keys), aPluginContext({ clock: systemClock }));
    }
  });

  describe('is stopped by', () => {
    async function failure(reader: SourceReader, polls = 10, waitMs = 0): Promise<unknown> {
      for (let poll = 0; poll < polls; poll += 1) {
        const error = await pollOnce(reader, { waitMs }).catch((thrown: unknown) => thrown);
        if (error instanceof Error) return error;
      }
      return null;
    }

    test('a date that no calendar has, once all before it is given', async () => {
      const reader = await aReadShop('id INT PRIMARY KEY, d DATE');
      await run("SET sql_mode = ''", "INSERT INTO shop.t VALUES (1, '2026-02-28'), (2, '0000-00-00')");

      const { records } = await pollOnce(reader);

      expect(records).toHaveLength(1);
      expect(await failure(reader)).toMatchObject({
        name: 'FatalTaskError',
        message: expect.stringContaining('invalid.dates') as string,
      });
    });

    test('no such date where it is to be null, or dates are text', async () => {
      for (const [key, value, date] of [
        ['invalid.dates', 'null', null],
        ['time.precision.mode', 'string', '0000-00-00'],
      ] as const) {
        const reader = await aReadShop('id INT PRIMARY KEY, d DATE', { [key]: value });
        await run("SET sql_mode = ''", "INSERT INTO shop.t VALUES (2, '0000-00-00')");

        expect((await changes(reader)).map((change) => (change as unknown[])[4])).toEqual([{ id: 2, d: date }]);
      }
    });

    test('an integer that is too large for one of 64 bits', async () => {
      const reader = await aReadShop('id BIGINT UNSIGNED PRIMARY KEY');
      await run('INSERT INTO shop.t VALUES (9223372036854775808)');

      expect(await failure(reader)).toMatchObject({
        message: expect.stringContaining('bigint.unsigned.handling.mode') as string,
      });
    });

    test('changes that were logged as statements', async () => {
      const reader = await aReadShop();
      await run("SET binlog_format = 'STATEMENT'", "INSERT INTO shop.t VALUES (1, 'a')");

      expect(await failure(reader)).toMatchObject({
        name: 'FatalTaskError',
        code: 'source.unreadable',
        message: expect.stringContaining('binlog_format = ROW') as string,
      });
    });

    test('an XA transaction that is only prepared', async () => {
      const reader = await aReadShop();
      await run("XA START 'a'", "INSERT INTO shop.t VALUES (1, 'a')", "XA END 'a'", "XA PREPARE 'a'", "XA ROLLBACK 'a'");

      expect(await failure(reader)).toMatchObject({
        code: 'source.unreadable',
        message: expect.stringContaining('XA') as string,
      });
    });

    test('a log that does not reach back so far', { timeout: TIMEOUT_MS }, async () => {
      const reader = await aReadShop();
      const { checkpoint } = await pollOnce(reader);
      await reader.close();
      await run("INSERT INTO shop.t VALUES (1, 'a')", 'FLUSH BINARY LOGS');
      const [[file] = []] = await run(isMariadb ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
      // A file is kept while somebody reads it, and the server has not heard yet that nobody does.
      const filesLeft = async () => (await run(`PURGE BINARY LOGS TO '${file}'`, 'SHOW BINARY LOGS')).length;
      await expect.poll(filesLeft, { timeout: 10_000 }).toBe(1);

      expect(await failure(await aCdcReader(database, checkpoint, ONLY_SHOP))).toMatchObject({
        name: 'FatalTaskError',
        code: 'source.log_lost',
        message: expect.stringContaining('reset the offsets') as string,
      });
      const again = await drain(await aCdcReader(database, checkpoint, { ...ONLY_SHOP, 'snapshot.mode': 'when_needed' }));
      expect(recordsIn(again).map(inShort)).toEqual([['test.shop.t', { id: 1 }, 'r', null, { id: 1, v: 'a' }]]);
    });

    test('another one with its number, for so long as that reads', { timeout: TIMEOUT_MS }, async () => {
      const keys = { 'database.server.id': '77' };
      const older = await aReadShop(undefined, keys);
      await pollOnce(older, { waitMs: 100 });
      const newer = await aReadShop(undefined, keys);
      await run("INSERT INTO shop.t VALUES (1, 'a')");
      const { records } = await pollOnce(newer, { waitMs: 10_000 });

      expect(records).toHaveLength(1);
      expect(await failure(older, 10, 2_000)).toMatchObject({
        name: 'RetryableError',
        code: 'source.unavailable',
        message: expect.stringContaining('another database.server.id') as string,
      });
    });

    test('a password that is wrong', async () => {
      const reader = await aCdcReader(database, null, { 'database.user': 'nobody', 'database.password': 'secret' });

      const error = await failure(reader);

      expect(error).toMatchObject({ name: 'FatalTaskError', code: 'source.unauthorized' });
      expect(String(error)).not.toContain('secret');
    });

    test('a server that is away, for so long', { timeout: TIMEOUT_MS }, async () => {
      const reader = await aReadShop();
      const { checkpoint } = await pollOnce(reader);
      const waiting = pollOnce(reader, { waitMs: 30_000 }).catch((thrown: unknown) => thrown);
      await run("INSERT INTO shop.t VALUES (1, 'a')");
      await database.server().kill();

      const error = (await waiting) instanceof Error ? await waiting : await failure(reader, 10, 1_000);
      expect(error).toMatchObject({ name: 'RetryableError', code: 'source.unavailable' });
      expect(await failure(reader, 1)).toMatchObject({ code: 'source.unavailable' });
      await database.server().restart();
      await run("INSERT INTO shop.t VALUES (2, 'b')");

      const records = recordsIn(await drain(await aCdcReader(database, checkpoint, ONLY_SHOP)));
      expect(records.map(({ key }) => key.value)).toEqual([{ id: 1 }, { id: 2 }]);
    });

    test('no fail-over to another server with the same transactions: it goes on there by their names', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const reader = await aReadShop();
      await run("INSERT INTO shop.t VALUES (1, 'a')", 'FLUSH BINARY LOGS', "INSERT INTO shop.t VALUES (2, 'b'), (3, 'c')");
      const { records: before, checkpoint } = await pollOnce(reader, { records: 2 });
      await reader.close();
      const other = await database.copy();
      onTestFinished(() => database.server().restart());
      await other.run("INSERT INTO shop.t VALUES (4, 'd')");

      const results = await drain(await aCdcReader(other, checkpoint, ONLY_SHOP));
      const rest = await drain(await aCdcReader(other, lastCheckpoint(results), ONLY_SHOP));

      // A transaction of which a part was given is given as a whole there.
      expect([...before, ...recordsIn(results)].map(({ key }) => (key.value as Struct)['id'])).toEqual([1, 2, 2, 3, 4]);
      expect(comparePositions(before.at(-1)?.position ?? [], recordsIn(results)[0]?.position ?? [])).toBeLessThan(0);
      expect(recordsIn(rest)).toEqual([]);
    });
  });
});

const ONLY_SHOP = { 'database.include.list': 'shop' };

/** Topic, key, operation, before and after. */
function inShort({ topic, key, value }: PolledRecord): readonly unknown[] {
  const { op, before, after } = value.value as Struct;
  return [topic, key.value, op, before, after];
}

function identityOf({ topic, key, value, position }: PolledRecord): unknown {
  const { op, before, after } = (value.value ?? {}) as Struct;
  return { topic, key: key.value, op, before, after, position };
}

/** Of the row after a change. */
function columnsOf({ fields }: StructSchema): readonly string[] {
  const after = fields.find(({ name }) => name === 'after')?.schema as StructSchema;
  return after.fields.map(({ name, schema }) => `${name} ${schema.type}${schema.optional ? '?' : ''}`);
}

/** As it comes back from the store. */
function stored(checkpoint: Json): Json {
  return JSON.parse(JSON.stringify(checkpoint)) as Json;
}
