/** Kafka Connect's routes for connectors. Bodies, status codes and texts are those of Kafka Connect 4.1. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { parseConnectorConfig } from '../../core/config/connector-config.ts';
import { connectorKey } from '../../core/connector.ts';
import { ConfigError } from '../../core/errors.ts';
import { configureConnector } from '../../plugins/configure.ts';
import type { AppDeps } from '../app-deps.ts';
import { changeConfig, createConnector, deleteConnector } from '../connector-actions.ts';
import { infoOf, viewConnector } from '../connector-view.ts';
import { ApiError } from './api-error.ts';

const Scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Config = z.record(z.string(), Scalar);
const NewConnector = z.strictObject({ name: z.string().trim().min(1), config: Config });

/** Of one page of names. */
const PAGE_DOCUMENTS = 1_000;

export function connectorRoutes(deps: AppDeps): Hono {
  return new Hono()
    .get('/', async (context) => context.json(await names(deps)))
    .post('/', (context) => create(deps, context))
    .get('/:name', async (context) => context.json(infoOf(await found(deps, context))))
    .put('/:name/config', (context) => configure(deps, context))
    .get('/:name/status', (context) => status(deps, context))
    .delete('/:name', (context) => remove(deps, context));
}

async function names({ store }: AppDeps): Promise<readonly string[]> {
  const all: string[] = [];
  let after: string | undefined;
  do {
    const page = await store.list(connectorKey('').partition, {
      limit: PAGE_DOCUMENTS,
      ...(after === undefined ? {} : { after }),
    });
    all.push(...page.documents.map(({ key }) => key.sort));
    after = page.next;
  } while (after !== undefined);
  return all;
}

async function create(deps: AppDeps, context: Context): Promise<Response> {
  const { name, config } = await body(context, NewConnector);
  await demandValid(deps, name, config);
  await createConnector(deps, { name, config });
  deps.scheduler.connectorChanged(name);
  return created(deps, context, name);
}

async function configure(deps: AppDeps, context: Context): Promise<Response> {
  const name = nameOf(context);
  const config = await body(context, Config);
  await demandValid(deps, name, config);
  const isNew = (await deps.store.get(connectorKey(name))) === null;
  if (isNew) await createConnector(deps, { name, config });
  else await changeConfig(deps, name, config);
  deps.scheduler.connectorChanged(name);
  return isNew ? created(deps, context, name) : context.json(infoOf(await foundByName(deps, name)));
}

async function status(deps: AppDeps, context: Context): Promise<Response> {
  const name = nameOf(context);
  const view = await viewConnector(deps, name);
  if (view === null) throw new ApiError(404, `No status found for connector ${name}`);
  return context.json(view.status);
}

async function remove(deps: AppDeps, context: Context): Promise<Response> {
  const name = nameOf(context);
  await deleteConnector(deps, name);
  deps.scheduler.connectorChanged(name);
  return context.body(null, 204);
}

// ---------------------------------------------------------------------------------------------------------------------

async function created(deps: AppDeps, context: Context, name: string): Promise<Response> {
  context.header('Location', `/connectors/${encodeURIComponent(name)}`);
  return context.json(infoOf(await foundByName(deps, name)), 201);
}

function found(deps: AppDeps, context: Context): ReturnType<typeof foundByName> {
  return foundByName(deps, nameOf(context));
}

async function foundByName(deps: AppDeps, name: string) {
  const view = await viewConnector(deps, name);
  if (view === null) throw notFound(name);
  if (!('connector' in view)) throw new ApiError(500, view.status.connector.trace ?? '');
  return view;
}

function nameOf(context: Context): string {
  return context.req.param('name') ?? '';
}

function notFound(name: string): ApiError {
  return new ApiError(404, `Connector ${name} not found`);
}

/** @throws {ConfigError} with everything that is wrong with it. */
async function demandValid({ registry }: AppDeps, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  const named = config['name'];
  if (named !== undefined && named !== name) {
    throw new ApiError(400, `Connector name configuration (${named}) doesn't match connector name in the URL (${name})`);
  }
  try {
    await configureConnector(registry, parseConnectorConfig(config));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const list = error.issues.map(({ path, message }) => `${path}: ${message}`).join('\n');
    const text = `Connector configuration is invalid and contains the following ${error.issues.length} error(s):\n${list}`;
    throw new ApiError(400, text);
  }
}

async function body<Schema extends z.ZodType>(context: Context, schema: Schema): Promise<z.output<Schema>> {
  let json: unknown;
  try {
    json = await context.req.json();
  } catch {
    throw new ApiError(400, 'The body is not JSON');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ApiError(400, parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('\n'));
}
