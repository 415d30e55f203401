/** Reads the cells of one column. Made once for each column of each layout, so that nothing is decided for each cell. */
import { inflateRawSync, inflateSync } from 'node:zlib';
import type { ByteReader } from '../mysql/byte-reader.ts';
import { type DecodeText, textDecoderOf } from '../mysql/text-decoder.ts';
import type { Cell } from './cell.ts';
import type { Column } from './column.ts';
import { decimalReader } from './decimal-text.ts';
import { jsonText } from './json-text.ts';
import {
  datetimeReader,
  readDate,
  readOldDatetime,
  readOldTime,
  readOldTimestamp,
  readYear,
  timeReader,
  timestampReader,
} from './temporal-text.ts';
import { UnreadableBinlog } from './unreadable.ts';
import { type WireColumn, WireType } from './wire-type.ts';

export type ReadCell = (bytes: ByteReader) => Cell;

/** @throws {UnreadableBinlog} for a type or a character set that cannot be read exactly. */
export function cellReader(wire: WireColumn, column: Column): ReadCell {
  const { isUnsigned } = column;
  switch (wire.type) {
    case WireType.TINY:
      return isUnsigned ? (bytes) => bytes.uint8() : (bytes) => bytes.int8();
    case WireType.SHORT:
      return isUnsigned ? (bytes) => bytes.uint16() : (bytes) => bytes.int16();
    case WireType.INT24:
      return isUnsigned ? (bytes) => bytes.uint24() : (bytes) => bytes.int24();
    case WireType.LONG:
      return isUnsigned ? (bytes) => bytes.uint32() : (bytes) => bytes.int32();
    case WireType.LONGLONG:
      return isUnsigned ? (bytes) => bytes.uint64() : (bytes) => bytes.int64();
    case WireType.FLOAT:
      return (bytes) => bytes.float32();
    case WireType.DOUBLE:
      return (bytes) => bytes.float64();
    case WireType.NEWDECIMAL:
      return decimalReader(column.length, column.scale);
    case WireType.YEAR:
      return readYear;
    case WireType.DATE:
      return readDate;
    case WireType.TIME:
      return readOldTime;
    case WireType.TIMESTAMP:
      return readOldTimestamp;
    case WireType.DATETIME:
      return readOldDatetime;
    case WireType.TIME2:
      return timeReader(column.scale);
    case WireType.TIMESTAMP2:
      return timestampReader(column.scale);
    case WireType.DATETIME2:
      return datetimeReader(column.scale);
    case WireType.BIT:
      return fixedBytes((column.length + 7) >> 3);
    case WireType.ENUM:
      return enumReader(wire.fact, column);
    case WireType.SET:
      return setReader(wire.fact, column);
    case WireType.STRING:
    case WireType.VARCHAR:
    case WireType.VAR_STRING:
      return textOrBytes(column, wire.fact < 256 ? 1 : 2);
    case WireType.BLOB:
      return textOrBytes(column, wire.fact);
    case WireType.VARCHAR_COMPRESSED:
      return compressed(column, wire.fact < 256 ? 1 : 2);
    case WireType.BLOB_COMPRESSED:
      return compressed(column, wire.fact);
    case WireType.GEOMETRY:
    case WireType.VECTOR:
      return prefixedBytes(wire.fact);
    case WireType.JSON:
      return (bytes) => jsonText(bytes.bytes(bytes.littleEndian(wire.fact)));
    default:
      throw new UnreadableBinlog(`column ${column.name} is of type ${wire.type}`, 'leave the table out');
  }
}

/** A plain view of what lies there: nothing is copied. */
function bytesAt(bytes: ByteReader, count: number): Uint8Array {
  const { buffer, byteOffset } = bytes.bytes(count);
  return new Uint8Array(buffer, byteOffset, count);
}

function fixedBytes(count: number): ReadCell {
  return (bytes) => bytesAt(bytes, count);
}

function prefixedBytes(prefixBytes: number): ReadCell {
  return (bytes) => bytesAt(bytes, bytes.littleEndian(prefixBytes));
}

function textOrBytes(column: Column, prefixBytes: number): ReadCell {
  if (column.charset === null) return column.kind === 'binary' ? paddedBytes(column) : prefixedBytes(prefixBytes);
  const decode = decoderOf(column);
  if (prefixBytes === 1) return (bytes) => textAt(bytes, bytes.uint8(), decode);
  return (bytes) => textAt(bytes, bytes.littleEndian(prefixBytes), decode);
}

/** The log leaves out the zeros at the end of a BINARY. */
function paddedBytes({ length }: Column): ReadCell {
  return (bytes) => {
    const there = bytesAt(bytes, bytes.uint8());
    if (there.length === length) return there;
    const padded = new Uint8Array(length);
    padded.set(there);
    return padded;
  };
}

function textAt(bytes: ByteReader, count: number, decode: DecodeText): string {
  const from = bytes.at;
  bytes.skip(count);
  if (bytes.at > bytes.end) throw new UnreadableBinlog(`text of ${count} bytes where ${bytes.end - from} are left`, DAMAGED);
  return decode(bytes.buffer, from, bytes.at);
}

const DAMAGED = 'the log is damaged, or of a version that is not known: report the version of the server';

function decoderOf({ name, charset }: Column): DecodeText {
  const decode = textDecoderOf(charset ?? '');
  if (decode !== undefined) return decode;
  throw new UnreadableBinlog(`column ${name} is in character set ${charset}`, 'convert it to utf8mb4, or leave the table out');
}

/** Number 0 is what the server makes of a value that is no member. */
function enumReader(size: number, { name, members }: Column): ReadCell {
  return (bytes) => {
    const number = bytes.littleEndian(size);
    const member = number === 0 ? '' : members[number - 1];
    if (member === undefined) throw new UnreadableBinlog(`ENUM ${name} has no member ${number}`, DAMAGED);
    return member;
  };
}

/** A bit for each member, the first one the least significant. */
function setReader(size: number, { members }: Column): ReadCell {
  return (bytes) => {
    const chosen: string[] = [];
    for (let byte = 0; byte < size; byte += 1) {
      const bits = bytes.uint8();
      for (let bit = 0; bit < 8; bit += 1) if ((bits & (1 << bit)) !== 0) chosen.push(members[byte * 8 + bit] ?? '');
    }
    return chosen.join(',');
  };
}

/**
 * MariaDB's `COMPRESSED` columns: nothing for an empty value, otherwise a byte that says how, the original length, and the rest.
 * https://github.com/MariaDB/server/blob/10.11/sql/field_comp.cc, read 2026-11-26
 */
function compressed(column: Column, prefixBytes: number): ReadCell {
  const decode = column.charset === null ? null : decoderOf(column);
  return (bytes) => {
    const value = uncompressed(bytes.bytes(bytes.littleEndian(prefixBytes)), column);
    return decode === null ? new Uint8Array(value) : decode(value, 0, value.length);
  };
}

const STORED = 0;
const ZLIB = 8;

function uncompressed(value: Buffer, { name }: Column): Buffer {
  if (value.length === 0) return value;
  const how = value[0] ?? 0;
  const method = how >> 4;
  if (method === STORED) return value.subarray(1);
  if (method !== ZLIB) throw new UnreadableBinlog(`column ${name} is compressed by method ${method}`, 'leave the table out');
  const packed = value.subarray(1 + (how & 7));
  return (how & 8) === 0 ? inflateSync(packed) : inflateRawSync(packed);
}
