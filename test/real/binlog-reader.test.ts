/** What a reader makes of the logs of real servers. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { BinlogPlace } from '../../clients/binlog/binlog-events.ts';
import type { BinlogReader } from '../../clients/binlog/binlog-reader.ts';
import type { GtidSet } from '../../clients/binlog/gtid.ts';
import { MariadbGtidSet } from '../../clients/binlog/mariadb-gtid-set.ts';
import { MysqlGtidSet } from '../../clients/binlog/mysql-gtid-set.ts';
import { MysqlRefusal, MysqlUnreachable } from '../../clients/mysql/mysql-failure.ts';
import { aBinlogReader, binlogEnd, type ReadEvent, readBinlog, rowsAfter } from '../support/binlogs.ts';
import { type TestDatabase, withDatabases } from '../support/databases.ts';

const TIMEOUT_MS = 60_000;

/** What a server says to a replica that it cannot serve, or does not want any more. */
const SOURCE_FATAL_ERROR = 1_236;

/** MariaDB's, where MySQL says the one above. */
const REPLACED_IN_MARIADB = 4_052;

const BIG_ROW_BYTES = 40 * 1024 * 1024;

withDatabases('binary log', { settings: { 'max-allowed-packet': '128M' } }, (database) => {
  const { run, connect, isMariadb } = database;

  async function aTable(columns = 'id INT PRIMARY KEY, v VARCHAR(20)'): Promise<void> {
    await run('DROP DATABASE IF EXISTS log', 'CREATE DATABASE log', `CREATE TABLE log.t (${columns})`);
  }

  function emptySet(): GtidSet & (MysqlGtidSet | MariadbGtidSet) {
    return isMariadb ? new MariadbGtidSet() : new MysqlGtidSet();
  }

  test('gives transactions in the order of their commits, and nothing that was rolled back', async () => {
    await aTable();
    const from = await binlogEnd(database);
    await run(
      "INSERT INTO log.t VALUES (1, 'a'), (2, 'b')",
      'BEGIN',
      "UPDATE log.t SET v = 'c' WHERE id = 1",
      'SAVEPOINT s',
      "INSERT INTO log.t VALUES (3, 'never')",
      'ROLLBACK TO s',
      'DELETE FROM log.t WHERE id = 2',
      'COMMIT',
      'BEGIN',
      'DELETE FROM log.t',
      'ROLLBACK',
      'TRUNCATE TABLE log.t',
    );

    const events = await readBinlog(await aBinlogReader(database, from));

    expect(events.map(inShort)).toEqual([
      'begin',
      'log.t insert -> 1,a; -> 2,b',
      'committed',
      'begin',
      'log.t update 1,a -> 1,c',
      'log.t delete 2,b ->',
      'committed',
      'begin',
      'TRUNCATE TABLE log.t',
      'committed',
    ]);
  });

  test('begins at each place that it gave, and behind each set of transactions, with the same that follows', async () => {
    await aTable();
    const from = await binlogEnd(database);
    const inserts = Array.from({ length: 5 }, (_, id) => `INSERT INTO log.t VALUES (${id}, 'a')`);
    const gtids = parseGtids(await executedBefore(database, from));
    await run(...inserts, 'FLUSH BINARY LOGS', ...inserts.map((sql) => sql.replace('VALUES (', 'VALUES (1')));
    const reader = await aBinlogReader(database, from);
    const places: { readonly place: BinlogPlace; readonly gtids: string; readonly given: number }[] = [];

    const events = await readBinlog(reader, (given) => {
      const event = given.at(-1);
      if (event?.kind === 'begin' && event.gtid !== null) gtids.add(event.gtid);
      if (event?.kind === 'end') places.push({ place: reader.place ?? from, gtids: String(gtids), given: given.length });
      return false;
    });

    expect(places).toHaveLength(10);
    expect(new Set(places.map(({ place }) => place.file)).size).toBe(2);
    for (const { place, gtids: before, given } of places) {
      const rest = events.slice(given).map(inShort);
      expect((await readBinlog(await aBinlogReader(database, place))).map(inShort)).toEqual(rest);
      expect((await readBinlog(await aBinlogReader(database, parseGtids(before)))).map(inShort)).toEqual(rest);
    }

    function parseGtids(text: string): MysqlGtidSet | MariadbGtidSet {
      return isMariadb ? MariadbGtidSet.parse(text) : MysqlGtidSet.parse(text);
    }
  });

  test.runIf(!isMariadb)('begins within a transaction, where the tables of a statement are described', async () => {
    await aTable();
    const from = await binlogEnd(database);
    await run('BEGIN', "INSERT INTO log.t VALUES (1, 'a')", "INSERT INTO log.t VALUES (2, 'b'), (3, 'c')", 'COMMIT');
    const reader = await aBinlogReader(database, from);
    await readBinlog(reader, (events) => events.filter(({ kind }) => kind === 'rows').length === 2);
    const place = { ...from, position: reader.statementAt ?? 0 };

    const rest = await readBinlog(await aBinlogReader(database, place, { isInTransaction: true }));

    expect(rest.map(inShort)).toEqual(['log.t insert -> 2,b; -> 3,c', 'committed']);
  });

  test('gives what is written while it follows, within a moment', { timeout: TIMEOUT_MS }, async () => {
    await aTable();
    const reader = await aBinlogReader(database, await binlogEnd(database), { follows: true });
    const reading = readBinlog(reader, (events) => events.at(-1)?.kind === 'end');

    await run("INSERT INTO log.t VALUES (1, 'a')");

    expect((await reading).map(inShort)).toEqual(['begin', 'log.t insert -> 1,a', 'committed']);
    expect(reader.isAtEnd).toBe(false);
  });

  test('reads each row with the columns that the table had then', async () => {
    await aTable();
    const from = await binlogEnd(database);
    await run(
      "INSERT INTO log.t VALUES (1, 'a')",
      'ALTER TABLE log.t ADD COLUMN n BIGINT UNSIGNED FIRST, DROP COLUMN v',
      'INSERT INTO log.t VALUES (18446744073709551615, 2)',
      'ALTER TABLE log.t RENAME TO log.renamed',
      'INSERT INTO log.renamed VALUES (NULL, 3)',
    );

    const events = await readBinlog(await aBinlogReader(database, from));

    expect(rowsAfter(events)).toEqual([
      [1, 'a'],
      [2n ** 64n - 1n, 2],
      [null, 3],
    ]);
    expect(events.flatMap((event) => (event.kind === 'statement' ? event.sql : []))).toHaveLength(2);
  });

  test('says when a transaction was committed, on which server, and by which name', async () => {
    await aTable();
    const from = await binlogEnd(database);
    const beforeMs = Date.now();
    await run("INSERT INTO log.t VALUES (1, 'a')");

    const [begin] = await readBinlog(await aBinlogReader(database, from));

    expect(begin).toMatchObject({ kind: 'begin', place: from, serverId: isMariadb ? 11 : 21 });
    if (begin?.kind !== 'begin') return;
    expect(begin.gtid?.text).toMatch(isMariadb ? /^0-11-\d+$/ : /^[\da-f-]{36}:\d+$/);
    const commitMs = begin.committedAtUs / 1_000;
    expect(commitMs).toBeGreaterThanOrEqual(beforeMs - 1_000);
    expect(commitMs).toBeLessThan(beforeMs + 10_000);
  });

  test('reads a row of 40 MB', { timeout: TIMEOUT_MS }, async () => {
    await aTable('id INT PRIMARY KEY, v LONGTEXT');
    const from = await binlogEnd(database);
    await run(`INSERT INTO log.t VALUES (1, REPEAT('0123456789', ${BIG_ROW_BYTES / 10}))`);

    const [row] = rowsAfter(await readBinlog(await aBinlogReader(database, from)));

    const text = String(row?.[1]);
    expect(text).toHaveLength(BIG_ROW_BYTES);
    expect(text === '0123456789'.repeat(BIG_ROW_BYTES / 10)).toBe(true);
  });

  test('reads a log without checksums, and one that is switched', async () => {
    await aTable();
    const from = await binlogEnd(database);
    await run(
      "INSERT INTO log.t VALUES (1, 'a')",
      'SET GLOBAL binlog_checksum = NONE',
      "INSERT INTO log.t VALUES (2, 'b')",
      'FLUSH BINARY LOGS',
    );
    const within = await binlogEnd(database);
    await run("INSERT INTO log.t VALUES (3, 'c')");

    const all = rowsAfter(await readBinlog(await aBinlogReader(database, from)));
    const unchecked = rowsAfter(await readBinlog(await aBinlogReader(database, within)));
    await run('SET GLOBAL binlog_checksum = CRC32');

    expect(all.map(([id]) => id)).toEqual([1, 2, 3]);
    expect(unchecked.map(([id]) => id)).toEqual([3]);
  });

  test('reads transactions that the server compresses', async () => {
    await aTable('id INT PRIMARY KEY, v TEXT');
    const from = await binlogEnd(database);
    const insert = (id: number): string => `INSERT INTO log.t VALUES (${id}, REPEAT('long', 1000))`;
    if (isMariadb) await run('SET GLOBAL log_bin_compress = ON');
    await run(
      ...(isMariadb ? [] : ['SET binlog_transaction_compression = ON']),
      'BEGIN',
      insert(1),
      insert(2),
      "UPDATE log.t SET v = 'short'",
      'COMMIT',
      insert(3),
      'DELETE FROM log.t WHERE id = 3',
      `ALTER TABLE log.t COMMENT '${'a comment '.repeat(50)}'`,
    );
    if (isMariadb) await run('SET GLOBAL log_bin_compress = OFF');

    const events = await readBinlog(await aBinlogReader(database, from));

    const long = 'long'.repeat(1_000);
    expect(events.map(inShort)).toEqual([
      'begin',
      `log.t insert -> 1,${long}`,
      `log.t insert -> 2,${long}`,
      `log.t update 1,${long} -> 1,short; 2,${long} -> 2,short`,
      'committed',
      'begin',
      `log.t insert -> 3,${long}`,
      'committed',
      'begin',
      `log.t delete 3,${long} ->`,
      'committed',
      'begin',
      `ALTER TABLE log.t COMMENT '${'a comment '.repeat(50)}'`,
      'committed',
    ]);
  });

  test.runIf(!isMariadb)('knows transactions with tags', async () => {
    await aTable();
    const from = await binlogEnd(database);
    const before = await executedBefore(database, from);
    await run("SET gtid_next = 'AUTOMATIC:some_tag'", "INSERT INTO log.t VALUES (1, 'a')", "INSERT INTO log.t VALUES (2, 'b')");
    const gtids = MysqlGtidSet.parse(before);
    const reader = await aBinlogReader(database, from);

    const events = await readBinlog(reader, (given) => given.at(-1)?.kind === 'end');
    for (const event of events) if (event.kind === 'begin' && event.gtid !== null) gtids.add(event.gtid);
    const rest = await readBinlog(await aBinlogReader(database, MysqlGtidSet.parse(String(gtids))));

    expect(events[0]).toMatchObject({ gtid: { text: expect.stringMatching(/^[\da-f-]{36}:some_tag:1$/) as string } });
    expect(rest.map(inShort)).toEqual(['begin', 'log.t insert -> 2,b', 'committed']);
  });

  test('says of an XA transaction that it is only prepared', async () => {
    await aTable();
    const from = await binlogEnd(database);
    await run("XA START 'x'", "INSERT INTO log.t VALUES (1, 'a')", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'");

    const events = await readBinlog(await aBinlogReader(database, from));

    expect(events.map(inShort).slice(0, 3)).toEqual(['begin', 'log.t insert -> 1,a', 'prepared']);
  });

  describe('what cannot be read', () => {
    async function refusal(...statements: readonly string[]): Promise<unknown> {
      const from = await binlogEnd(database);
      await run(...statements);
      const reader = await aBinlogReader(database, from);
      const error = await readBinlog(reader).catch((thrown: unknown) => thrown);
      // It stays so: what follows would leave a gap.
      expect(() => reader.next()).toThrow(error as Error);
      return error;
    }

    test('rows without some of their columns', async () => {
      await aTable();
      await run("INSERT INTO log.t VALUES (1, 'a')");

      expect(await refusal('SET binlog_row_image = MINIMAL', "UPDATE log.t SET v = 'b'")).toMatchObject({
        name: 'UnreadableBinlog',
        message: 'a change of log.t was logged without some of its columns',
        next: expect.stringContaining('binlog_row_image') as string,
      });
    });

    test('columns without names', async () => {
      await aTable();
      await run('SET GLOBAL binlog_row_metadata = MINIMAL');
      onTestFinished(async () => void (await run('SET GLOBAL binlog_row_metadata = FULL')));

      expect(await refusal("INSERT INTO log.t VALUES (1, 'a')")).toMatchObject({
        message: 'the log says no names of the columns of log.t',
        next: expect.stringContaining('binlog_row_metadata') as string,
      });
    });

    test.runIf(!isMariadb)('JSON as a difference', async () => {
      await aTable('id INT PRIMARY KEY, v JSON');
      const doc = `JSON_OBJECT('a', REPEAT('x', 1000), 'b', 1)`;

      const error = await refusal(
        `INSERT INTO log.t VALUES (1, ${doc})`,
        'SET binlog_row_value_options = PARTIAL_JSON',
        "UPDATE log.t SET v = JSON_SET(v, '$.b', 2)",
      );

      expect(error).toMatchObject({
        message: 'a change of JSON was logged as its difference',
        next: expect.stringContaining('binlog_row_value_options') as string,
      });
    });

    test('a character set whose every character is not known', async () => {
      await aTable('id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET euckr');

      expect(await refusal("INSERT INTO log.t VALUES (1, 'a')")).toMatchObject({ message: 'column v is in character set euckr' });
    });

    test('a file that is not there', async () => {
      const reader = await aBinlogReader(database, { file: 'nothing.000001', position: 4 });

      await expect(readBinlog(reader)).rejects.toMatchObject({ name: MysqlRefusal.name, errno: SOURCE_FATAL_ERROR });
    });

    test('transactions that were purged', async () => {
      await aTable();
      const gtids = emptySet();
      await run("INSERT INTO log.t VALUES (1, 'a')", 'FLUSH BINARY LOGS');
      const { file } = await binlogEnd(database);
      await run(`PURGE BINARY LOGS TO '${file}'`);

      const reader = aBinlogReader(database, gtids);

      await expect(reader.then(readBinlog)).rejects.toMatchObject({ name: MysqlRefusal.name, errno: SOURCE_FATAL_ERROR });
    });
  });

  describe('connections', () => {
    test('of two readers with one number, the older one is let go', { timeout: TIMEOUT_MS }, async () => {
      await aTable();
      const from = await binlogEnd(database);
      const older = await aBinlogReader(database, from, { follows: true, serverId: 77 });
      await run("INSERT INTO log.t VALUES (1, 'a')");
      await readBinlog(older, (events) => events.at(-1)?.kind === 'end');

      const newer = await aBinlogReader(database, from, { follows: true, serverId: 77 });
      const given = await readBinlog(newer, (events) => events.at(-1)?.kind === 'end');
      const error = await readBinlog(older).catch((thrown: unknown) => thrown);

      expect(given.map(inShort)).toEqual(['begin', 'log.t insert -> 1,a', 'committed']);
      expect(error).toMatchObject({ name: MysqlRefusal.name, errno: isMariadb ? REPLACED_IN_MARIADB : SOURCE_FATAL_ERROR });
    });

    test('none is left behind', { timeout: TIMEOUT_MS }, async () => {
      const from = await binlogEnd(database);
      const readers = [
        await aBinlogReader(database, from, { follows: true }),
        await aBinlogReader(database, from, { follows: false }),
      ];
      await readBinlog(readers[1] as BinlogReader);

      for (const reader of readers) reader.close();

      await vi.waitFor(async () => expect(await dumps()).toEqual([]), { timeout: 10_000, interval: 100 });
    });

    test('one whose server dies says so', async () => {
      const reader = await aBinlogReader(database, await binlogEnd(database), { follows: true });
      const ending = readBinlog(reader).catch((thrown: unknown) => thrown);

      await database.server().kill();

      expect(await ending).toBeInstanceOf(MysqlUnreachable);
      await database.server().restart();
      await connect();
    });

    async function dumps(): Promise<readonly (string | null | undefined)[]> {
      const rows = await run('SHOW PROCESSLIST');
      return rows.map(([, , , , command]) => command).filter((command) => command?.includes('Dump') === true);
    }
  });
});

function inShort(event: ReadEvent): string {
  switch (event.kind) {
    case 'rows': {
      const rows = event.rows.map(({ before, after }) => `${before ?? ''} -> ${after ?? ''}`.trim());
      return `${event.table} ${event.operation} ${rows.join('; ')}`;
    }
    case 'statement':
      return event.sql.replace(/`/g, '');
    case 'end':
      return event.outcome;
    case 'begin':
      return 'begin';
  }
}

/** The transactions before a place that is the end by now, as the server knows them. */
async function executedBefore({ run, isMariadb }: TestDatabase, from: { readonly file: string; readonly position: number }) {
  const [[gtids] = []] = isMariadb
    ? await run(`SELECT BINLOG_GTID_POS('${from.file}', ${from.position})`)
    : await run('SELECT @@global.gtid_executed');
  return gtids ?? '';
}
