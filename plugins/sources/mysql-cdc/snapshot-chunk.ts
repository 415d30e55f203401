/**
 * Some rows of a table, as of a place in the log that lies behind where the reader stands.
 *
 * 1. Everything that was given by then must be seen by the read: a change may be in the log a moment before others see it.
 * 2. The read sees no change that is not in the log by `upTo`.
 * 3. So what the log has up to `upTo` is given first, and a row that occurs there is left out of the chunk: its event says more. What
 *    is left is, at `upTo`, as it was read.
 */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { Row } from '../../../clients/binlog/cell.ts';
import type { RowChange } from '../../../clients/binlog/rows-event.ts';
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import type { LogCheckpoint } from './cdc-checkpoint.ts';
import { keyNames, rowKey } from './row-key.ts';
import { type SelectedRows, selectedRows } from './selected-rows.ts';
import { readBehind } from './settled-read.ts';
import type { ChunkQuery } from './snapshot-query.ts';
import type { TableShape } from './table-shape.ts';

export class SnapshotChunk {
  readonly shape: TableShape;
  readonly upTo: BinlogPlace;
  /** Whether the table ends with it. */
  readonly isLast: boolean;
  readonly bytes: number;
  /** Of a table without a key: rows that were passed over. */
  readonly skipped: number;
  readonly #rows: readonly Row[];
  readonly #leftOut = new Set<number>();
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #keyNames: string;
  #next = 0;

  private constructor(shape: TableShape, read: SelectedRows & { readonly upTo: BinlogPlace; readonly skipped: number }) {
    this.shape = shape;
    this.upTo = read.upTo;
    this.isLast = read.isLast;
    this.bytes = read.bytes;
    this.skipped = read.skipped;
    this.#rows = read.rows;
    this.#indexes = new Map(read.rows.map((row, index) => [rowKey(shape, row), index]));
    this.#keyNames = keyNames(shape);
  }

  /** Over a connection whose session is a snapshot's. */
  static async read(
    connection: MysqlConnection,
    shape: TableShape,
    { from, ...query }: { readonly from: LogCheckpoint } & Pick<ChunkQuery, 'after' | 'skipped' | 'rows'>,
  ): Promise<SnapshotChunk> {
    let selected: SelectedRows = { rows: [], bytes: 0, isLast: true };
    const upTo = await readBehind(connection, from, async (waitsForWriters) => {
      selected = await selectedRows(connection, shape, { ...query, within: null, waitsForWriters });
    });
    return new SnapshotChunk(shape, { ...selected, upTo, skipped: query.skipped });
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Whether a row of the same key is (still) among them can be told. */
  isOf({ columns, primaryKey }: Pick<TableShape, 'columns' | 'primaryKey'>): boolean {
    return keyNames({ columns, primaryKey }) === this.#keyNames;
  }

  /** The log says more of these. */
  leaveOut({ before, after }: RowChange): void {
    for (const row of [before, after]) {
      const index = row === null ? undefined : this.#indexes.get(rowKey(this.shape, row));
      if (index !== undefined) this.#leftOut.add(index);
    }
  }

  /** The next row that is left, and how many came before it; `null`: none. It is the next one again until it is taken. */
  peek(): { readonly row: Row; readonly index: number } | null {
    for (; this.#next < this.#rows.length; this.#next += 1) {
      const row = this.#rows[this.#next] as Row;
      if (!this.#leftOut.has(this.#next)) return { row, index: this.#next };
    }
    return null;
  }

  take(): void {
    this.#next += 1;
  }

  /** Rows before the next, those that were left out among them. */
  get taken(): number {
    return this.#next;
  }

  get lastTaken(): Row | null {
    return this.#rows[this.#next - 1] ?? null;
  }
}
