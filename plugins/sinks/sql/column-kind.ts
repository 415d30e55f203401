/** What a column is to hold. */
import { decimalScale } from '../../../core/record/decimal.ts';
import { logicalNames, type PrimitiveType, type Schema } from '../../../core/record/schema.ts';

/**
 * `document`: arrays, maps and structs, which become JSON text. `any`: there is no schema, so the next value may be of another
 * kind.
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
