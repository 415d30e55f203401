/** Rows that a server gives for a query, as its log would have them. */
import type { Cell, Row } from '../../../clients/binlog/cell.ts';
import { cellLength, type MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { selectedReader } from './snapshot-cells.ts';
import { type ChunkQuery, chunkQuery } from './snapshot-query.ts';
import type { TableShape } from './table-shape.ts';

/** A read of some megabytes over a slow network. */
const READ_TIMEOUT_MS = 30_000;

export interface SelectedRows {
  readonly rows: readonly Row[];
  readonly bytes: number;
  /** Nothing comes behind them. */
  readonly isLast: boolean;
}

export async function selectedRows(connection: MysqlConnection, shape: TableShape, query: ChunkQuery): Promise<SelectedRows> {
  const readers = shape.columns.map(selectedReader);
  const rows: Row[] = [];
  let bytes = 0;
  await connection.select(chunkQuery(shape, query), {
    timeoutMs: READ_TIMEOUT_MS,
    read: (packet) => {
      bytes += packet.left;
      rows.push(
        readers.map((readCell): Cell => {
          const length = cellLength(packet);
          return length === null ? null : readCell(packet, length);
        }),
      );
    },
  });
  return { rows, bytes, isLast: rows.length < query.rows };
}
