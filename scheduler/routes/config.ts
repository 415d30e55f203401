/** A connector's configuration: as it was sent, and changed as a whole or by key. */
import type { z } from 'zod';
import { readConnector } from '../../core/connector.ts';
import { ConfigError } from '../../core/errors.ts';
import type { AppDeps } from '../app-deps.ts';
import { changeConfig, createConnector } from '../connector-actions.ts';
import { configOf, infoOf } from '../connector-view.ts';
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
    summary: 'The configuration, as it was sent',
    answers: { 200: { description: 'The configuration', body: ConnectorConfig } },
    run: async (deps, { param }) => ({ status: 200, body: configOf(await foundConnector(deps, param('connector'))) }),
  }),
  defineRoute({
    method: 'PUT',
    path: '/connectors/{connector}/config',
    summary: 'Replaces the configuration; creates the connector where there is none',
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
    summary: 'Sets the keys that are given, and removes those that are null',
    body: { schema: ConfigPatch, numbers: 'text' },
    answers: { 200: { description: 'The connector as it is now', body: ConnectorInfo } },
    run: patch,
  }),
];

async function replace(deps: AppDeps, { param, body }: Call<z.output<typeof NewConfig>>): Promise<Answer> {
  const name = param('connector');
  demandName(name);
  const config = await demandConfig(deps, name, body);
  for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts += 1) {
    const isNew = (await readConnector(deps, name)) === null;
    if (!(await unlessOvertaken(() => (isNew ? createConnector(deps, { name, config }) : changeConfig(deps, name, config)))))
      continue;
    deps.scheduler.connectorChanged(name);
    return isNew ? created(deps, name) : { status: 200, body: infoOf(await foundView(deps, name)) };
  }
  throw new ApiError(409, STALE);
}

/** Whether it was done: somebody else may have created or deleted the connector since it was looked for. */
async function unlessOvertaken(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
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
    const config = await demandConfig(deps, name, Object.fromEntries(merged));
    const changed = await unlessMissing(name, connectorNotFound, () => changeConfig(deps, name, config, { ifStill: connector }));
    if (changed === null) continue;
    deps.scheduler.connectorChanged(name);
    return { status: 200, body: infoOf(await foundView(deps, name)) };
  }
  throw new ApiError(409, STALE);
}
