/** JSON that a schema of the OpenAPI document allows, made of words that mean something there, and of others. */
import fc from 'fast-check';
import { hostileJson, hostileText } from './hostile-text.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Vocabulary {
  /** Names of keys, and texts, that mean something. */
  readonly words: readonly string[];
  /** What there is, by the name of the parameter of a path. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** What is right, by the name of the schema: a body made from scratch hardly ever is. */
  readonly examples: Readonly<Record<string, readonly unknown[]>>;
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

const REFERENCE = '#/components/schemas/';

/** Long enough that "too many" is met, short enough to be made thousands of times. */
const ITEMS_MAX = 4;

export function jsonBySchema(schema: JsonSchema, vocabulary: Vocabulary): fc.Arbitrary<unknown> {
  const reference = schema['$ref'];
  if (typeof reference === 'string') return named(reference.slice(REFERENCE.length), vocabulary);
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices)) return fc.oneof(...choices.map((choice: JsonSchema) => jsonBySchema(choice, vocabulary)));
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum']);
  const types = [schema['type']].flat();
  return fc.oneof(...types.map((type) => ofType(type, schema, vocabulary)));
}

function named(name: string, vocabulary: Vocabulary): fc.Arbitrary<unknown> {
  const made = jsonBySchema(vocabulary.schemas[name] ?? {}, vocabulary);
  const examples = vocabulary.examples[name] ?? [];
  if (examples.length === 0) return made;
  const example = fc.constantFrom(...examples);
  const key = fc.oneof(fc.constantFrom(...vocabulary.words), hostileText);
  const value = fc.oneof(fc.constantFrom<unknown>(...vocabulary.words), hostileJson);
  const changed = fc.tuple(example, fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 3 })).map(withEntries);
  return fc.oneof({ weight: 1, arbitrary: example }, { weight: 4, arbitrary: changed }, { weight: 2, arbitrary: made });
}

function withEntries([example, entries]: readonly [unknown, readonly (readonly [string, unknown])[]]): unknown {
  return typeof example === 'object' && !Array.isArray(example) ? { ...example, ...Object.fromEntries(entries) } : example;
}

function ofType(type: unknown, schema: JsonSchema, vocabulary: Vocabulary): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object':
      return objectBy(schema, vocabulary);
    case 'array':
      return arrayBy(schema, vocabulary);
    case 'string':
      return textOf(vocabulary);
    case 'integer':
    case 'number':
      return numberBy(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return hostileJson;
  }
}

function objectBy(schema: JsonSchema, vocabulary: Vocabulary): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>);
  const requiredKeys = (schema['required'] ?? []) as string[];
  const model = Object.fromEntries(properties.map(([key, property]) => [key, jsonBySchema(property, vocabulary)]));
  const known = fc.record(model, { requiredKeys });
  const more = schema['additionalProperties'];
  if (typeof more !== 'object' || more === null) return known;
  const others = fc.dictionary(textOf(vocabulary), jsonBySchema(more as JsonSchema, vocabulary), { maxKeys: ITEMS_MAX });
  return fc.tuple(others, known).map(([open, closed]) => ({ ...open, ...closed }));
}

function arrayBy(schema: JsonSchema, vocabulary: Vocabulary): fc.Arbitrary<unknown> {
  const places = schema['prefixItems'];
  if (Array.isArray(places)) return fc.tuple(...places.map((place: JsonSchema) => jsonBySchema(place, vocabulary)));
  return fc.array(jsonBySchema((schema['items'] ?? {}) as JsonSchema, vocabulary), { maxLength: ITEMS_MAX });
}

function textOf({ words }: Vocabulary): fc.Arbitrary<string> {
  return fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...words) }, { weight: 1, arbitrary: hostileText });
}

function numberBy({ minimum, maximum }: JsonSchema): fc.Arbitrary<number> {
  const [min, max] = [Number(minimum ?? Number.MIN_SAFE_INTEGER), Number(maximum ?? Number.MAX_SAFE_INTEGER)];
  return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max, min - 1, max + 1, 0, 1, 1.5));
}
