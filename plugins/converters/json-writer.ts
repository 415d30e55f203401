/**
 * Writes a value as the JSON payload its schema declares, or throws (I8): a value that does not have the declared shape is
 * refused, never bent. A writer is compiled once per schema and called per record.
 */
import { unreachable } from '../../core/assert.ts';
import { decimalScale, decimalText, unscaledOf } from '../../core/record/decimal.ts';
import { jsonNumber, jsonString } from '../../core/record/json-text.ts';
import {
  type ArraySchema,
  logicalNames,
  type MapSchema,
  type PrimitiveType,
  type Schema,
  type StructSchema,
  type Value,
} from '../../core/record/schema.ts';
import { inside, ShapeError } from '../../core/record/shape-error.ts';
import { fieldOf, isArray, isStruct } from '../../core/record/struct.ts';
import { base64 } from './base64.ts';
import { float32Digits } from './float32.ts';
import { DAY_MS, INT64_MAX, INT64_MIN, intBounds } from './json-primitives.ts';

/** `undefined` is an absent struct field, which is null. */
export type JsonWriter = (value: Value | undefined) => string;

export interface WriteOptions {
  readonly replaceNullWithDefault: boolean;
  readonly decimalFormat: 'BASE64' | 'NUMERIC';
}

/** @throws {ShapeError} for a schema that cannot be written. The writer throws it for a value. */
export function jsonWriter(schema: Schema, options: WriteOptions): JsonWriter {
  const write = presentWriter(schema, options);
  const { default: fallback = null, optional, type } = schema;
  const whenNull = fallback !== null && options.replaceNullWithDefault ? write(fallback) : optional ? 'null' : undefined;
  return (value) => {
    if (value !== null && value !== undefined) return write(value);
    if (whenNull === undefined) throw new ShapeError(`a required ${type} is null or absent`);
    return whenNull;
  };
}

type PresentWriter = (value: Exclude<Value, null>) => string;

function presentWriter(schema: Schema, options: WriteOptions): PresentWriter {
  switch (schema.type) {
    case 'int8':
    case 'int16':
    case 'int64':
    case 'float32':
    case 'float64':
    case 'boolean':
    case 'string':
      return primitiveWriters[schema.type];
    case 'int32':
      return schema.name === logicalNames.time ? writeTime : primitiveWriters.int32;
    case 'bytes':
      return schema.name === logicalNames.decimal ? decimalWriter(schema, options) : primitiveWriters.bytes;
    case 'array':
      return arrayWriter(schema, options);
    case 'map':
      return schema.keys.type === 'string' ? objectMapWriter(schema, options) : pairsWriter(schema, options);
    case 'struct':
      return structWriter(schema, options);
    default:
      return unreachable(schema);
  }
}

function misfit(type: string, value: Value): ShapeError {
  const found = typeof value === 'object' ? 'an object of another kind' : `a ${typeof value} that is none`;
  return new ShapeError(`expected ${type}, found ${found}`);
}

const primitiveWriters: Readonly<Record<PrimitiveType, PresentWriter>> = {
  int8: intWriter('int8'),
  int16: intWriter('int16'),
  int32: intWriter('int32'),
  int64(value) {
    if (typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX) return String(value);
    throw misfit('int64', value);
  },
  float32(value) {
    if (typeof value !== 'number' || (Number.isFinite(value) && !Number.isFinite(Math.fround(value))))
      throw misfit('float32', value);
    return jsonNumber(float32Digits(value));
  },
  float64(value) {
    if (typeof value !== 'number') throw misfit('float64', value);
    return jsonNumber(value);
  },
  boolean(value) {
    if (typeof value !== 'boolean') throw misfit('boolean', value);
    return value ? 'true' : 'false';
  },
  string(value) {
    if (typeof value !== 'string') throw misfit('text', value);
    return jsonString(value);
  },
  bytes(value) {
    if (!(value instanceof Uint8Array)) throw misfit('bytes', value);
    return `"${base64.encode(value)}"`;
  },
};

function intWriter(type: keyof typeof intBounds): PresentWriter {
  const { min, max } = intBounds[type];
  return (value) => {
    if (typeof value === 'number' && value >= min && value <= max && Number.isInteger(value)) return String(value);
    throw misfit(type, value);
  };
}

function writeTime(value: Exclude<Value, null>): string {
  if (typeof value === 'number' && value >= 0 && value <= DAY_MS && Number.isInteger(value)) return String(value);
  throw misfit('milliseconds of a day', value);
}

function decimalWriter(schema: Schema, { decimalFormat }: WriteOptions): PresentWriter {
  const scale = decimalScale(schema);
  return (value) => {
    if (!(value instanceof Uint8Array) || value.length === 0) throw misfit('a decimal', value);
    return decimalFormat === 'NUMERIC' ? decimalText({ unscaled: unscaledOf(value), scale }) : `"${base64.encode(value)}"`;
  };
}

function arrayWriter({ items }: ArraySchema, options: WriteOptions): PresentWriter {
  const write = jsonWriter(items, options);
  return (value) => {
    if (!isArray(value)) throw misfit('an array', value);
    let text = '';
    let index = 0;
    try {
      for (const item of value) {
        text += index === 0 ? write(item) : `,${write(item)}`;
        index += 1;
      }
    } catch (error) {
      throw inside(index, error);
    }
    return `[${text}]`;
  };
}

function objectMapWriter({ keys, values }: MapSchema, options: WriteOptions): PresentWriter {
  const writeKey = presentWriter(keys, options);
  const write = jsonWriter(values, options);
  return (value) => {
    if (!(value instanceof Map)) throw misfit('a map', value);
    const entries = Array.from(value as ReadonlyMap<Value, Value>, ([key, item]) => {
      if (key === null) throw new ShapeError('a null key of a map cannot be written as text');
      return `${writeKey(key)}:${write(item)}`;
    });
    return `{${entries.join(',')}}`;
  };
}

function pairsWriter({ keys, values }: MapSchema, options: WriteOptions): PresentWriter {
  const writeKey = jsonWriter(keys, options);
  const write = jsonWriter(values, options);
  return (value) => {
    if (!(value instanceof Map)) throw misfit('a map', value);
    return `[${Array.from(value as ReadonlyMap<Value, Value>, ([key, item]) => `[${writeKey(key)},${write(item)}]`).join(',')}]`;
  };
}

function structWriter(schema: StructSchema, options: WriteOptions): PresentWriter {
  const fields = schema.fields.map(({ name, schema: type }, index) => ({
    name,
    prefix: `${index === 0 ? '' : ','}${jsonString(name)}:`,
    write: jsonWriter(type, options),
  }));
  return (value) => {
    if (!isStruct(value)) throw misfit('a struct', value);
    let text = '{';
    let current = '';
    try {
      for (const { name, prefix, write } of fields) {
        current = name;
        text += prefix + write(fieldOf(value, name));
      }
    } catch (error) {
      throw inside(current, error);
    }
    return `${text}}`;
  };
}
