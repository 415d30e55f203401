/**
 * JSON as MySQL packs it, printed as MySQL prints it: `{"a": [1, 2.0]}`.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/json__binary_8h.html, read 2026-11-26
 */
import { ByteReader } from '../mysql/byte-reader.ts';
import { decimalReader } from './decimal-text.ts';
import { packedDatetimeText, packedTimeText } from './temporal-text.ts';
import { UnreadableBinlog } from './unreadable.ts';

const Type = {
  SMALL_OBJECT: 0,
  LARGE_OBJECT: 1,
  SMALL_ARRAY: 2,
  LARGE_ARRAY: 3,
  LITERAL: 4,
  INT16: 5,
  UINT16: 6,
  INT32: 7,
  UINT32: 8,
  INT64: 9,
  UINT64: 10,
  DOUBLE: 11,
  STRING: 12,
  OPAQUE: 15,
} as const;

const LITERALS = ['null', 'true', 'false'] as const;

/** Types of columns that an opaque value may be of. */
const Opaque = { TIMESTAMP: 7, DATE: 10, TIME: 11, DATETIME: 12, DECIMAL: 246 } as const;

/** MySQL's own limit, `JSON_DOCUMENT_MAX_DEPTH`. */
const DEPTH_MAX = 100;

/** The document in these bytes; none is a null, as MySQL takes it. */
export function jsonText(bytes: Buffer): string {
  if (bytes.length === 0) return 'null';
  const reader = new ByteReader().take(bytes);
  return valueText(reader, reader.uint8(), 0);
}

/** The reader stands where a value of this type begins. */
function valueText(reader: ByteReader, type: number, depth: number): string {
  if (depth > DEPTH_MAX) throw new UnreadableBinlog(`JSON of more than ${DEPTH_MAX} levels`, 'leave the column out');
  switch (type) {
    case Type.SMALL_OBJECT:
    case Type.SMALL_ARRAY:
      return containerText(reader, { isObject: type === Type.SMALL_OBJECT, size: 2, depth });
    case Type.LARGE_OBJECT:
    case Type.LARGE_ARRAY:
      return containerText(reader, { isObject: type === Type.LARGE_OBJECT, size: 4, depth });
    case Type.LITERAL:
      return LITERALS[reader.uint8()] ?? 'null';
    case Type.INT16:
      return String(reader.int16());
    case Type.UINT16:
      return String(reader.uint16());
    case Type.INT32:
      return String(reader.int32());
    case Type.UINT32:
      return String(reader.uint32());
    case Type.INT64:
      return String(reader.int64());
    case Type.UINT64:
      return String(reader.uint64());
    case Type.DOUBLE:
      return doubleText(reader.float64());
    case Type.STRING:
      return quotedText(reader.utf8(packedLength(reader)));
    case Type.OPAQUE:
      return opaqueText(reader);
    default:
      throw new UnreadableBinlog(
        `JSON with a value of type ${type}`,
        'leave the column out, and report the version of the server',
      );
  }
}

interface Container {
  readonly isObject: boolean;
  /** Bytes of counts and offsets. */
  readonly size: 2 | 4;
  readonly depth: number;
}

function containerText(reader: ByteReader, { isObject, size, depth }: Container): string {
  const start = reader.at;
  const count = reader.littleEndian(size);
  reader.skip(size);
  const keysAt = reader.at;
  const valuesAt = keysAt + (isObject ? count * (size + 2) : 0);
  const parts: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const key = isObject ? `${keyText(reader, start, keysAt + index * (size + 2), size)}: ` : '';
    reader.at = valuesAt + index * (1 + size);
    const type = reader.uint8();
    if (!isInline(type, size)) reader.at = start + reader.littleEndian(size);
    parts.push(key + valueText(reader, type, depth + 1));
  }
  return isObject ? `{${parts.join(', ')}}` : `[${parts.join(', ')}]`;
}

function keyText(reader: ByteReader, start: number, at: number, size: 2 | 4): string {
  reader.at = at;
  const offset = reader.littleEndian(size);
  const length = reader.uint16();
  reader.at = start + offset;
  return quotedText(reader.utf8(length));
}

/** Small values stand where the offset of others would. */
function isInline(type: number, size: 2 | 4): boolean {
  if (type === Type.LITERAL || type === Type.INT16 || type === Type.UINT16) return true;
  return size === 4 && (type === Type.INT32 || type === Type.UINT32);
}

/** Seven bits in each byte, the least significant first; the eighth says that more follow. */
function packedLength(reader: ByteReader): number {
  let length = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = reader.uint8();
    length += (byte & 127) * factor;
    if (byte < 128) return length;
  }
}

function opaqueText(reader: ByteReader): string {
  const type = reader.uint8();
  const bytes = reader.bytes(packedLength(reader));
  switch (type) {
    case Opaque.DECIMAL:
      return decimalReader(bytes[0] ?? 0, bytes[1] ?? 0)(new ByteReader().take(bytes, 2));
    case Opaque.DATE:
      return `"${packedDatetimeText(bytes.readBigInt64LE()).slice(0, 10)}"`;
    case Opaque.DATETIME:
    case Opaque.TIMESTAMP:
      return `"${packedDatetimeText(bytes.readBigInt64LE())}"`;
    case Opaque.TIME:
      return `"${packedTimeText(bytes.readBigInt64LE())}"`;
    default:
      return `"base64:type${type}:${bytes.toString('base64')}"`;
  }
}

/** MySQL's `DBL_DIG`: how far from the point the digits of a number may begin or end for it to go without an exponent. */
const PLAIN_DIGITS_MAX = 15;

/** The digits are JavaScript's, the fewest that say the number; when they get an exponent is MySQL's own rule. */
function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  const [coefficient = '', exponent = ''] = value.toExponential().split('e');
  const digits = coefficient.replace(/[-.]/g, '');
  const point = Number(exponent) + 1;
  const isPlain = point > -PLAIN_DIGITS_MAX && (point <= PLAIN_DIGITS_MAX || digits.length > point);
  if (!isPlain) return `${coefficient}e${Number(exponent)}`;
  return (value < 0 ? '-' : '') + plainText(digits, point);
}

/** At least one digit stands on each side of the point. */
function plainText(digits: string, point: number): string {
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  const padded = digits.padEnd(point + 1, '0');
  return `${padded.slice(0, point)}.${padded.slice(point)}`;
}

const ESCAPED: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON escapes
const TO_ESCAPE = /["\\\u0000-\u001f]/g;

function quotedText(text: string): string {
  const escaped = text.replace(
    TO_ESCAPE,
    (character) => ESCAPED[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
