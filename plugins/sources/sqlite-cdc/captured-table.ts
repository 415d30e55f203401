/** The layout of a table as it is captured: enough to read its change rows later, when the table may look different. */
import type { DatabaseSync } from 'node:sqlite';
import { foldedName } from '../../../clients/sqlite/quoted.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { type ColumnType, columnType } from './column-type.ts';

export interface CapturedColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Whether a null can stand in it. */
  readonly optional: boolean;
}

/** The index of a column; with the collation where the index compares in another way than byte by byte. */
export type UniqueColumn = number | readonly [column: number, collation: string];

/** Of the text of triggers. A later one makes them anew in databases that are captured already, and has their tables read again. */
const VERSION = 2;

export interface TableLayout {
  /** Those that are stored may be of any version so far. */
  readonly v: 1 | typeof VERSION;
  readonly name: string;
  readonly columns: readonly CapturedColumn[];
  /** Indexes of the primary key's columns, in its order. Empty: rows are known by their rowid. */
  readonly key: readonly number[];
  /** The name that stands for the rowid in this table; `null` for one made WITHOUT ROWID. */
  readonly rowid: string | null;
  /** Columns of each unique index by which a row of another key may be replaced. */
  readonly unique: readonly (readonly UniqueColumn[])[];
}

/** One layout of one table, from the moment its triggers were made. Numbers grow. */
export interface CapturedTable extends TableLayout {
  readonly capture: number;
}

/** A change row holds two images, and a table of SQLite 2,000 columns at most. https://www.sqlite.org/limits.html, read 2026-11-26 */
const COLUMNS_MAX = 990;

/** All tables that `wanted` asks for. Not those of SQLite, of the product, and virtual ones, which take no triggers. */
export function tableLayouts(database: DatabaseSync, wanted: (table: string) => boolean): readonly TableLayout[] {
  const tables = database
    .prepare("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name")
    .all() as unknown as readonly { readonly name: string; readonly wr: number }[];
  return tables
    .filter(({ name }) => !/^(?:sqlite|_sortie)_/.test(foldedName(name)) && wanted(name))
    .map(({ name, wr }) => tableLayout(database, name, wr === 1));
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  /** From 1 on; 0 for no part of the key. */
  readonly pk: number;
}

function tableLayout(database: DatabaseSync, table: string, withoutRowid: boolean): TableLayout {
  const rows = database
    .prepare('SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid')
    .all(table) as unknown as readonly ColumnRow[];
  if (rows.length > COLUMNS_MAX) {
    throw new FatalTaskError(
      `table ${JSON.stringify(table)} has ${rows.length} columns, ${COLUMNS_MAX} can be captured; next: leave it out with table.exclude.list`,
    );
  }
  const key = rows
    .flatMap(({ pk }, index) => (pk === 0 ? [] : [{ pk, index }]))
    .sort((a, b) => a.pk - b.pk)
    .map(({ index }) => index);
  const isRowid = key.length === 1 && rows[key[0] ?? 0]?.type.toUpperCase() === 'INTEGER' && !withoutRowid;
  const columns = rows.map(({ name, type, notnull, pk }) => ({
    name,
    type: columnType(type),
    // For the sake of old files, a primary key of SQLite may hold nulls, unless it is the rowid or the table has none.
    optional: notnull === 0 && !(pk > 0 && (isRowid || withoutRowid)),
  }));
  const indexOf = (name: string): number => rows.findIndex((row) => row.name === name);
  const unique = uniqueIndexes(database, table).map((columns) =>
    columns.map(({ name, collation }): UniqueColumn => (collation === BINARY ? indexOf(name) : [indexOf(name), collation])),
  );
  return { v: VERSION, name: table, columns, key, rowid: withoutRowid ? null : rowidName(table, rows), unique };
}

const BINARY = 'BINARY';

interface IndexedColumn {
  readonly name: string;
  readonly collation: string;
}

/**
 * Not indexes on expressions; nor the primary key, for the new row takes the place of the one before, unless it takes two keys
 * for the same that are not: `Ada` and `ada`.
 */
function uniqueIndexes(database: DatabaseSync, table: string): readonly (readonly IndexedColumn[])[] {
  const rows = database
    .prepare(
      `SELECT l.name AS "index", l.origin, i.name, upper(i.coll) AS collation FROM pragma_index_list(?) AS l, pragma_index_xinfo(l.name) AS i
       WHERE l."unique" = 1 AND i.key = 1 ORDER BY l.name, i.seqno`,
    )
    .all(table) as unknown as readonly {
    readonly index: string;
    readonly origin: string;
    readonly name: string | null;
    readonly collation: string;
  }[];
  return [...Map.groupBy(rows, ({ index }) => index).values()].flatMap((columns) => {
    const named = columns.flatMap(({ name, collation }) => (name === null ? [] : { name, collation }));
    const mayReplace = columns[0]?.origin !== 'pk' || named.some(({ collation }) => collation !== BINARY);
    return mayReplace && named.length === columns.length ? [named] : [];
  });
}

/** A column of the same name hides one of the three. */
function rowidName(table: string, columns: readonly { readonly name: string }[]): string {
  const taken = new Set(columns.map(({ name }) => foldedName(name)));
  const name = ['rowid', '_rowid_', 'oid'].find((candidate) => !taken.has(candidate));
  if (name !== undefined) return name;
  throw new FatalTaskError(
    `table ${JSON.stringify(table)} has columns named rowid, _rowid_ and oid, so that its rows cannot be told apart; next: leave it out with table.exclude.list`,
  );
}
