/** What a connector is to do: pause, go on, stop; and restarts of what has failed. */
import type { TargetState } from '../../core/connector.ts';
import { isDiscoveryShard, type ShardId } from '../../core/shard-id.ts';
import type { AppDeps } from '../app-deps.ts';
import { restartShards, setTargetState } from '../connector-actions.ts';
import type { ConnectorView } from '../connector-view.ts';
import { ApiError } from './api-error.ts';
import { ConnectorStateInfo } from './entities.ts';
import { foundView, type Missing, unlessMissing } from './found-connector.ts';
import { type Answer, type Call, defineRoute, type QueryParameter, type Route } from './route.ts';

const unknownConnector: Missing = (name) => `Unknown connector ${name}`;
const unknownToRestart: Missing = (name) => `Unknown connector: ${name}`;

const ACCEPTED = { 202: { description: 'It is on its way; the status says when it has come about' } };

export const stateRoutes: readonly Route[] = [
  stateRoute('pause', { state: 'paused', summary: 'Nothing new starts until it is resumed', status: 202 }),
  stateRoute('resume', { state: 'running', summary: 'Goes on after a pause or stop', status: 202 }),
  stateRoute('stop', { state: 'stopped', summary: 'As a pause; and only now offsets may be changed', status: 204 }),
  defineRoute({
    method: 'POST',
    path: '/connectors/{connector}/restart',
    role: 'operate',
    summary: 'Restarts what has failed: the connector, and with includeTasks its tasks',
    query: [flag('includeTasks', 'Its tasks, too.'), flag('onlyFailed', 'Nothing that has not failed.')],
    answers: {
      202: { description: 'With a flag: the status, with what is restarted', body: ConnectorStateInfo },
      204: { description: 'Without flags: the connector is restarted, and none of its tasks' },
    },
    run: restart,
  }),
  defineRoute({
    method: 'POST',
    path: '/connectors/{connector}/tasks/{task}/restart',
    role: 'operate',
    summary: 'Restarts a task',
    answers: { 204: { description: 'It is restarted' } },
    run: restartTask,
  }),
];

function flag(name: string, description: string): QueryParameter {
  return { name, description, schema: { type: 'string', examples: ['true', 'false'] } };
}

function stateRoute(
  verb: 'pause' | 'resume' | 'stop',
  {
    state,
    summary,
    status,
  }: { readonly state: Exclude<TargetState, 'deleted'>; readonly summary: string; readonly status: 202 | 204 },
): Route {
  return defineRoute({
    method: 'PUT',
    path: `/connectors/{connector}/${verb}`,
    role: 'operate',
    summary,
    answers: status === 202 ? ACCEPTED : { 204: { description: 'It is stopped once the status says so' } },
    run: async (deps, { param }) => {
      const name = param('connector');
      await unlessMissing(name, unknownConnector, () => setTargetState(deps, name, state));
      deps.scheduler.connectorChanged(name);
      return { status };
    },
  });
}

interface Chosen {
  readonly connector: boolean;
  readonly tasks: ReadonlySet<number>;
}

async function restart(deps: AppDeps, { param, query }: Call<unknown>): Promise<Answer> {
  const view = await foundView(deps, param('connector'), unknownToRestart);
  const includeTasks = query.flag('includeTasks');
  const onlyFailed = query.flag('onlyFailed');
  const isChosen = ({ state }: { readonly state: string }) => !onlyFailed || state === 'FAILED';
  const tasks = includeTasks ? view.status.tasks.filter(isChosen).map(({ id }) => id) : [];
  const chosen = { connector: isChosen(view.status.connector), tasks: new Set(tasks) };
  await restartChosen(deps, view, chosen);
  return includeTasks || onlyFailed ? { status: 202, body: restarting(view, chosen) } : { status: 204 };
}

async function restartTask(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const name = param('connector');
  const view = await foundView(deps, name, unknownToRestart);
  const task = view.status.tasks.find(({ id }) => String(id) === param('task'));
  if (task === undefined) throw new ApiError(404, `Unknown task: ${name}-${param('task')}`);
  await restartChosen(deps, view, { connector: false, tasks: new Set([task.id]) });
  return { status: 204 };
}

/** The connector itself is where its shards are found: a source's discovery. */
async function restartChosen(deps: AppDeps, { connector, dealt }: ConnectorView, chosen: Chosen): Promise<void> {
  const shards = new Set<ShardId>(dealt.flatMap((own, id) => (chosen.tasks.has(id) ? own.map(({ shard }) => shard) : [])));
  await restartShards(deps, connector, (shard) => (isDiscoveryShard(shard) ? chosen.connector : shards.has(shard)));
  deps.scheduler.connectorChanged(connector.name);
}

function restarting({ status }: ConnectorView, chosen: Chosen): unknown {
  return {
    ...status,
    connector: chosen.connector ? asRestarting(status.connector) : status.connector,
    tasks: status.tasks.map((task) => (chosen.tasks.has(task.id) ? asRestarting(task) : task)),
  };
}

/** What was wrong with it is over, as far as anybody knows. */
function asRestarting<Instance extends { readonly trace?: string }>({ trace: _, ...instance }: Instance): object {
  return { ...instance, state: 'RESTARTING' };
}
