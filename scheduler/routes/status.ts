/** The status of a connector and of its tasks. */
import type { AppDeps } from '../app-deps.ts';
import { viewConnector } from '../connector-view.ts';
import { ApiError } from './api-error.ts';
import { ConnectorStateInfo, TaskInfos, TaskState } from './entities.ts';
import { foundView } from './found-connector.ts';
import { type Answer, type Call, defineRoute, type Route } from './route.ts';

export const statusRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/connectors/{connector}/status',
    role: 'read',
    summary: 'The status of a connector and of its tasks',
    answers: { 200: { description: 'The status', body: ConnectorStateInfo } },
    run: status,
  }),
  defineRoute({
    method: 'GET',
    path: '/connectors/{connector}/tasks',
    role: 'read',
    summary: 'The tasks of a connector with their configuration',
    answers: { 200: { description: 'The tasks', body: TaskInfos } },
    run: tasks,
  }),
  defineRoute({
    method: 'GET',
    path: '/connectors/{connector}/tasks/{task}/status',
    role: 'read',
    summary: 'The status of a task',
    answers: { 200: { description: 'The status', body: TaskState } },
    run: taskStatus,
  }),
];

async function status(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const name = param('connector');
  const view = await viewConnector(deps, name);
  if (view === null) throw new ApiError(404, `No status found for connector ${name}`);
  return { status: 200, body: view.status };
}

/** A task has no configuration of its own: shards are dealt to it, and nothing else depends on it. */
async function tasks(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const name = param('connector');
  const { status: shown, shown: config } = await foundView(deps, name);
  return { status: 200, body: shown.tasks.map(({ id }) => ({ id: { connector: name, task: id }, config })) };
}

async function taskStatus(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const name = param('connector');
  const view = await viewConnector(deps, name);
  const found = view?.status.tasks.find(({ id }) => String(id) === param('task'));
  if (found === undefined) throw new ApiError(404, `No status found for task ${name}-${param('task')}`);
  return { status: 200, body: found };
}
