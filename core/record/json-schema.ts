/**
 * Schemas as JSON, in the form of Kafka Connect's JsonConverter: `{"type":"int32","optional":true,"name":...}`.
 *
 * A default value is a payload of its own schema, so whoever reads and writes payloads does that part, too.
 */
import { unreachable } from '../assert.ts';
import { type ExactJson, ExactNumber } from './json-parser.ts';
import { jsonString } from './json-text.ts';
import type { Field, PrimitiveType, Schema, Value } from './schema.ts';
import { inside, ShapeError } from './shape-error.ts';

export interface JsonObject {
  readonly [key: string]: ExactJson;
}

type ReadDefault = (schema: Schema, json: ExactJson) => Value;
type WriteDefault = (schema: Schema, value: Value) => string;

/** Two types are named differently in JSON. */
const primitiveTypes = new Map<ExactJson | undefined, PrimitiveType>([
  ['int8', 'int8'],
  ['int16', 'int16'],
  ['int32', 'int32'],
  ['int64', 'int64'],
  ['float', 'float32'],
  ['double', 'float64'],
  ['boolean', 'boolean'],
  ['string', 'string'],
  ['bytes', 'bytes'],
]);

const jsonTypes = new Map<PrimitiveType, string>(Array.from(primitiveTypes, ([json, type]) => [type, String(json)]));

/** @throws {ShapeError} */
export function schemaFromJson(json: ExactJson | undefined, readDefault: ReadDefault): Schema {
  if (!isObject(json) || typeof json['type'] !== 'string') throw new ShapeError("a schema must be an object with a 'type'");
  const schema: Schema = { ...typeFromJson(json, readDefault), ...factsFromJson(json) };
  const fallback = readDefaultOf(schema, json['default'], readDefault);
  return fallback === null ? schema : { ...schema, default: fallback };
}

/** Plain JSON objects only. */
export function isObject(json: ExactJson | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof ExactNumber);
}

/** `Array.isArray` as a guard that knows read-only arrays. */
export function isList(json: ExactJson | undefined): json is readonly ExactJson[] {
  return Array.isArray(json);
}

function typeFromJson(json: JsonObject, readDefault: ReadDefault): Schema {
  const optional = json['optional'] === true;
  const type = json['type'];
  if (type === 'array') return { type, optional, items: partFromJson(json, 'items', readDefault) };
  if (type === 'struct') return { type, optional, fields: fieldsFromJson(json['fields'], readDefault) };
  if (type === 'map') {
    return { type, optional, keys: partFromJson(json, 'keys', readDefault), values: partFromJson(json, 'values', readDefault) };
  }
  const primitive = primitiveTypes.get(type);
  if (primitive === undefined) throw new ShapeError(`unknown schema type ${String(type)}`);
  return { type: primitive, optional };
}

function partFromJson(json: JsonObject, part: 'items' | 'keys' | 'values', readDefault: ReadDefault): Schema {
  try {
    return schemaFromJson(json[part], readDefault);
  } catch (error) {
    throw inside(part, error);
  }
}

function fieldsFromJson(json: ExactJson | undefined, readDefault: ReadDefault): readonly Field[] {
  if (!isList(json)) throw new ShapeError("a struct's 'fields' must be an array");
  const names = new Set<string>();
  return json.map((field) => {
    const name = isObject(field) ? field['field'] : undefined;
    if (typeof name !== 'string') throw new ShapeError("each of a struct's fields must be named by 'field'");
    if (names.has(name)) throw inside(name, new ShapeError('the struct has two fields of this name'));
    names.add(name);
    try {
      return { name, schema: schemaFromJson(field, readDefault) };
    } catch (error) {
      throw inside(name, error);
    }
  });
}

/** As Kafka Connect does, whatever is not of the right type counts as absent; parameters are the exception. */
function factsFromJson(json: JsonObject): Pick<Schema, 'name' | 'version' | 'doc' | 'parameters'> {
  const { name, version, doc, parameters } = json;
  return {
    ...(typeof name === 'string' && { name }),
    ...(typeof version === 'number' && Number.isInteger(version) && { version }),
    ...(typeof doc === 'string' && { doc }),
    ...(isObject(parameters) && { parameters: parametersFromJson(parameters) }),
  };
}

function parametersFromJson(json: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      if (typeof value !== 'string') throw inside('parameters', new ShapeError('the parameters of a schema must be text'));
      return [name, value];
    }),
  );
}

function readDefaultOf(schema: Schema, json: ExactJson | undefined, readDefault: ReadDefault): Value {
  if (json === undefined) return null;
  try {
    return readDefault(schema, json);
  } catch (error) {
    throw inside('default', error);
  }
}

/** The schema as JSON text, members in the order in which Kafka Connect writes them. */
export function schemaJson(schema: Schema, writeDefault: WriteDefault): string {
  return `{${members(schema, writeDefault).join(',')}}`;
}

function members(schema: Schema, writeDefault: WriteDefault): string[] {
  const { optional, name, version, doc, parameters, default: fallback = null } = schema;
  const text = typeMembers(schema, writeDefault);
  text.push(`"optional":${optional}`);
  if (name !== undefined) text.push(`"name":${jsonString(name)}`);
  if (version !== undefined) text.push(`"version":${version}`);
  if (doc !== undefined) text.push(`"doc":${jsonString(doc)}`);
  if (parameters !== undefined) text.push(`"parameters":${JSON.stringify(parameters)}`);
  if (fallback !== null) text.push(`"default":${writeDefault(schema, fallback)}`);
  return text;
}

function typeMembers(schema: Schema, writeDefault: WriteDefault): string[] {
  switch (schema.type) {
    case 'array':
      return ['"type":"array"', `"items":${schemaJson(schema.items, writeDefault)}`];
    case 'map':
      return [
        '"type":"map"',
        `"keys":${schemaJson(schema.keys, writeDefault)}`,
        `"values":${schemaJson(schema.values, writeDefault)}`,
      ];
    case 'struct':
      return ['"type":"struct"', `"fields":[${schema.fields.map((field) => fieldJson(field, writeDefault)).join(',')}]`];
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'float32':
    case 'float64':
    case 'boolean':
    case 'string':
    case 'bytes':
      return [`"type":"${jsonTypes.get(schema.type)}"`];
    default:
      return unreachable(schema);
  }
}

function fieldJson({ name, schema }: Field, writeDefault: WriteDefault): string {
  return `{${[...members(schema, writeDefault), `"field":${jsonString(name)}`].join(',')}}`;
}
