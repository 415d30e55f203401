/**
 * Values as Java's `toString` prints them: `{a=1, b=x}`, `[1, 2]`, `Struct{a=1}`, `1.0E10`.
 *
 * Two things differ. Bytes are refused, where Java prints the address of the array. Dates and times are their integer, where
 * Java prints a local time without its milliseconds.
 */
import { decimalScale, decimalText, unscaledOf } from '../../core/record/decimal.ts';
import {
  logicalNames,
  type MapSchema,
  type Schema,
  type Struct,
  type StructSchema,
  type Value,
} from '../../core/record/schema.ts';
import { ShapeError } from '../../core/record/shape-error.ts';
import { fieldOf, isArray, isStruct } from '../../core/record/struct.ts';
import { float32Digits } from './float32.ts';

/** @throws {ShapeError} for bytes. */
export function valueText(schema: Schema | null, value: Value): string {
  if (typeof value === 'number') return numberText(schema, value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Uint8Array) return decimalValueText(schema, value);
  if (isArray(value)) return `[${value.map((item) => valueText(itemsOf(schema), item)).join(', ')}]`;
  if (isStruct(value)) return schema?.type === 'struct' ? structText(schema, value) : mapText(null, Object.entries(value));
  return mapText(schema, value as ReadonlyMap<Value, Value>);
}

function itemsOf(schema: Schema | null): Schema | null {
  return schema?.type === 'array' ? schema.items : null;
}

/** Without a schema, a whole number is an integer. */
function numberText(schema: Schema | null, value: number): string {
  if (schema?.type === 'float32') return doubleText(float32Digits(value));
  return schema?.type === 'float64' || !Number.isSafeInteger(value) ? doubleText(value) : String(value);
}

/** Java writes plain digits from a thousandth up to ten million, an exponent beyond; and always a fraction. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-3 && magnitude < 1e7) return withFraction(String(value));
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${withFraction(digits)}E${Number(exponent)}`;
}

function withFraction(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`;
}

function decimalValueText(schema: Schema | null, value: Uint8Array): string {
  if (schema?.name !== logicalNames.decimal) throw new ShapeError('bytes cannot be written as text');
  return decimalText({ unscaled: unscaledOf(value), scale: decimalScale(schema) });
}

/** Nulls are left out. */
function structText(schema: StructSchema, struct: Struct): string {
  const fields = schema.fields.flatMap(({ name, schema: type }) => {
    const value = fieldOf(struct, name) ?? null;
    return value === null ? [] : [`${name}=${valueText(type, value)}`];
  });
  return `Struct{${fields.join(',')}}`;
}

function mapText(schema: Schema | null, entries: Iterable<readonly [Value, Value]>): string {
  const { keys, values } = schema?.type === 'map' ? schema : UNTYPED;
  return `{${Array.from(entries, ([key, value]) => `${valueText(keys, key)}=${valueText(values, value)}`).join(', ')}}`;
}

const UNTYPED: { readonly [Part in keyof Pick<MapSchema, 'keys' | 'values'>]: null } = { keys: null, values: null };
