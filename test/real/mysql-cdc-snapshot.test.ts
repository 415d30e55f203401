/** Rows that are read while others change them. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Json } from '../../core/json.ts';
import { formatPosition } from '../../core/record/position.ts';
import type { Struct } from '../../core/record/schema.ts';
import type { PolledRecord } from '../../plugins/api/source.ts';
import { type TestDatabase, withDatabases } from '../support/databases.ts';
import { aCdcReader, drain, pollOnce, recordsIn } from '../support/mysql-cdc.ts';

const TIMEOUT_MS = 120_000;

/** Rows of each table when it begins: several chunks' worth. */
const ROWS = 3_000;
const PAD_BYTES = 4_000;

const FLAT = { 'output.format': 'flat', 'database.include.list': 'busy' };

interface KeyedTable {
  readonly key: string;
  readonly value: (n: number) => string;
  /** How the key is selected, to be compared with what records say. */
  readonly selected: string;
}

const tablesOfBoth: Readonly<Record<string, KeyedTable>> = {
  numbers: { key: 'BIGINT UNSIGNED', value: String, selected: 'id' },
  texts: {
    key: 'VARCHAR(20) COLLATE utf8mb4_general_ci',
    value: (n) => `'${n % 2 === 0 ? 'K' : 'k'}ey-${n}'`,
    selected: 'id',
  },
  bytes: { key: 'VARBINARY(8)', value: (n) => `x'${n.toString(16).padStart(8, '0')}'`, selected: 'HEX(id)' },
  // Next to each other, and further from zero than a double is exact.
  decimals: { key: 'DECIMAL(30,2) ZEROFILL', value: (n) => `90071992547409930000${n}.25`, selected: 'TRIM(LEADING 0 FROM id)' },
};

const tablesOfMariadb: Readonly<Record<string, KeyedTable>> = {
  // Of versions 1 to 7; it orders those of some by other bytes first.
  uuids: {
    key: 'UUID',
    value: (n) => `'${hash(n).slice(0, 12)}${1 + (n % 7)}${hash(n).slice(13, 16)}8${hash(n).slice(17)}'`,
    selected: 'HEX(CAST(id AS BINARY(16)))',
  },
  inet4s: { key: 'INET4', value: (n) => `INET_NTOA(0x${hash(n).slice(0, 8)})`, selected: 'HEX(CAST(id AS BINARY(4)))' },
  inet6s: { key: 'INET6', value: (n) => `INET6_NTOA(x'${hash(n)}')`, selected: 'HEX(CAST(id AS BINARY(16)))' },
};

/** 32 hexadecimal digits. */
function hash(n: number): string {
  return createHash('md5').update(String(n)).digest('hex');
}

function tablesOf({ isMariadb }: TestDatabase): Readonly<Record<string, KeyedTable>> {
  return isMariadb ? { ...tablesOfBoth, ...tablesOfMariadb } : tablesOfBoth;
}

/** A commit need not be durable. */
const QUICK = { sync_binlog: '0', innodb_flush_log_at_trx_commit: '0' };

withDatabases('rows and changes of mysql-cdc-source', { settings: QUICK }, (database) => {
  test('fit together: what was given is, at every moment, a state that the database had', { timeout: TIMEOUT_MS }, async () => {
    await fill(database);
    const writers = new Writers(database);
    const writing = writers.run();
    const reader = await aCdcReader(database, null, FLAT);
    const fold = new Fold();
    const tableCount = Object.keys(tablesOf(database)).length;
    let checkpoint: Json = null;

    for (let polls = 0; fold.reads < ROWS * tableCount * 0.9 || polls < 400; polls += 1) {
      const polled = await pollOnce(reader, { records: 100 });
      for (const record of polled.records) fold.take(record);
      checkpoint = polled.checkpoint;
    }
    await writers.stop();
    await writing;
    await reader.close();
    // One that follows does not know the end.
    for (const record of recordsIn(await drain(await aCdcReader(database, checkpoint, FLAT)))) fold.take(record);

    expect(fold.places.size).toBeGreaterThan(6);
    expect(writers.changes).toBeGreaterThan(100);
    expect(fold.stepsBack).toEqual([]);
    expect(fold.rows()).toEqual(await rowsOf(database));
  });

  test('fit together where readers die again and again', { timeout: TIMEOUT_MS }, async () => {
    await fill(database);
    const writers = new Writers(database);
    const writing = writers.run();
    const fold = new Fold();
    let committed: Json = null;

    for (let death = 0; death < 40; death += 1) {
      const reader = await aCdcReader(database, committed, FLAT);
      for (let poll = 0; poll < 15; poll += 1) {
        const { records, checkpoint } = await pollOnce(reader, { records: 1 + ((death * 7 + poll * 13) % 200) });
        for (const record of records) fold.take(record);
        // The last polls before it dies are not committed.
        if (poll < 12) committed = checkpoint;
      }
      await reader.close();
    }
    await writers.stop();
    await writing;
    for (const record of recordsIn(await drain(await aCdcReader(database, committed, FLAT)))) fold.take(record);

    expect(fold.rows()).toEqual(await rowsOf(database));
  });
});

