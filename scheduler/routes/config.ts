/** A connector's configuration: as it was sent, and changed as a whole or by key. */
import type { z } from 'zod';
import { type Connector, readConnector } from '../../core/connector.ts';
import { ConfigError } from '../../core/errors.ts';
import type { AppDeps } from '../app-deps.ts';
import type { SentConfig } from '../config-check.ts';
import { changeConfig, createConnector } from '../connector-actions.ts';
import { infoOf } from '../connector-view.ts';
import { withHidden, withKept } from '../hidden-values.ts';
import { configOf } from '../known-connector.ts';
import { ApiError, STALE } from './api-error.ts';
import { created } from './connectors.ts';
import { demandConfig } from './demand-config.ts';
import { demandName } from './demand-name.ts';
import { ConfigPatch, ConnectorConfig, ConnectorInfo, NewConfig } from './entities.ts';
import { connectorNotFound, foundConnector, foundView, unlessMissing } from './found-connector.ts';
import { type Answer, type Call, defineRoute, type Route } from './route.ts';

/** Others who change it at the same time: each attempt sees what they made of it. */
const ATTEMPTS_MAX = 16;

export const configRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/connectors/{connector}/config',
    role: 'read',
    summary: 'The configuration, as it was sent; what is secret, to whoever may set it',
    answers: { 200: { description: 'The configuration', body: ConnectorConfig } },
    run: show,
  }),
  defineRoute({
    method: 'PUT',
    path: '/connectors/{connector}/config',
    role: 'configure',
    summary: 'Replaces the configuration; creates the connector where there is none. A secret that is sent as [hidden] stays',
    body: { schema: NewConfig, numbers: 'text' },
    answers: {
      200: { description: 'The connector as it is now', body: ConnectorInfo },
      201: { description: 'The new connector', body: ConnectorInfo },
    },
    run: replace,
  }),
  defineRoute({
    method: 'PATCH',
    path: '/connectors/{connector}/config',
    role: 'configure',
    summary: 'Sets the keys that are given, and removes those that are null. A secret that is sent as [hidden] stays',
    body: { schema: ConfigPatch, numbers: 'text' },
    answers: { 200: { description: 'The connector as it is now', body: ConnectorInfo } },
    run: patch,
  }),
];

async function show(deps: AppDeps, { param, role }: Call<unknown>): Promise<Answer> {
  const config = configOf(await foundConnector(deps, param('connector')));
  return { status: 200, body: role === 'configure' ? config : await withHidden(deps.registry, config) };
}

async function replace(deps: AppDeps, { param, body }: Call<z.output<typeof NewConfig>>): Promise<Answer> {
  const name = param('connector');
  demandName(name);
  for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts += 1) {
    const stored = await readConnector(deps, name);
    if (!(await unlessOvertaken(() => replaceWith(deps, { name, body, stored })))) continue;
    deps.scheduler.connectorChanged(name);
    return stored === null ? created(deps, name) : { status: 200, body: infoOf(await foundView(deps, name)) };
  }
  throw new ApiError(409, STALE);
}

/** `null` where what it was to keep is another value by now. */
async function replaceWith(
  deps: AppDeps,
  { name, body, stored }: { readonly name: string; readonly body: SentConfig; readonly stored: Connector | null },
): Promise<Connector | null> {
  const { config: sent, isKept } = await withKept(deps.registry, body, stored?.config ?? {});
  const config = await demandConfig(deps, name, sent);
  if (stored === null) return createConnector(deps, { name, config });
  return isKept ? changeConfig(deps, name, config, { ifStill: stored }) : changeConfig(deps, name, config);
}

/** Whether it was done: somebody else may have created, changed or deleted the connector since it was looked for. */
async function unlessOvertaken(act: () => Promise<Connector | null>): Promise<boolean> {
  try {
    return (await act()) !== null;
  } catch (error) {
    if (error instanceof ConfigError && (error.code === 'connector.exists' || error.code === 'connector.not_found')) return false;
    throw error;
  }
}

/** What others change meanwhile is kept: the keys are set in what they made of it, and all of that is checked. */
async function patch(deps: AppDeps, { param, body }: Call<z.output<typeof ConfigPatch>>): Promise<Answer> {
  const name = param('connector');
  for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts += 1) {
    const connector = await foundConnector(deps, name);
    const merged = Object.entries({ ...connector.config, ...body }).filter(([, value]) => value !== null);
    const { config: sent } = await withKept(deps.registry, Object.fromEntries(merged), connector.config);
    const config = await demandConfig(deps, name, sent);
    const changed = await unlessMissing(name, connectorNotFound, () => changeConfig(deps, name, config, { ifStill: connector }));
    if (changed === null) continue;
    deps.scheduler.connectorChanged(name);
    return { status: 200, body: infoOf(await foundView(deps, name)) };
  }
  throw new ApiError(409, STALE);
}
