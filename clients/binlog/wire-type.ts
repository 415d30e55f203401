/**
 * Types of columns as they stand in a table map, each with its own two bytes of facts.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html, read 2026-11-26
 */
import type { ByteReader } from '../mysql/byte-reader.ts';
import { UnreadableBinlog } from './unreadable.ts';

export const WireType = {
  TINY: 1,
  SHORT: 2,
  LONG: 3,
  FLOAT: 4,
  DOUBLE: 5,
  NULL: 6,
  TIMESTAMP: 7,
  LONGLONG: 8,
  INT24: 9,
  DATE: 10,
  TIME: 11,
  DATETIME: 12,
  YEAR: 13,
  VARCHAR: 15,
  BIT: 16,
  TIMESTAMP2: 17,
  DATETIME2: 18,
  TIME2: 19,
  BLOB_COMPRESSED: 140,
  VARCHAR_COMPRESSED: 141,
  VECTOR: 242,
  JSON: 245,
  NEWDECIMAL: 246,
  ENUM: 247,
  SET: 248,
  BLOB: 252,
  VAR_STRING: 253,
  STRING: 254,
  GEOMETRY: 255,
} as const;

export interface WireColumn {
  readonly type: number;
  readonly fact: number;
}

/** The facts of the columns of these types, in their order. */
export function readWireColumns(types: Buffer, facts: ByteReader): readonly WireColumn[] {
  const columns = Array.from(types, (type) => {
    if (type === WireType.STRING) return stringColumn(facts.uint8(), facts.uint8());
    return { type, fact: readFact(type, facts) };
  });
  if (facts.left === 0) return columns;
  const unknown = [...new Set(types)].filter((type) => !KNOWN.has(type)).join(', ');
  throw new UnreadableBinlog(`columns of a type that is not known: ${unknown}`, 'leave the table out');
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(WireType));

export function isNumeric(type: number): boolean {
  return NUMERIC.has(type);
}

/** Whether a table map says which characters it holds; MariaDB says that of bytes with a shape of their own, too. */
export function hasCollation(type: number, isMariadb: boolean): boolean {
  return CHARACTER.has(type) || (isMariadb && type === WireType.GEOMETRY);
}

const NUMERIC: ReadonlySet<number> = new Set([
  WireType.TINY,
  WireType.SHORT,
  WireType.INT24,
  WireType.LONG,
  WireType.LONGLONG,
  WireType.FLOAT,
  WireType.DOUBLE,
  WireType.NEWDECIMAL,
]);

const CHARACTER: ReadonlySet<number> = new Set([
  WireType.STRING,
  WireType.VAR_STRING,
  WireType.VARCHAR,
  WireType.BLOB,
  WireType.BLOB_COMPRESSED,
  WireType.VARCHAR_COMPRESSED,
]);

function readFact(type: number, facts: ByteReader): number {
  switch (type) {
    case WireType.FLOAT:
    case WireType.DOUBLE:
    case WireType.TIMESTAMP2:
    case WireType.DATETIME2:
    case WireType.TIME2:
    case WireType.BLOB:
    case WireType.BLOB_COMPRESSED:
    case WireType.GEOMETRY:
    case WireType.JSON:
    case WireType.VECTOR:
      return facts.uint8();
    case WireType.BIT:
    case WireType.NEWDECIMAL:
    case WireType.VARCHAR:
    case WireType.VAR_STRING:
    case WireType.VARCHAR_COMPRESSED:
      return facts.uint16();
    default:
      return 0;
  }
}

/** An ENUM or SET of so many bytes, or a CHAR; two bits of its length hide in its type. */
function stringColumn(first: number, second: number): WireColumn {
  if (first === WireType.ENUM || first === WireType.SET) return { type: first, fact: second };
  return { type: WireType.STRING, fact: second | (((first & 0x30) ^ 0x30) << 4) };
}
