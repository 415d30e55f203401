/** How many rows of a table are read at once. */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import type { TableName } from './captured-tables.ts';
import { textLiteral } from './sql-text.ts';

/** A chunk is kept in memory as a whole: some of these. */
const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNK_ROWS_MAX = 10_000;

/** Of a row that nobody has seen yet, and of which the server says nothing. */
const ROW_BYTES = 1_000;

export function rowsPerChunk(rowBytes: number): number {
  return Math.min(CHUNK_ROWS_MAX, Math.max(1, Math.floor(CHUNK_BYTES / rowBytes)));
}

export async function estimatedRowBytes(connection: MysqlConnection, [database, table]: TableName): Promise<number> {
  const [[bytes] = []] = await connection.query(
    `SELECT AVG_ROW_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${textLiteral(database)} AND TABLE_NAME = ${textLiteral(table)}`,
  );
  return Number(bytes ?? 0) || ROW_BYTES;
}
