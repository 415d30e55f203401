/** Values as SQLite's driver takes them, exactly or not at all (I8). Whole numbers go as `bigint`: a `number` would become a real. */
import { type Decimal, decimalText, unscaledOf } from '../../../core/record/decimal.ts';
import { jsonText } from '../../../core/record/json-text.ts';
import type { Value } from '../../../core/record/schema.ts';
import { ShapeError } from '../../../core/record/shape-error.ts';
import { base64 } from '../../converters/base64.ts';
import type { ColumnKind } from './column-kind.ts';
import type { Bind, SqlValue } from './dialect.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const DAY_MS = 86_400_000;

/** What ISO 8601 writes with four digits of the year, which is also what SQLite's own functions read. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

export function sqliteBind(kind: ColumnKind): Bind {
  if (typeof kind === 'object') return (value) => (value === null ? null : decimal(value, kind.scale));
  switch (kind) {
    case 'date':
      return (value) => (value === null ? null : isoText(Number(value) * DAY_MS).slice(0, 10));
    case 'time':
      return (value) => (value === null ? null : isoText(Number(value)).slice(11, 23));
    case 'timestamp':
      return (value) => (value === null ? null : isoText(Number(value)).replace('T', ' ').slice(0, 23));
    case 'real':
      return real;
    case 'integer':
    case 'boolean':
    case 'text':
    case 'bytes':
    case 'document':
    case 'any':
      return plain;
  }
}

/** By what the value is: a schema has been checked by whoever read the record. */
function plain(value: Value): SqlValue {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'bigint') return integer(value);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : real(value);
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return value === null || value instanceof Uint8Array ? value : text(jsonText(value, base64.encode));
}

/** What the driver would replace by other characters, without a word. */
function text(value: string): string {
  if (value.isWellFormed()) return value;
  throw new ShapeError('half of a surrogate pair stands alone in the text, which UTF-8 cannot write');
}

function integer(value: bigint): bigint {
  if (value >= INT64_MIN && value <= INT64_MAX) return value;
  throw new ShapeError('the integer has more than 64 bits');
}

function real(value: Value): SqlValue {
  if (typeof value !== 'number') return plain(value);
  if (!Number.isNaN(value)) return value;
  throw new ShapeError('SQLite has no NaN, and would store null');
}

function decimal(value: Value, scale: number): string {
  if (!(value instanceof Uint8Array)) throw new ShapeError('a decimal is bytes in memory');
  const number: Decimal = { unscaled: unscaledOf(value), scale };
  return decimalText(number);
}

function isoText(ms: number): string {
  if (!(ms >= FIRST_MS && ms <= LAST_MS)) throw new ShapeError('the date is outside of the years 0000 to 9999');
  return new Date(ms).toISOString();
}
