/** Thirty tables with keys of all kinds, and what is in them. */
import type { TextRow } from '../../../clients/mysql/mysql-connection.ts';
import { DATABASE, type TableRows } from './table-rows.ts';

/** One statement after the other; the rows of the last. */
export type Run = (...statements: readonly string[]) => Promise<readonly TextRow[]>;

export interface BusyTable {
  readonly name: string;
  readonly columns: string;
  /** Columns of the key, in its order, and how their `n`th value is written. */
  readonly key: Readonly<Record<string, (n: number) => string>>;
}

/** Of each table in the beginning. */
export const ROWS = 500;

const bytes = (n: number): string => `x'${n.toString(16).padStart(8, '0')}'`;

const kinds: Readonly<Record<string, Omit<BusyTable, 'name'>>> = {
  numbers: { columns: 'id BIGINT UNSIGNED, PRIMARY KEY (id)', key: { id: String } },
  pairs: {
    columns: 'a INT, b VARCHAR(12), PRIMARY KEY (a, b)',
    key: { a: (n) => String(n % 40), b: (n) => `'ö${n}'` },
  },
  // The same key in other letters is the same row.
  texts: {
    columns: 'id VARCHAR(20) COLLATE utf8mb4_general_ci, PRIMARY KEY (id)',
    key: { id: (n) => `'${n % 3 === 0 ? 'KEY' : 'key'}-${n}'` },
  },
  bytes: { columns: 'id VARBINARY(8), PRIMARY KEY (id)', key: { id: bytes } },
  triples: {
    columns: 'c BIGINT, b VARBINARY(4), a CHAR(10) COLLATE utf8mb4_bin, PRIMARY KEY (a, b, c)',
    key: { a: (n) => `'a${n % 7}'`, b: (n) => bytes(n % 11), c: (n) => String(-n) },
  },
};

export const BUSY_TABLES: readonly BusyTable[] = Object.entries(kinds).flatMap(([kind, { columns, key }]) =>
  Array.from({ length: 6 }, (_, index) => ({ name: `${kind}_${index}`, columns, key })),
);

export async function fill(run: Run): Promise<void> {
  await run(`DROP DATABASE IF EXISTS ${DATABASE}`, `CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
  for (const table of BUSY_TABLES) {
    const rows = Array.from({ length: ROWS }, (_, n) => rowOf(table, n * 2));
    await run(
      `CREATE TABLE ${DATABASE}.${table.name} (v BIGINT NOT NULL, note VARCHAR(40), ${table.columns})`,
      insertInto(table, rows),
    );
  }
  await run(`CREATE TABLE ${DATABASE}.probes (id INT PRIMARY KEY)`);
}

export function insertInto({ name, key }: BusyTable, rows: readonly string[]): string {
  return `INSERT INTO ${DATABASE}.${name} (${Object.keys(key).join(', ')}, v, note) VALUES ${rows.join(', ')}`;
}

export function rowOf({ key }: BusyTable, n: number, note = 'new'): string {
  const cells = Object.values(key).map((write) => write(n));
  return `(${cells.join(', ')}, 0, '${note}')`;
}

/** `separator` between the columns of the key. */
export function keyIs({ key }: BusyTable, n: number, separator: ' AND ' | ', ' = ' AND '): string {
  const cells = Object.entries(key).map(([column, write]) => `${column} = ${write(n)}`);
  return cells.join(separator);
}

/** What they hold by now. */
export async function rowsOf(run: Run): Promise<ReadonlyMap<string, TableRows>> {
  const tables = new Map<string, TableRows>();
  // One by one: a server that is compared is at rest, and need not be in a hurry.
  for (const { name, key } of BUSY_TABLES) {
    const columns = await run(
      `SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '${DATABASE}' AND TABLE_NAME = '${name}'`,
    );
    const names = columns.map(([column]) => column ?? '');
    const cells = columns.map(([column, type]) => (type === 'varbinary' ? `TO_BASE64(${column})` : (column ?? '')));
    const rows = await run(`SELECT ${cells.join(', ')} FROM ${DATABASE}.${name}`);
    tables.set(name, { key: Object.keys(key), columns: names, rows: rows.map((row) => cellsOf(names, row)) });
  }
  return tables;
}

function cellsOf(names: readonly string[], row: TextRow): Readonly<Record<string, unknown>> {
  return Object.fromEntries(names.map((name, index) => [name, row[index]]));
}
