/** Requests to one route of the OpenAPI document: mostly of its form, with something hostile at any place. */
import fc from 'fast-check';
import { hostileJson, hostileText } from './hostile-text.ts';
import { type JsonSchema, jsonBySchema, type Vocabulary } from './json-by-schema.ts';

export interface GeneratedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As it is sent. */
  readonly body: string | null;
}

export interface Operation {
  readonly method: string;
  /** `/connectors/{connector}` */
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: 'path' | 'query'; readonly schema: JsonSchema }[];
  /** `null` where it reads none. */
  readonly body: JsonSchema | null;
}

/** Pieces of paths that no encoder writes. */
const RAW_PIECES = ['%', '%2', '%00', '%ff', '%C0%AF', '..%2f', '%252F', ';a=b', '+', '~', '%E0%80%80'];

export function generatedRequest(operation: Operation, vocabulary: Vocabulary): fc.Arbitrary<GeneratedRequest> {
  return fc.record({
    method: fc.constant(operation.method),
    path: fc.tuple(pathOf(operation, vocabulary), queryOf(operation, vocabulary)).map(([path, query]) => path + query),
    headers: headersOf(),
    body: operation.body === null ? fc.option(hostileText, { freq: 1 }) : bodyOf(operation.body, vocabulary),
  });
}

function pathOf({ path }: Operation, { words, names }: Vocabulary): fc.Arbitrary<string> {
  const piece = (name: string): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...(names[name] ?? words)).map(encoded) },
      { weight: 1, arbitrary: fc.constantFrom(...words).map(encoded) },
      { weight: 2, arbitrary: hostileText.map(encoded) },
      { weight: 1, arbitrary: fc.constantFrom(...RAW_PIECES) },
    );
  const parts = path.split('/').map((part) => (part.startsWith('{') ? piece(part.slice(1, -1)) : fc.constant(part)));
  return fc.tuple(...parts).map((all) => all.join('/'));
}

function queryOf({ parameters }: Operation, vocabulary: Vocabulary): fc.Arbitrary<string> {
  const named = parameters.filter((parameter) => parameter.in === 'query');
  const given = named.map(({ name, schema }) =>
    fc.option(fc.tuple(fc.constantFrom(name, name, name, `${name}[]`), parameterOf(schema, vocabulary)), { freq: 2 }),
  );
  const stray = fc.option(fc.tuple(hostileText, hostileText), { freq: 1 });
  return fc.tuple(stray, ...given).map((pairs) => {
    const text = pairs.flatMap((pair) => (pair === null ? [] : pair.map(encoded).join('='))).join('&');
    return text === '' ? '' : `?${text}`;
  });
}

function parameterOf(schema: JsonSchema, vocabulary: Vocabulary): fc.Arbitrary<string> {
  const examples = (schema['examples'] ?? []) as readonly string[];
  const words = examples.length === 0 ? hostileText : fc.constantFrom(...examples);
  return fc.oneof(
    { weight: 3, arbitrary: jsonBySchema(schema, vocabulary).map(String) },
    { weight: 1, arbitrary: words },
    { weight: 1, arbitrary: hostileText },
  );
}

const CONTENT_TYPES = ['text/plain', 'application/x-www-form-urlencoded', '', 'application/json; charset=utf-16', 'json', ';'];

function headersOf(): fc.Arbitrary<Readonly<Record<string, string>>> {
  return fc.record(
    {
      'content-type': fc.oneof({ weight: 6, arbitrary: fc.constant('application/json') }, fc.constantFrom(...CONTENT_TYPES)),
      authorization: fc.constantFrom('Bearer', 'Basic %%%', 'Basic Og==', 'Bearer a b c'),
      accept: fc.constantFrom('*/*', 'text/html', 'a'.repeat(2_000)),
    },
    { requiredKeys: ['content-type'] },
  );
}

/** What is no JSON, or more than anybody means. */
const RAW_BODIES = [
  '',
  '{',
  '[]]',
  '\ufeff{}',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"config":{"__proto__":"a"},"name":"a"}',
  '{"name":"a","config":{"a":1e999}}',
  '{"offsets":[{"partition":{"__proto__":1},"offset":{"__proto__":2}}]}',
  '-',
  '00',
  '"\\ud800"',
  '['.repeat(500),
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  `{"a":${'9'.repeat(5_000)}}`,
];

function bodyOf(schema: JsonSchema, vocabulary: Vocabulary): fc.Arbitrary<string | null> {
  return fc.oneof(
    { weight: 8, arbitrary: jsonBySchema(schema, vocabulary).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: hostileJson.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.constantFrom(...RAW_BODIES) },
    { weight: 1, arbitrary: hostileText },
  );
}

/** Half a surrogate pair has no encoding. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
