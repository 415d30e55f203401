/** The tables of a server. */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';

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

/** By the units of their texts, whatever order the server has. */
export function compareNames(a: TableName, b: TableName): number {
  const [x, y] = [a.join('\0'), b.join('\0')];
  return x < y ? -1 : x > y ? 1 : 0;
}
