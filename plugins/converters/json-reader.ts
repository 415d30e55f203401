/**
 * Reads a JSON payload as what its schema declares, or throws (I8). A reader is compiled once per schema and called per
 * record.
 *
 * Kafka Connect's JsonConverter turns many a misfit into another value (300 as int8 into 44, "x" as int32 into 0, 5 as
 * string into null). None of that here. As there, a struct's absent fields are null and its unknown ones are left out.
 */
import { unreachable } from '../../core/assert.ts';
import type { ExactJson } from '../../core/record/json-parser.ts';
import { isList, isObject } from '../../core/record/json-schema.ts';
import {
  type ArraySchema,
  logicalNames,
  type MapSchema,
  type Schema,
  type StructSchema,
  type Value,
} from '../../core/record/schema.ts';
import { inside, ShapeError } from '../../core/record/shape-error.ts';
import { fieldOf, type StructBuilder, setField } from '../../core/record/struct.ts';
import { decimalReader, expected, type PresentReader, primitiveReaders, readTime } from './json-primitives.ts';

/** `undefined` is an absent struct field. */
export type JsonReader = (json: ExactJson | undefined) => Value;

export interface ReadOptions {
  readonly replaceNullWithDefault: boolean;
}

/** @throws {ShapeError} for a schema that cannot be read. The reader throws it for a payload. */
export function jsonReader(schema: Schema, options: ReadOptions): JsonReader {
  const read = presentReader(schema, options);
  const fallback = options.replaceNullWithDefault ? (schema.default ?? null) : null;
  return (json) => {
    if (json !== null && json !== undefined) return read(json);
    if (fallback === null && !schema.optional) throw new ShapeError(`a required ${schema.type} is null or absent`);
    return fallback;
  };
}

function presentReader(schema: Schema, options: ReadOptions): PresentReader {
  switch (schema.type) {
    case 'int8':
    case 'int16':
    case 'int64':
    case 'float32':
    case 'float64':
    case 'boolean':
    case 'string':
      return primitiveReaders[schema.type];
    case 'int32':
      return schema.name === logicalNames.time ? readTime : primitiveReaders.int32;
    case 'bytes':
      return schema.name === logicalNames.decimal ? decimalReader(schema) : primitiveReaders.bytes;
    case 'array':
      return arrayReader(schema, options);
    case 'map':
      return schema.keys.type === 'string' ? objectMapReader(schema, options) : pairsReader(schema, options);
    case 'struct':
      return structReader(schema, options);
    default:
      return unreachable(schema);
  }
}

function arrayReader({ items }: ArraySchema, options: ReadOptions): PresentReader {
  const read = jsonReader(items, options);
  return (json) => {
    if (!isList(json)) throw expected('an array', json);
    return json.map((item, index) => {
      try {
        return read(item);
      } catch (error) {
        throw inside(index, error);
      }
    });
  };
}

function objectMapReader({ values }: MapSchema, options: ReadOptions): PresentReader {
  const read = jsonReader(values, options);
  return (json) => {
    if (!isObject(json)) throw expected('a map as an object', json);
    return new Map(Object.entries(json).map(([key, value]) => [key, read(value)]));
  };
}

function pairsReader({ keys, values }: MapSchema, options: ReadOptions): PresentReader {
  const readKey = jsonReader(keys, options);
  const readItem = jsonReader(values, options);
  return (json) => {
    if (!isList(json)) throw expected('a map as a list of pairs', json);
    return new Map(
      json.map((pair) => {
        if (!isList(pair) || pair.length !== 2) throw expected('a pair of key and value', pair);
        return [readKey(pair[0]), readItem(pair[1])];
      }),
    );
  };
}

function structReader(schema: StructSchema, options: ReadOptions): PresentReader {
  const fields = schema.fields.map((field) => ({ name: field.name, read: jsonReader(field.schema, options) }));
  return (json) => {
    if (!isObject(json)) throw expected('a struct as an object', json);
    const struct: StructBuilder = {};
    let current = '';
    try {
      for (const { name, read } of fields) {
        current = name;
        setField(struct, name, read(fieldOf(json, name)));
      }
    } catch (error) {
      throw inside(current, error);
    }
    return struct;
  };
}
