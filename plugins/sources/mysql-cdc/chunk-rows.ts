/** What a server says of a table that is to be read, and how many of its rows are read at once. */
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

export interface TableFacts {
  /** On average, as the server estimates it. */
  readonly rowBytes: number;
  /** Whether a row that is changed stays where the server comes across it when it scans the table. */
  readonly keepsPlaces: boolean;
}

export async function tableFacts(connection: MysqlConnection, [database, table]: TableName): Promise<TableFacts> {
  const [[bytes, engine, options] = []] = await connection.query(
    `SELECT AVG_ROW_LENGTH, ENGINE, CREATE_OPTIONS FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${textLiteral(database)} AND TABLE_NAME = ${textLiteral(table)}`,
  );
  const keepsPlaces = engine?.toLowerCase() === 'innodb' && !/\bpartitioned\b/i.test(options ?? '');
  return { rowBytes: Number(bytes ?? 0) || ROW_BYTES, keepsPlaces };
}
