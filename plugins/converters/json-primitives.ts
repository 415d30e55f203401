/** JSON scalars as what a schema declares: read exactly, or not at all (I8). */
import { decimalScale, parseDecimal, unscaledAt, unscaledBytes } from '../../core/record/decimal.ts';
import { type ExactJson, ExactNumber } from '../../core/record/json-parser.ts';
import { isList, isObject } from '../../core/record/json-schema.ts';
import { logicalNames, type PrimitiveType, type Schema, type Value } from '../../core/record/schema.ts';
import { ShapeError } from '../../core/record/shape-error.ts';
import { base64 } from './base64.ts';

/** Reads what is not null. @throws {ShapeError} */
export type PresentReader = (json: Exclude<ExactJson, null>) => Value;

export function expected(what: string, json: ExactJson): ShapeError {
  return new ShapeError(`expected ${what}, found ${kindOf(json)}`);
}

/** The kind only: errors are logged, so they hold no content. */
function kindOf(json: ExactJson): string {
  if (json === null) return 'null';
  if (isList(json)) return 'an array';
  if (isObject(json)) return 'an object';
  if (typeof json === 'string') return 'text';
  return typeof json === 'boolean' ? 'a boolean' : 'another number';
}

/** Bounds of the types narrower than 64 bits, both included. */
export const intBounds = {
  int8: { min: -0x80, max: 0x7f },
  int16: { min: -0x8000, max: 0x7fff },
  int32: { min: -0x8000_0000, max: 0x7fff_ffff },
} as const;

export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

/** Kafka Connect's Time counts milliseconds of one day. */
export const DAY_MS = 86_400_000;

function intReader(type: keyof typeof intBounds): PresentReader {
  const { min, max } = intBounds[type];
  return (json) => {
    // Adding 0 makes 0 of -0.
    if (typeof json === 'number' && json >= min && json <= max && Number.isInteger(json)) return json + 0;
    throw expected(type, json);
  };
}

function readInt64(json: Exclude<ExactJson, null>): bigint {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return BigInt(json);
  if (typeof json === 'bigint' && json >= INT64_MIN && json <= INT64_MAX) return json;
  throw expected('int64', json);
}

/** What stands for numbers that JSON cannot write; Kafka Connect writes them so. */
const notFinite = new Map<ExactJson, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

function floatReader(type: 'float32' | 'float64', round: (value: number) => number): PresentReader {
  return (json) => {
    if (typeof json === 'string') {
      const value = notFinite.get(json);
      if (value === undefined) throw expected(type, json);
      return value;
    }
    const value = round(asNumber(json));
    if (!Number.isFinite(value)) throw expected(type, json);
    return value;
  };
}

/** The nearest double; NaN for what is no number. */
function asNumber(json: Exclude<ExactJson, null | string>): number {
  if (typeof json === 'number') return json;
  if (typeof json === 'bigint') return Number(json);
  return json instanceof ExactNumber ? Number(json.text) : Number.NaN;
}

function readBoolean(json: Exclude<ExactJson, null>): boolean {
  if (typeof json === 'boolean') return json;
  throw expected('boolean', json);
}

function readString(json: Exclude<ExactJson, null>): string {
  if (typeof json === 'string') return json;
  throw expected('text', json);
}

function readBytes(json: Exclude<ExactJson, null>): Uint8Array {
  if (typeof json === 'string') return base64.decode(json);
  throw expected('bytes as base64', json);
}

export const primitiveReaders: Readonly<Record<PrimitiveType, PresentReader>> = {
  int8: intReader('int8'),
  int16: intReader('int16'),
  int32: intReader('int32'),
  int64: readInt64,
  float32: floatReader('float32', Math.fround),
  float64: floatReader('float64', (value) => value),
  boolean: readBoolean,
  string: readString,
  bytes: readBytes,
};

export function readTime(json: Exclude<ExactJson, null>): number {
  if (typeof json === 'number' && Number.isInteger(json) && json >= 0 && json <= DAY_MS) return json + 0;
  throw expected('milliseconds of a day', json);
}

/** Base64 of the unscaled bytes, or a number, whatever `decimal.format` says: that is about writing. */
export function decimalReader(schema: Schema): PresentReader {
  const scale = decimalScale(schema);
  return (json) => {
    if (typeof json === 'string') {
      const bytes = base64.decode(json);
      if (bytes.length === 0) throw expected('a decimal', json);
      return bytes;
    }
    const decimal = parseDecimal(digitsOf(json));
    if (decimal === undefined) throw expected('a decimal', json);
    return unscaledBytes(unscaledAt(scale, decimal));
  };
}

function digitsOf(json: Exclude<ExactJson, null | string>): string {
  if (typeof json === 'number' || typeof json === 'bigint') return String(json);
  return json instanceof ExactNumber ? json.text : '';
}

/** Whether a payload of this schema can hold numbers that a double would round. */
export function hasDecimal(schema: Schema): boolean {
  if (schema.type === 'array') return hasDecimal(schema.items);
  if (schema.type === 'map') return hasDecimal(schema.keys) || hasDecimal(schema.values);
  if (schema.type === 'struct') return schema.fields.some((field) => hasDecimal(field.schema));
  return schema.name === logicalNames.decimal;
}
