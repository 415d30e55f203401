/** Cells that a `SELECT` gives, equal to those that the log has of the same row. */
import type { Cell } from '../../../clients/binlog/cell.ts';
import type { Column } from '../../../clients/binlog/column.ts';
import type { ByteReader } from '../../../clients/mysql/byte-reader.ts';
import { name } from './sql-text.ts';

/** What is selected: a float loses digits where it is printed as one, and MariaDB prints some bytes as texts of their own form. */
export function selected({ name: column, kind, length }: Column): string {
  if (kind === 'float') return `(${name(column)} + 0e0)`;
  return kind === 'binary' ? `CAST(${name(column)} AS BINARY(${length}))` : name(column);
}

/** Reads so many bytes. */
export type ReadSelected = (bytes: ByteReader, length: number) => Cell;

export function selectedReader({ kind }: Column): ReadSelected {
  switch (kind) {
    case 'tinyint':
    case 'smallint':
    case 'mediumint':
    case 'int':
    case 'year':
    case 'float':
    case 'double':
      return (bytes, length) => Number(bytes.utf8(length));
    case 'bigint':
      return (bytes, length) => BigInt(bytes.utf8(length));
    case 'bit':
    case 'binary':
    case 'varbinary':
    case 'blob':
    case 'geometry':
    case 'vector':
      // A copy: rows of a snapshot are kept for a while, and packets come many in a piece.
      return (bytes, length) => new Uint8Array(bytes.bytes(length));
    case 'decimal':
      return (bytes, length) => bytes.utf8(length).replace(ZEROS_BEFORE, '');
    case 'date':
    case 'time':
    case 'datetime':
    case 'timestamp':
    case 'char':
    case 'varchar':
    case 'text':
    case 'enum':
    case 'set':
    case 'json':
      return (bytes, length) => bytes.utf8(length);
  }
}

/** With ZEROFILL, a decimal is printed as wide as it may get. */
const ZEROS_BEFORE = /^0+(?=\d)/;
