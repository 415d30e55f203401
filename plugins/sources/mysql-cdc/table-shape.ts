/** A table as the server describes it, in the words of its log. */
import type { Column, ColumnKind } from '../../../clients/binlog/column.ts';
import type { MysqlConnection, TextRow } from '../../../clients/mysql/mysql-connection.ts';
import { name, textLiteral } from './sql-text.ts';

export interface TableShape {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly Column[];
  /** Indexes of columns, in the order of the key. */
  readonly primaryKey: readonly number[];
}

const kinds: Readonly<Record<string, ColumnKind>> = {
  tinyint: 'tinyint',
  smallint: 'smallint',
  mediumint: 'mediumint',
  int: 'int',
  bigint: 'bigint',
  float: 'float',
  double: 'double',
  decimal: 'decimal',
  bit: 'bit',
  date: 'date',
  time: 'time',
  datetime: 'datetime',
  timestamp: 'timestamp',
  year: 'year',
  char: 'char',
  varchar: 'varchar',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
  binary: 'binary',
  varbinary: 'varbinary',
  tinyblob: 'blob',
  blob: 'blob',
  mediumblob: 'blob',
  longblob: 'blob',
  enum: 'enum',
  set: 'set',
  json: 'json',
  // What MariaDB logs as bytes, and prints as text.
  uuid: 'binary',
  inet6: 'binary',
  inet4: 'binary',
};

/** Bytes of types whose description does not say. */
const lengths: Readonly<Record<string, number>> = { uuid: 16, inet6: 16, inet4: 4 };

/** `null`: there is no such table (any more). */
export async function readTableShape(
  connection: MysqlConnection,
  { database, table }: { readonly database: string; readonly table: string },
): Promise<TableShape | null> {
  const isIt = `TABLE_SCHEMA = ${textLiteral(database)} AND TABLE_NAME = ${textLiteral(table)}`;
  const rows = await connection.query(
    `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE,
            DATETIME_PRECISION, IS_NULLABLE
     FROM information_schema.COLUMNS WHERE ${isIt} ORDER BY ORDINAL_POSITION`,
  );
  if (rows.length === 0) return null;
  const columns = rows.map((row) => columnOf(row, connection.server.isMariadb));
  const key = keyOf(await connection.query(`SHOW INDEX FROM ${name(database)}.${name(table)}`));
  const primaryKey = key.map((keyColumn) => columns.findIndex((column) => column.name === keyColumn));
  return { database, table, columns, primaryKey };
}

/** In the log a table without a primary key has the first unique one that takes no nulls. The server lists them in that order. */
function keyOf(indexes: readonly TextRow[]): readonly string[] {
  const byName = Map.groupBy(indexes, ([, , index]) => index);
  const key = byName.get('PRIMARY') ?? [...byName.values()].find((columns) => columns.every(tellsRows)) ?? [];
  return key.map(([, , , , column]) => column ?? '');
}

/** A column of a unique index, as a whole, and without nulls. */
function tellsRows([, nonUnique, , , column, , , prefix, , nullable]: TextRow): boolean {
  return nonUnique === '0' && column !== null && prefix === null && nullable === '';
}

function columnOf(row: TextRow, isMariadb: boolean): Column {
  const [name, type, full, charset, characters, precision, scale, fraction, optional] = row;
  const kind = kindOf(type ?? '', isMariadb);
  return {
    name: name ?? '',
    kind,
    isUnsigned: /\bunsigned\b/.test(full ?? ''),
    optional: optional === 'YES',
    length: lengths[type ?? ''] ?? Number(characters ?? precision ?? 0),
    scale: Number(fraction ?? scale ?? 0),
    charset: charset ?? null,
    members: kind === 'enum' || kind === 'set' ? membersIn(full ?? '') : [],
  };
}

/** Geometries have many names. MariaDB logs a vector as bytes like others. */
function kindOf(type: string, isMariadb: boolean): ColumnKind {
  if (type === 'vector') return isMariadb ? 'varbinary' : 'vector';
  return kinds[type] ?? 'geometry';
}

/** `enum('a','it''s')`. */
function membersIn(type: string): readonly string[] {
  return Array.from(type.matchAll(/'((?:[^']|'')*)'/g), ([, member = '']) => member.replaceAll("''", "'"));
}
