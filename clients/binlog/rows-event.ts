/** The changes of rows of one table, read one by one: until the next event is asked for. */
import type { ByteReader } from '../mysql/byte-reader.ts';
import type { Cell, Row } from './cell.ts';
import type { ReadCell } from './cell-reader.ts';
import { EventType } from './event-type.ts';
import { unpackMariadb } from './packed-events.ts';
import type { TableLayout } from './table-layout.ts';
import { UnreadableBinlog } from './unreadable.ts';

export type RowOperation = 'insert' | 'update' | 'delete';

export interface RowChange {
  readonly before: Row | null;
  readonly after: Row | null;
}

export class RowsEvent {
  readonly kind = 'rows';
  readonly operation: RowOperation;
  readonly layout: TableLayout;
  /** Where it begins in its file; `null` where that is not known. */
  readonly position: number | null;
  #bytes: ByteReader;
  readonly #isPacked: boolean;
  readonly #onFailure: (error: unknown) => void;
  #begun: { readonly readers: readonly ReadCell[]; readonly nullBytes: number } | null = null;

  constructor(
    bytes: ByteReader,
    {
      operation,
      layout,
      position,
      isPacked,
      onFailure,
    }: {
      readonly operation: RowOperation;
      readonly layout: TableLayout;
      readonly position: number | null;
      readonly isPacked: boolean;
      readonly onFailure: (error: unknown) => void;
    },
  ) {
    this.#bytes = bytes;
    this.operation = operation;
    this.layout = layout;
    this.position = position;
    this.#isPacked = isPacked;
    this.#onFailure = onFailure;
  }

  /** `null` at the end. @throws {UnreadableBinlog} for a row that cannot be read exactly, and then nothing more is given. */
  next(): RowChange | null {
    try {
      return this.#next();
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
  }

  #next(): RowChange | null {
    const { readers, nullBytes } = this.#begin();
    const bytes = this.#bytes;
    if (bytes.left <= 0) {
      if (bytes.left < 0) throw this.#damaged();
      return null;
    }
    const before = this.operation === 'insert' ? null : readRow(bytes, readers, nullBytes);
    const after = this.operation === 'delete' ? null : readRow(bytes, readers, nullBytes);
    if (bytes.left < 0) throw this.#damaged();
    return { before, after };
  }

  #begin(): { readonly readers: readonly ReadCell[]; readonly nullBytes: number } {
    if (this.#begun !== null) return this.#begun;
    const { readers, database, table } = this.layout;
    const columns = this.#bytes.length();
    if (columns !== readers.length) throw this.#damaged();
    const images = this.operation === 'update' ? 2 : 1;
    for (let image = 0; image < images; image += 1) {
      if (isWhole(this.#bytes, columns)) continue;
      throw new UnreadableBinlog(
        `a change of ${database}.${table} was logged without some of its columns`,
        'SET GLOBAL binlog_row_image = FULL, and let no session change it; then start behind this change',
      );
    }
    if (this.#isPacked) this.#bytes = unpackMariadb(this.#bytes);
    this.#begun = { readers, nullBytes: (columns + 7) >> 3 };
    return this.#begun;
  }

  #damaged(): UnreadableBinlog {
    const { database, table } = this.layout;
    return new UnreadableBinlog(
      `changes of ${database}.${table} do not have the columns that the log says it has`,
      'report the version of the server, and the columns of the table',
    );
  }
}

/** Whether all columns are there: a bit for each. */
function isWhole(bytes: ByteReader, columns: number): boolean {
  let isWhole = true;
  for (let column = 0; column < columns; column += 8) {
    const all = columns - column >= 8 ? 0xff : (1 << (columns - column)) - 1;
    if ((bytes.uint8() & all) !== all) isWhole = false;
  }
  return isWhole;
}

function readRow(bytes: ByteReader, readers: readonly ReadCell[], nullBytes: number): Row {
  const nulls = bytes.at;
  bytes.skip(nullBytes);
  const { buffer } = bytes;
  const row = new Array<Cell>(readers.length);
  for (let index = 0; index < readers.length; index += 1) {
    const isNull = ((buffer[nulls + (index >> 3)] as number) & (1 << (index & 7))) !== 0;
    row[index] = isNull ? null : (readers[index] as ReadCell)(bytes);
  }
  return row;
}

export function rowOperation(type: number): RowOperation | undefined {
  switch (type) {
    case EventType.WRITE_ROWS:
    case EventType.WRITE_ROWS_V1:
    case EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1:
      return 'insert';
    case EventType.UPDATE_ROWS:
    case EventType.UPDATE_ROWS_V1:
    case EventType.MARIADB_UPDATE_ROWS_COMPRESSED_V1:
      return 'update';
    case EventType.DELETE_ROWS:
    case EventType.DELETE_ROWS_V1:
    case EventType.MARIADB_DELETE_ROWS_COMPRESSED_V1:
      return 'delete';
    default:
      return undefined;
  }
}

/** By MariaDB's `log_bin_compress`. */
export function isRowsPacked(type: number): boolean {
  return type >= EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1 && type <= EventType.MARIADB_DELETE_ROWS_COMPRESSED_V1;
}
