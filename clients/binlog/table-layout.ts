/** A table as the log describes it before the changes of its rows: what the rows of those changes look like. */
import { ByteReader } from '../mysql/byte-reader.ts';
import { cellReader, type ReadCell } from './cell-reader.ts';
import type { Column, ColumnKind } from './column.ts';
import { readTableMetadata } from './table-metadata.ts';
import { UnreadableBinlog } from './unreadable.ts';
import { readWireColumns, type WireColumn, WireType } from './wire-type.ts';

export class TableLayout {
  readonly database: string;
  readonly table: string;
  /** The body of its event behind the number of the table, which the server gives anew now and then. */
  readonly #body: Buffer;
  readonly #isMariadb: boolean;
  #shape: Shape | null = null;

  constructor(body: Buffer, isMariadb: boolean) {
    this.#body = body;
    this.#isMariadb = isMariadb;
    const bytes = new ByteReader().take(body, FLAGS_BYTES);
    this.database = bytes.utf8(bytes.uint8());
    bytes.skip(1);
    this.table = bytes.utf8(bytes.uint8());
  }

  get columns(): readonly Column[] {
    return this.#known().columns;
  }

  /** Indexes of columns, in the order of the key; empty for a table without one. */
  get primaryKey(): readonly number[] {
    return this.#known().primaryKey;
  }

  get readers(): readonly ReadCell[] {
    return this.#known().readers;
  }

  /** Whether an event says the same of the same table. */
  isSame(buffer: Buffer, from: number, to: number): boolean {
    return to - from === this.#body.length && buffer.compare(this.#body, 0, this.#body.length, from, to) === 0;
  }

  /** Worked out when somebody wants rows: of a table that nobody asks for, it need not be readable. */
  #known(): Shape {
    this.#shape ??= shapeOf(this.#body, { name: `${this.database}.${this.table}`, isMariadb: this.#isMariadb });
    return this.#shape;
  }
}

const FLAGS_BYTES = 2;

interface Shape {
  readonly columns: readonly Column[];
  readonly primaryKey: readonly number[];
  readonly readers: readonly ReadCell[];
}

function shapeOf(body: Buffer, { name, isMariadb }: { readonly name: string; readonly isMariadb: boolean }): Shape {
  const bytes = new ByteReader().take(body, FLAGS_BYTES);
  for (let names = 0; names < 2; names += 1) bytes.skip(bytes.uint8() + 1);
  const types = bytes.bytes(bytes.length());
  const factsBytes = bytes.length();
  const wire = readWireColumns(types, new ByteReader().take(bytes.bytes(factsBytes)));
  const nullable = bytes.bytes((wire.length + 7) >> 3);
  const metadata = readTableMetadata(wire, { bytes, isMariadb });
  if (metadata === null) {
    throw new UnreadableBinlog(
      `the log says no names of the columns of ${name}`,
      'SET GLOBAL binlog_row_metadata = FULL, then start behind the changes that were logged before',
    );
  }
  const columns = wire.map((column, index): Column => {
    const charset = metadata.charsets[index] ?? null;
    return {
      ...factsOf(column, charset === 'binary' ? null : charset),
      name: metadata.names[index] ?? '',
      isUnsigned: metadata.isUnsigned[index] === true,
      optional: ((nullable[index >> 3] ?? 0) & (1 << (index & 7))) !== 0,
      members: metadata.members[index] ?? [],
    };
  });
  const readers = columns.map((column, index) => cellReader(wire[index] as WireColumn, column));
  return { columns, primaryKey: metadata.primaryKey, readers };
}

type Facts = Pick<Column, 'kind' | 'length' | 'scale' | 'charset'>;

const kinds: Readonly<Record<number, ColumnKind>> = {
  [WireType.TINY]: 'tinyint',
  [WireType.SHORT]: 'smallint',
  [WireType.INT24]: 'mediumint',
  [WireType.LONG]: 'int',
  [WireType.LONGLONG]: 'bigint',
  [WireType.FLOAT]: 'float',
  [WireType.DOUBLE]: 'double',
  [WireType.YEAR]: 'year',
  [WireType.DATE]: 'date',
  [WireType.TIME]: 'time',
  [WireType.TIMESTAMP]: 'timestamp',
  [WireType.DATETIME]: 'datetime',
  [WireType.JSON]: 'json',
  [WireType.GEOMETRY]: 'geometry',
  [WireType.VECTOR]: 'vector',
};

function factsOf({ type, fact }: WireColumn, charset: string | null): Facts {
  switch (type) {
    case WireType.NEWDECIMAL:
      return { kind: 'decimal', length: fact & 0xff, scale: fact >> 8, charset: null };
    case WireType.BIT:
      return { kind: 'bit', length: (fact >> 8) * 8 + (fact & 0xff), scale: 0, charset: null };
    case WireType.TIME2:
      return { kind: 'time', length: 0, scale: fact, charset: null };
    case WireType.TIMESTAMP2:
      return { kind: 'timestamp', length: 0, scale: fact, charset: null };
    case WireType.DATETIME2:
      return { kind: 'datetime', length: 0, scale: fact, charset: null };
    case WireType.ENUM:
      return { kind: 'enum', length: 0, scale: 0, charset };
    case WireType.SET:
      return { kind: 'set', length: 0, scale: 0, charset };
    case WireType.STRING:
      return { kind: charset === null ? 'binary' : 'char', length: fact, scale: 0, charset };
    case WireType.VARCHAR:
    case WireType.VAR_STRING:
    case WireType.VARCHAR_COMPRESSED:
      return { kind: charset === null ? 'varbinary' : 'varchar', length: fact, scale: 0, charset };
    case WireType.BLOB:
    case WireType.BLOB_COMPRESSED:
      return { kind: charset === null ? 'blob' : 'text', length: 256 ** fact - 1, scale: 0, charset };
    default:
      // What is none of these has no reader either, which says so.
      return { kind: kinds[type] ?? 'blob', length: 0, scale: 0, charset: null };
  }
}
