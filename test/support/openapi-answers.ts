/** Holds answers of the HTTP API against the OpenAPI document that it serves. */
import assert from 'node:assert/strict';
import { Validator } from '@cfworker/json-schema';
import type { Hono } from 'hono';
import type { OpenApiDocument } from '../../scheduler/routes/openapi.ts';

interface Answered {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

interface AnswerShape {
  /** By its type, of which each answer has one. */
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/** The same for every application, and it takes its time to make. */
let document: Promise<OpenApiDocument> | undefined;

export function openApiOf(app: Hono): Promise<OpenApiDocument> {
  document ??= requestDocument(app);
  return document;
}

async function requestDocument(app: Hono): Promise<OpenApiDocument> {
  return (await (await app.request('/openapi.json')).json()) as OpenApiDocument;
}

/** @throws {AssertionError} where the document does not say that there may be such an answer. */
export async function demandAnswer(app: Hono, { method, path, status, body }: Answered): Promise<void> {
  const document = await openApiOf(app);
  const shape = shapeOf(document, { method, path, status });
  const [{ schema } = { schema: undefined }] = Object.values(shape.content ?? {});
  const where = `${method} ${path} -> ${status}`;
  if (schema === undefined) return assert.equal(body, null, `${where} has a body`);
  demandValid(document, schema, { where, body });
}

/** @throws {AssertionError} where it has not the shape of this name. */
export async function demandSchema(app: Hono, name: string, body: unknown): Promise<void> {
  demandValid(await openApiOf(app), { $ref: `#/components/schemas/${name}` }, { where: name, body });
}

/** By schema: each walks through the whole document first. */
const validators = new Map<string, Validator>();

function validatorOf(document: OpenApiDocument, schema: object): Validator {
  const name = JSON.stringify(schema);
  const validator = validators.get(name) ?? new Validator({ ...document, ...schema }, '2020-12', false);
  validators.set(name, validator);
  return validator;
}

function demandValid(document: OpenApiDocument, schema: object, { where, body }: { where: string; body: unknown }): void {
  const { valid, errors } = validatorOf(document, schema).validate(body);
  assert.ok(valid, `${where}: ${JSON.stringify(body)} is not ${JSON.stringify(schema)}: ${JSON.stringify(errors)}`);
}

const ANY_ERROR: AnswerShape = { content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorMessage' } } } };

function shapeOf(document: OpenApiDocument, { method, path, status }: Omit<Answered, 'body'>): AnswerShape {
  const asked = new URL(path, 'http://localhost').pathname.replace(/(?<=.)\/$/, '').split('/');
  const operations = Object.entries(document.paths).find(([template]) => isMatch(template.split('/'), asked))?.[1];
  const operation = operations?.[method.toLowerCase()] as { readonly responses: Record<string, AnswerShape> } | undefined;
  const shape = operation?.responses[String(status)];
  if (shape !== undefined) return shape;
  assert.ok(status >= 400, `the document has no answer ${status} to ${method} ${path}`);
  return ANY_ERROR;
}

function isMatch(template: readonly string[], asked: readonly string[]): boolean {
  return template.length === asked.length && template.every((part, index) => part.startsWith('{') || part === asked[index]);
}
