/**
 * What SQLite makes of a value in a column of a declared type (https://www.sqlite.org/datatype3.html, read 2026-11-26): a numeric
 * one makes a number of a text that looks like one, and `REAL` a double of an integer. Where that would be another value, it is
 * refused (I8): `00501` is not 501, and a double has no room for every integer of 64 bits.
 */
import { ShapeError } from '../../../core/record/shape-error.ts';
import type { SqlValue } from './dialect.ts';

type Affinity = 'numeric' | 'real' | 'none';

/** What SQLite takes for a number. */
const LOOKS_LIKE_NUMBER = /^[ \t\n\v\f\r]*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[ \t\n\v\f\r]*$/i;

/** As it would be written again, but for zeros at the end; minus zero would lose its sign. */
const PLAIN_NUMBER = /^(?!-0(?:\.0*)?$)-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** A double keeps them all. */
const DIGITS_MAX = 15;

const EXACT_MAX = 2n ** 53n;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export function affinityOf(declared: string): Affinity {
  const type = declared.toUpperCase();
  if (type.includes('INT')) return 'numeric';
  if (/CHAR|CLOB|TEXT|BLOB/.test(type) || type === '') return 'none';
  return /REAL|FLOA|DOUB/.test(type) ? 'real' : 'numeric';
}

/** @throws {ShapeError} when the column would hold something else. */
export function kept(value: SqlValue, affinity: Affinity, declared: string): SqlValue {
  if (isKept(value, affinity)) return value;
  throw new ShapeError(
    `it is declared ${declared}, in which SQLite would make another value of this ${typeof value === 'string' ? 'text' : 'integer'}; next: declare it TEXT, or without a type`,
  );
}

function isKept(value: SqlValue, affinity: Affinity): boolean {
  if (affinity === 'none') return true;
  if (typeof value === 'bigint') return affinity !== 'real' || (value >= -EXACT_MAX && value <= EXACT_MAX);
  if (typeof value !== 'string' || !LOOKS_LIKE_NUMBER.test(value)) return true;
  if (!PLAIN_NUMBER.test(value)) return false;
  if (value.replace(/^-?0?\.?0*|\./g, '').length <= DIGITS_MAX) return true;
  return affinity === 'numeric' && !value.includes('.') && BigInt(value) >= INT64_MIN && BigInt(value) <= INT64_MAX;
}
