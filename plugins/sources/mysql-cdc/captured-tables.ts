/** The tables of a server. */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { NAME_TABLES } from './cdc-checkpoint.ts';

export type TableName = readonly [database: string, table: string];

/** In their order. */
export async function capturedTables(
  connection: MysqlConnection,
  isWanted: (database: string, table: string) => boolean,
): Promise<TableName[]> {
  const rows = await connection.query(
    "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')",
  );
  return rows
    .map(([database, name]): TableName => [database ?? '', name ?? ''])
    .filter((name) => isWanted(...name))
    .sort(compareNames);
}

/** Those that have a key to be read along, whether or not they are captured, by their `tableKey`. */
export async function keyedTables(connection: MysqlConnection): Promise<ReadonlySet<string>> {
  const rows = await connection.query(
    "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.COLUMNS WHERE COLUMN_KEY = 'PRI'",
  );
  return new Set(rows.map(([database, name]) => tableKey([database ?? '', name ?? ''])));
}

export function tableKey(name: TableName): string {
  return name.join('\0');
}

/** @throws {FatalTaskError} for names, `database.table` each, that are none of a captured table. */
export async function demandCaptured(
  connection: MysqlConnection,
  names: readonly string[],
  isWanted: (database: string, table: string) => boolean,
): Promise<void> {
  if (names.length === 0) return;
  const captured = new Set((await capturedTables(connection, isWanted)).map((name) => name.join('.')));
  const unknown = names.filter((name) => !captured.has(name));
  if (unknown.length === 0) return;
  throw new FatalTaskError(`"again" of the checkpoint names no captured table: ${unknown.join(', ')}; next: ${NAME_TABLES}`, {
    code: 'source.misconfigured',
  });
}

/** By the units of their texts, whatever order the server has. */
export function compareNames(a: TableName, b: TableName): number {
  const [x, y] = [tableKey(a), tableKey(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}
