/** The OpenAPI 3.1 document of a table of routes. */
import { z } from 'zod';
import { assert } from '../../core/assert.ts';
import { answered, ErrorMessage, taken } from './entities.ts';
import type { AnswerShape, QueryParameter, Route } from './route.ts';

type JsonObject = Readonly<Record<string, unknown>>;

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
  readonly components: { readonly schemas: JsonObject; readonly securitySchemes: JsonObject };
}

export function openApiDocument(routes: readonly Route[], { version }: { readonly version: string }): OpenApiDocument {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  return {
    openapi: '3.1.0',
    info: { title: 'Sortie', version },
    paths,
    components: {
      schemas: { ...schemasOf(answered, 'output'), ...schemasOf(taken, 'input') },
      securitySchemes: { key: { type: 'http', scheme: 'bearer' }, password: { type: 'http', scheme: 'basic' } },
    },
  };
}

function operation({ path, role, summary, query = [], body, answers }: Route): JsonObject {
  const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  return {
    summary,
    // Where keys are demanded. The list is of roles.
    security: role === 'anyone' ? [] : [{ key: [role] }, { password: [role] }],
    parameters: [...parts, ...query.map(queryParameter)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: body.isOptional !== true, content: json(reference(body.schema, taken)) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, shape]) => [status, answerOf(shape)])),
      default: answerOf({ description: 'An error', body: ErrorMessage }),
    },
  };
}

function queryParameter({ name, description, schema, isRepeated = false }: QueryParameter): JsonObject {
  return { name, in: 'query', description, schema: isRepeated ? { type: 'array', items: schema } : schema };
}

function answerOf({ description, body, events, textType }: AnswerShape): JsonObject {
  if (textType !== undefined) return { description, content: { [textType]: { schema: { type: 'string' } } } };
  if (events !== undefined) {
    const contentSchema = reference(events, answered);
    const schema = { type: 'string', contentMediaType: 'application/json', contentSchema, description: 'The data of an event' };
    return { description, content: { 'text/event-stream': { schema } } };
  }
  return { description, ...(body === undefined ? {} : { content: json(reference(body, answered)) }) };
}

function json(schema: JsonObject): JsonObject {
  return { 'application/json': { schema } };
}

type Shapes = typeof answered;

function reference(schema: z.ZodType, shapes: Shapes): JsonObject {
  const id = shapes.get(schema)?.id;
  assert(id !== undefined, 'a route uses a shape without an id');
  return { $ref: uriOf(id) };
}

function schemasOf(shapes: Shapes, io: 'input' | 'output'): JsonObject {
  const { schemas } = z.toJSONSchema(shapes, { io, uri: uriOf });
  return Object.fromEntries(Object.entries(schemas).map(([id, { $id: _, $schema: __, ...schema }]) => [id, schema]));
}

function uriOf(id: string): string {
  return `#/components/schemas/${id}`;
}
