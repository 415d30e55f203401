/**
 * Sends generated requests to one route, and checks after each that the answer is one of the OpenAPI document and no failure of the
 * server, that it came at once and tells no secret, and that a request that was refused has changed nothing.
 */
import fc from 'fast-check';
import type { OpenApiDocument } from '../../scheduler/routes/openapi.ts';
import { bodyOf } from '../support/api.ts';
import { demandAnswer } from '../support/openapi-answers.ts';
import { type GeneratedRequest, generatedRequest, type Operation } from './generated-request.ts';
import type { JsonSchema, Vocabulary } from './json-by-schema.ts';
import { aTarget, SINK, SOURCE, type Target, VAULT } from './target.ts';

/** After so many requests they go to a new target: those that created something make the old one slow, and a violation hard to read. */
const REQUESTS_OF_TARGET = 50;

/** Of real time. The slowest that is right takes some 100 ms. */
const ANSWER_WITHIN_MS = 10_000;

export interface Violation {
  readonly request: GeneratedRequest;
  readonly what: string;
}

export interface RouteResult {
  readonly violation: Violation | null;
  readonly requests: number;
  /** How many answers had which status. */
  readonly statuses: ReadonlyMap<number, number>;
}

/** As far as the first violation. */
export async function fuzzRoute(
  operation: Operation,
  { document, requests, seed }: { readonly document: OpenApiDocument; readonly requests: number; readonly seed: number },
): Promise<RouteResult> {
  const schemas = document.components.schemas as Vocabulary['schemas'];
  const arbitrary = generatedRequest(operation, { words: WORDS, names: NAMES, examples: EXAMPLES, schemas });
  const statuses = new Map<number, number>();
  for (let sent = 0; sent < requests; sent += REQUESTS_OF_TARGET) {
    const target = await aTarget();
    const lot = fc.sample(arbitrary, { numRuns: Math.min(REQUESTS_OF_TARGET, requests - sent), seed: seed + sent });
    for (const [index, request] of lot.entries()) {
      const { status, what } = await outcomeOf(target, request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (what !== null) return { violation: { request, what }, requests: sent + index + 1, statuses };
    }
  }
  return { violation: null, requests, statuses };
}

export function operationsOf({ paths }: OpenApiDocument): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      parameters: parameters as Operation['parameters'],
      body: schemaOf(requestBody as RequestBody | undefined),
    })),
  );
}

// ---------------------------------------------------------------------------------------------------------------------

const WORDS = [
  ...['orders', 'vault', 'rows', 'stopped', 'new', 'gone'],
  ...['memory-append', 'memory-source', 'vault-sink', 'discard-sink', 'http-sink', 'json', 'string', 'filter'],
  ...['InsertField$Value', 'topic-name-matches', 'replace-field-value'],
  ...['connector.class', 'topics', 'address', 'token', 'tasks.max', 'name', 'value.converter', 'errors.tolerance'],
  ...['transforms', 'predicates', 'a', 'a,b', 'transforms.a.type', 'transforms.a.predicate', 'transforms.a.negate'],
  ...['predicates.a.type', 'predicates.a.pattern', 'consumer.override.auto.offset.reset', 'sink.connector.class'],
  ...['kafka_topic', 'kafka_partition', 'kafka_offset', 'start_position', 'shard', 'checkpoint', 'earliest', 'latest'],
  ...['root', 'connector.orders', 'DEBUG', 'RUNNING', 'STOPPED', '0', '1', '-1', 'all', 'true'],
];

const NAMES: Vocabulary['names'] = {
  connector: ['orders', 'vault', 'rows', 'stopped'],
  plugin: ['memory-append', 'vault-sink', 'memory-source', 'filter'],
  topic: ['orders'],
  task: ['0'],
  logger: ['root', 'connector.orders'],
};

const OFFSETS = {
  offsets: [{ partition: { kafka_topic: 'orders', kafka_partition: 0 }, offset: { kafka_offset: 0 } }],
};

const EXAMPLES: Vocabulary['examples'] = {
  NewConfig: [SINK, VAULT, SOURCE, { ...SINK, transforms: 'a', 'transforms.a.type': 'filter' }],
  ConfigPatch: [{ 'tasks.max': 2 }, { token: null }],
  CreateConnectorRequest: [
    { name: 'new', config: SINK },
    { name: 'orders', config: SINK },
    { name: 'new', config: VAULT, initial_state: 'STOPPED' },
  ],
  AlterOffsetsRequest: [OFFSETS, { offsets: [] }],
  SendRequest: [{ key: 'a', value: { b: 1 } }, [{ value: 'a' }, { value: null, headers: { c: 'd' } }]],
  SetLevelRequest: [{ level: 'DEBUG' }],
};

interface RequestBody {
  readonly content: { readonly 'application/json': { readonly schema: JsonSchema } };
}

function schemaOf(body: RequestBody | undefined): JsonSchema | null {
  return body === undefined ? null : body.content['application/json'].schema;
}

interface Outcome {
  readonly status: number;
  /** What is wrong with it. */
  readonly what: string | null;
}

async function outcomeOf(target: Target, request: GeneratedRequest): Promise<Outcome> {
  const before = target.changes();
  const response = await answerTo(target, request);
  if (response === null) return { status: 0, what: `no answer within ${ANSWER_WITHIN_MS} ms` };
  const { status } = response;
  if (response.headers.get('content-type') === 'text/event-stream') {
    await response.body?.cancel();
    return { status, what: null };
  }
  const text = await response.text();
  const what = faultOf(request, { status, text, changes: target.changes() - before });
  return { status, what: what ?? (await faultByDocument(target, request, { status, body: bodyOf(response, text) })) };
}

async function answerTo({ app }: Target, { path, body, ...init }: GeneratedRequest): Promise<Response | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ANSWER_WITHIN_MS);
  });
  // A GET has none, says the platform.
  const sent = init.method === 'GET' || body === null ? init : { ...init, body };
  try {
    return await Promise.race([app.request(path, sent), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Of the library that checks bodies: people are told in the product's own. */
const FOREIGN_WORDS = /Invalid (input|option|string|key)|Too (small|big)|Unrecognized key/;
const STACK = /\n\s+at .+:\d+:\d+/;
const CONFIGURATION = /^\/connectors\/[^/?]+\/config\/?(\?|$)/;

function faultOf(
  { method, path }: GeneratedRequest,
  { status, text, changes }: { readonly status: number; readonly text: string; readonly changes: number },
): string | null {
  if (status >= 500) return `HTTP ${status}: ${text}`;
  if (status >= 400 && changes > 0) return `refused with HTTP ${status}, and changed something all the same`;
  if (method === 'GET' && changes > 0) return 'it only looks, and changed something';
  if (status === 400 && FOREIGN_WORDS.test(text)) return `words of a library: ${text}`;
  if (STACK.test(text)) return `a stack trace: ${text}`;
  if (text.includes(VAULT.token) && !(method === 'GET' && CONFIGURATION.test(path))) return `a secret: ${text}`;
  const added = Object.getOwnPropertyNames(Object.prototype).filter((name) => !OWN_NAMES.has(name));
  return added.length === 0 ? null : `all objects have ${added.join(', ')} now`;
}

const OWN_NAMES = new Set(Object.getOwnPropertyNames(Object.prototype));

async function faultByDocument(
  { app }: Target,
  { method, path }: GeneratedRequest,
  { status, body }: { readonly status: number; readonly body: unknown },
): Promise<string | null> {
  try {
    await demandAnswer(app, { method, path, status, body });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
