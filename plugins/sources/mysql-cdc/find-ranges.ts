/** Which ranges tables are read in, where several are read at once. */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { capturedTables, keyedTables, type TableName, tableKey } from './captured-tables.ts';
import { name } from './sql-text.ts';
import { rangeOf, type TableRange } from './table-range.ts';
import { readTableShape } from './table-shape.ts';

/** With fewer rows, what it takes to begin a range counts for more than what is read in it. */
const RANGE_ROWS_MIN = 50_000;

const WHOLE_NUMBERS: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);

export interface RangesWanted {
  readonly isWanted: (database: string, table: string) => boolean;
  /** That a large table is divided into. */
  readonly parts: number;
  /** Names of shards that are there already, as a discovery that died has made them: each table's from its beginning on. */
  readonly known: readonly (readonly string[])[];
}

/** Those that are not there yet. Together with them, each row of each table that has a key is in one. */
export async function missingRanges(
  connection: MysqlConnection,
  { isWanted, parts, known }: RangesWanted,
): Promise<readonly TableRange[]> {
  const keyed = await keyedTables(connection);
  const tables = (await capturedTables(connection, isWanted)).filter((table) => keyed.has(tableKey(table)));
  const large = await largeTables(connection, parts * RANGE_ROWS_MIN);
  const begun = new Map<string, TableRange>();
  for (const range of known.map(rangeOf)) if (range !== null) noteLast(begun, range);
  const ranges: TableRange[] = [];
  // One after the other, over one connection.
  for (const table of tables) {
    const last = begun.get(tableKey(table));
    if (last !== undefined) ranges.push(...restBehind(last));
    else if (large.has(tableKey(table))) ranges.push(...(await divided(connection, table, parts)));
    else ranges.push(whole(table));
  }
  return ranges;
}

function noteLast(begun: Map<string, TableRange>, range: TableRange): void {
  const key = tableKey([range.database, range.table]);
  const upTo = (one: TableRange | undefined): bigint | null | undefined => (one?.within === null ? null : one?.within.upTo);
  const [before, now] = [upTo(begun.get(key)), upTo(range)];
  if (before === undefined || now === null || (before !== null && now !== undefined && now > before)) begun.set(key, range);
}

/** What it holds may have changed since, and with it where it would be divided: so the rest is one. */
function restBehind({ within, ...table }: TableRange): readonly TableRange[] {
  if (within === null || within.upTo === null) return [];
  return [{ ...table, within: { column: within.column, above: within.upTo, upTo: null } }];
}

async function divided(connection: MysqlConnection, table: TableName, parts: number): Promise<readonly TableRange[]> {
  const [database, tableName] = table;
  const shape = await readTableShape(connection, { database, table: tableName });
  const first = shape?.columns[shape.primaryKey[0] ?? -1];
  if (first === undefined || !WHOLE_NUMBERS.has(first.kind)) return [whole(table)];
  const column = name(first.name);
  const [[least, most] = []] = await connection.query(
    `SELECT MIN(${column}), MAX(${column}) FROM ${name(database)}.${name(tableName)}`,
  );
  if (least === null || least === undefined || most === null || most === undefined) return [whole(table)];
  const ends = [...innerBounds({ least: BigInt(least), most: BigInt(most) }, parts), null];
  return ends.map((upTo, index) => {
    const above = index === 0 ? null : (ends[index - 1] ?? null);
    return { database, table: tableName, within: { column: first.name, above, upTo } };
  });
}

/** Ascending, each the last number of a part; the last part has none. */
export function innerBounds(
  { least, most }: { readonly least: bigint; readonly most: bigint },
  parts: number,
): readonly bigint[] {
  const count = most - least + 1n;
  const of = count < BigInt(parts) ? Number(count) : parts;
  return Array.from({ length: of - 1 }, (_, index) => least - 1n + (count * BigInt(index + 1)) / BigInt(of));
}

/** By what the server estimates. */
async function largeTables(connection: MysqlConnection, rowsMin: number): Promise<ReadonlySet<string>> {
  // MySQL would say what it knew a day ago.
  if (!connection.server.isMariadb) await connection.query('SET SESSION information_schema_stats_expiry = 0');
  const rows = await connection.query(
    `SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_ROWS >= ${rowsMin}`,
  );
  return new Set(rows.map(([database, table]) => tableKey([database ?? '', table ?? ''])));
}

function whole([database, table]: TableName): TableRange {
  return { database, table, within: null };
}
