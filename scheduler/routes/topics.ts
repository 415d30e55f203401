/** Which topics a connector has moved records from or to. */
import type { AppDeps } from '../app-deps.ts';
import { resetTopics } from '../topic-notes.ts';
import { ActiveTopics } from './entities.ts';
import { connectorNotFound, foundConnector, unlessMissing } from './found-connector.ts';
import { type Answer, type Call, defineRoute, type Route } from './route.ts';

export const topicRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/connectors/{connector}/topics',
    role: 'read',
    summary: 'The topics whose records it moved, since it was created or they were reset',
    answers: { 200: { description: 'Names of topics, below the name of the connector', body: ActiveTopics } },
    run: list,
  }),
  defineRoute({
    method: 'PUT',
    path: '/connectors/{connector}/topics/reset',
    role: 'operate',
    summary: 'Forgets them, until records are moved again',
    answers: { 202: { description: 'They are forgotten' } },
    run: reset,
  }),
];

async function list(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const { name, activeTopics: topics = [] } = await foundConnector(deps, param('connector'));
  return { status: 200, body: { [name]: { topics } } };
}

async function reset(deps: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const name = param('connector');
  await unlessMissing(name, connectorNotFound, () => resetTopics(deps, name));
  deps.scheduler.connectorChanged(name);
  return { status: 202 };
}