withDatabases('tables that mysql-cdc-source reads', { settings: QUICK }, (database) => {
  test('may be dropped meanwhile: the others are read to their end', { timeout: TIMEOUT_MS }, async () => {
    await fill(database);
    const reader = await aCdcReader(database, null, FLAT);
    const fold = new Fold();
    while (fold.reads < 100) for (const record of (await pollOnce(reader, { records: 100 })).records) fold.take(record);

    // The one that is being read, and one that comes later.
    await database.run('DROP TABLE busy.bytes', 'DROP TABLE busy.texts');
    for (const record of recordsIn(await drain(reader))) fold.take(record);

    const left = fold.rows().filter((row) => row.startsWith('numbers '));
    expect(left).toHaveLength(ROWS);
    expect(fold.rows().some((row) => row.startsWith('texts '))).toBe(false);
  });
});

async function fill(database: TestDatabase): Promise<void> {
  const { run } = database;
  await run('DROP DATABASE IF EXISTS busy', 'CREATE DATABASE busy CHARACTER SET utf8mb4');
  for (const [table, { key, value }] of Object.entries(tablesOf(database))) {
    const rows = Array.from({ length: ROWS }, (_, n) => `(${value(n * 2)}, 0, REPEAT('x', ${PAD_BYTES}))`);
    await run(
      `CREATE TABLE busy.${table} (id ${key} PRIMARY KEY, v BIGINT, pad TEXT)`,
      `INSERT INTO busy.${table} VALUES ${rows.join(', ')}`,
      `ANALYZE TABLE busy.${table}`,
    );
  }
}

/** Change rows all over the tables; each state of a row has a higher number than the one before. */
class Writers {
  changes = 0;
  readonly #database: TestDatabase;
  #isOver = false;

  constructor(database: TestDatabase) {
    this.#database = database;
  }

  async run(): Promise<void> {
    await Promise.all([1, 2, 3].map((writer) => this.#write(writer)));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
  }

  async #write(writer: number): Promise<void> {
    const connection = await this.#database.connect();
    const tables = Object.entries(tablesOf(this.#database));
    for (let step = 1; !this.#isOver; step += 1) {
      const [table, { value }] = tables[(step + writer) % tables.length] as [string, KeyedTable];
      const id = value((step * 7_919 * writer) % (ROWS * 2));
      const next = `(SELECT next FROM (SELECT ${step * 10 + writer} AS next) AS one)`;
      await connection.query(
        statement(step, { table: `busy.${table}`, id, next, other: value((step * 104_729 * writer) % (ROWS * 2)) }),
      );
      this.changes += 1;
    }
  }
}

function statement(
  step: number,
  { table, id, next, other }: Readonly<Record<'table' | 'id' | 'next' | 'other', string>>,
): string {
  switch (step % 4) {
    case 0:
      return `DELETE FROM ${table} WHERE id = ${id}`;
    case 1:
      return `INSERT INTO ${table} VALUES (${id}, ${next}, 'y') ON DUPLICATE KEY UPDATE v = v + 1`;
    case 2:
      return `UPDATE IGNORE ${table} SET id = ${other}, v = v + 1 WHERE id = ${id}`;
    default:
      return `UPDATE ${table} SET v = v + 1 WHERE id >= ${id} LIMIT 5`;
  }
}

/** The state that records say. */
class Fold {
  reads = 0;
  readonly stepsBack: string[] = [];
  /** Of rows that were read. */
  readonly places = new Set<string>();
  readonly #rows = new Map<string, bigint>();
  readonly #seen = new Set<string>();

  take({ topic, value, position }: PolledRecord): void {
    const where = `${topic} ${formatPosition(position ?? [])}`;
    // As the log does: what has landed is not sent again.
    if (this.#seen.has(where)) return;
    this.#seen.add(where);
    const row = value.value as Struct;
    const key = `${String(row['__table'])} ${idText(row['id'])}`;
    const before = this.#rows.get(key);
    if (row['__op'] === 'r') {
      this.reads += 1;
      this.places.add(formatPosition((position ?? []).slice(0, 3)));
      if (before !== undefined && before > (row['v'] as bigint)) this.stepsBack.push(key);
    }
    if (row['__deleted'] === 'true') this.#rows.delete(key);
    else this.#rows.set(key, row['v'] as bigint);
  }

  rows(): readonly string[] {
    return [...this.#rows].map(([key, v]) => `${key} ${v}`).sort();
  }
}

async function rowsOf(database: TestDatabase): Promise<readonly string[]> {
  const all: string[] = [];
  for (const [table, { selected }] of Object.entries(tablesOf(database))) {
    for (const [key, v] of await database.run(`SELECT ${selected}, v FROM busy.${table}`)) all.push(`${table} ${key} ${v}`);
  }
  return all.sort();
}

function idText(id: unknown): string {
  return id instanceof Uint8Array ? Buffer.from(id).toString('hex').toUpperCase() : String(id);
}
