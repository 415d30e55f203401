/** Compares the shop with its replica and with what the archive adds up to, row by row. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseJson } from '../core/record/lossless-json.ts';
import type { Row } from './databases/shop-database.ts';
import { KEYS, type Shop, TABLES, type Table } from './shop.ts';

export interface Comparison {
  /** Rows of the shop that were looked for. */
  readonly rows: number;
  /** Rows that are missing, too many or different, in the replica and in the archive together. */
  readonly mismatches: number;
  /** The first few, for people. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 5;

/** Of one table: the row as text, by its key as text. */
type Rows = ReadonlyMap<string, string>;

export async function compare(shop: Shop, folder: string): Promise<Comparison> {
  const replica = new DatabaseSync(join(folder, 'replica.db'), { readOnly: true });
  const archive = readArchive(join(folder, 'archive'));
  const examples: string[] = [];
  let rows = 0;
  let mismatches = 0;
  try {
    for (const table of TABLES) {
      const expected = byKey(table, await shop.rows(table));
      rows += expected.size;
      for (const [where, found] of [
        ['replica', readReplica(replica, table)],
        ['archive', archive.get(table) ?? new Map()],
      ] as const) {
        for (const difference of differences(expected, found)) {
          mismatches += 1;
          if (examples.length < EXAMPLES_MAX) examples.push(`${table} in ${where}: ${difference}`);
        }
      }
    }
  } finally {
    replica.close();
  }
  return { rows, mismatches, examples };
}

function* differences(expected: Rows, found: Rows): Generator<string> {
  for (const [key, row] of expected) {
    const other = found.get(key);
    if (other === undefined) yield `${key} is missing`;
    else if (other !== row) yield `${key} is ${other}, not ${row}`;
  }
  for (const key of found.keys()) if (!expected.has(key)) yield `${key} is too many`;
}

/** Empty where the replica has not got the table yet. */
function readReplica(database: DatabaseSync, table: Table): Rows {
  if (database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) === undefined) return new Map();
  const statement = database.prepare(`SELECT * FROM ${table}`);
  statement.setReadBigInts(true);
  return byKey(table, statement.all());
}

function byKey(table: Table, rows: readonly Row[]): Rows {
  return new Map(rows.map((row) => [keyOf(table, row), textOf(row)]));
}

/** Changes in the order of each queue: the last one of a key is what is there. */
function readArchive(directory: string): ReadonlyMap<Table, Rows> {
  const tables = new Map<Table, Map<string, string>>(TABLES.map((table) => [table, new Map()]));
  for (const file of globSync('**/*.jsonl', { cwd: directory }).sort()) {
    for (const line of readFileSync(join(directory, file), 'utf8').split('\n')) if (line !== '') replay(tables, line);
  }
  return tables;
}

interface Change {
  readonly op: string;
  readonly before: Row | null;
  readonly after: Row | null;
  readonly source: { readonly table: Table };
}

function replay(tables: ReadonlyMap<Table, Map<string, string>>, line: string): void {
  const { op, before, after, source } = (parseJson(line) as unknown as { readonly payload: Change }).payload;
  const rows = tables.get(source.table);
  if (op === 'd' && before !== null) rows?.delete(keyOf(source.table, before));
  else if (after !== null) rows?.set(keyOf(source.table, after), textOf(after));
}

function keyOf(table: Table, row: Row): string {
  return KEYS[table].map((column) => String(row[column])).join('/');
}

/** Integers may come as numbers, as bigints or as digits, which print alike. */
function textOf(row: Row): string {
  return Object.keys(row)
    .sort()
    .map((column) => `${column}=${String(row[column])}`)
    .join(' ');
}
