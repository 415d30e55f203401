/** The topics of the log. */
import { backlogFrom } from '../../../core/backlog.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import type { AppDeps } from '../../app-deps.ts';
import { ApiError } from '../api-error.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { TopicNames, TopicQueues } from './entities.ts';

export const topicRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/sortie/v1/topics',
    role: 'read',
    summary: 'The topics that there are',
    answers: { 200: { description: 'Their names, ascending', body: TopicNames } },
    run: async ({ broker }) => ({ status: 200, body: await broker.topics() }),
  }),
  defineRoute({
    method: 'GET',
    path: '/sortie/v1/topics/{topic}',
    role: 'read',
    summary: 'The queues of a topic, which offsets they hold, and how far consumer groups have come',
    answers: {
      200: { description: 'From min on, up to max; of a group, the first offset that it has not finished', body: TopicQueues },
    },
    run: show,
  }),
];

async function show({ broker }: AppDeps, { param }: Call<unknown>): Promise<Answer> {
  const topic = param('topic');
  const queues = await foundQueues({ broker }, topic);
  const bounds = await broker.bounds(queues);
  const held = queues.flatMap(({ brokerName, queueId }, index) => {
    const { min, max } = bounds[index] ?? {};
    return min === undefined ? [] : [{ brokerName, queueId, min: String(min), max: String(max) }];
  });
  const boundsOf = new Map(queues.map((queue, index) => [queueKey(queue), bounds[index]]));
  const groups = [...(await broker.groups(topic))].flatMap(([group, offsets]) =>
    offsets.map(({ queue, offset }) => {
      const { brokerName, queueId } = queue;
      const backlogRecords = backlogFrom(offset, boundsOf.get(queueKey(queue)) ?? null);
      return { group, brokerName, queueId, offset: String(offset), backlogRecords };
    }),
  );
  return { status: 200, body: { topic, queues: held, groups } };
}

/** @throws {ApiError} 404 */
export async function foundQueues({ broker }: Pick<AppDeps, 'broker'>, topic: string): Promise<readonly MessageQueue[]> {
  const queues = await broker.queues(topic);
  if (queues.length === 0) throw new ApiError(404, `Topic ${topic} not found`);
  return queues;
}

/** Of each broker that has one of that number. */
export function queuesOf(
  queues: readonly MessageQueue[],
  { queueId, brokerName }: { readonly queueId: number | undefined; readonly brokerName: string | undefined },
): readonly MessageQueue[] {
  return queues.filter(
    (queue) => (queueId ?? queue.queueId) === queue.queueId && (brokerName ?? queue.brokerName) === queue.brokerName,
  );
}
