/** What a column is to hold, told from a schema or from a value that has none. */
import { decimalScale } from '../../../core/record/decimal.ts';
import { logicalNames, type PrimitiveType, type Schema, type Value } from '../../../core/record/schema.ts';

/**
 * `document`: arrays, maps and structs, which become JSON text. `any`: nothing is known of it yet, since there is no schema
 * and the value is null.
 */
export type ColumnKind =
  | 'integer'
  | 'real'
  | 'boolean'
  | 'text'
  | 'bytes'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'document'
  | 'any'
  | DecimalKind;

interface DecimalKind {
  /** Digits behind the point. */
  readonly scale: number;
}

const kinds: Readonly<Record<PrimitiveType, ColumnKind>> = {
  int8: 'integer',
  int16: 'integer',
  int32: 'integer',
  int64: 'integer',
  float32: 'real',
  float64: 'real',
  boolean: 'boolean',
  string: 'text',
  bytes: 'bytes',
};

const logicalKinds = new Map<string, ColumnKind>([
  [logicalNames.date, 'date'],
  [logicalNames.time, 'time'],
  [logicalNames.timestamp, 'timestamp'],
]);

/** @throws {ShapeError} when a decimal does not say its scale. */
export function kindOfSchema(schema: Schema): ColumnKind {
  if (schema.type === 'array' || schema.type === 'map' || schema.type === 'struct') return 'document';
  if (schema.name === logicalNames.decimal) return { scale: decimalScale(schema) };
  return (schema.name === undefined ? undefined : logicalKinds.get(schema.name)) ?? kinds[schema.type];
}

export function kindOfValue(value: Value): ColumnKind {
  if (value === null) return 'any';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'real';
  return value instanceof Uint8Array ? 'bytes' : 'document';
}
