/** Connectors as a whole: which there are, what they are; making and removing them. */
import type { z } from 'zod';
import type { TargetState } from '../../core/connector.ts';
import type { AppDeps } from '../app-deps.ts';
import { createConnector, deleteConnector } from '../connector-actions.ts';
import { connectorNames, infoOf, viewConnectors } from '../connector-view.ts';
import { demandConfig } from './demand-config.ts';
import { demandName } from './demand-name.ts';
import { ConnectorInfo, ConnectorList, CreateConnectorRequest } from './entities.ts';
import { connectorNotFound, foundView, unlessMissing } from './found-connector.ts';
import { type Answer, type Call, defineRoute, type Route } from './route.ts';

const TARGET_STATES = { RUNNING: 'running', PAUSED: 'paused', STOPPED: 'stopped' } as const satisfies Record<string, TargetState>;

export const connectorRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/connectors',
    role: 'read',
    summary: 'Names of all connectors, or what there is to know of each',
    query: [
      {
        name: 'expand',
        description: 'Given at all, the answer is a map by name, of what is named.',
        schema: { type: 'string', examples: ['info', 'status'] },
        isRepeated: true,
      },
    ],
    answers: { 200: { description: 'Names, or a map by name', body: ConnectorList } },
    run: list,
  }),
  defineRoute({
    method: 'POST',
    path: '/connectors',
    role: 'configure',
    summary: 'Creates a connector',
    body: { schema: CreateConnectorRequest, numbers: 'text' },
    answers: { 201: { description: 'The new connector', body: ConnectorInfo } },
    run: create,
  }),
  defineRoute({
    method: 'GET',
    path: '/connectors/{connector}',
    role: 'read',
    summary: 'A connector: its configuration and tasks',
    answers: { 200: { description: 'The connector', body: ConnectorInfo } },
    run: async (deps, { param }) => ({ status: 200, body: infoOf(await foundView(deps, param('connector'))) }),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/connectors/{connector}',
    role: 'configure',
    summary: 'Deletes a connector with all its positions',
    answers: { 204: { description: 'It is gone' } },
    run: remove,
  }),
];

async function list(deps: AppDeps, { query }: Call<unknown>): Promise<Answer> {
  if (!query.has('expand')) return { status: 200, body: await connectorNames(deps) };
  const wanted = new Set(query.all('expand'));
  const entries = (await viewConnectors(deps)).map(({ name, view }) => [
    name,
    {
      ...(wanted.has('info') && 'connector' in view ? { info: infoOf(view) } : {}),
      ...(wanted.has('status') ? { status: view.status } : {}),
    },
  ]);
  return { status: 200, body: Object.fromEntries(entries) };
}

async function create(deps: AppDeps, { body }: Call<z.output<typeof CreateConnectorRequest>>): Promise<Answer> {
  const { name, initial_state: state } = body;
  demandName(name);
  const config = await demandConfig(deps, name, body.config);
  await createConnector(deps, { name, config, targetState: TARGET_STATES[state ?? 'RUNNING'] });
  deps.scheduler.connectorChanged(name);
  return created(deps, name);
}

export async function created(deps: AppDeps, name: string): Promise<Answer> {
  const headers = { location: `/connectors/${encodeURIComponent(name)}` };
  return { status: 201, headers, body: infoOf(await foundView(deps, name)) };
}

async function remove(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const name = param('connector');
  await unlessMissing(name, connectorNotFound, () => deleteConnector(deps, name));
  deps.scheduler.connectorChanged(name);
  return { status: 204 };
}
