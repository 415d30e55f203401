/** Shows records of a queue. */
import type { z } from 'zod';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { advance, maxOffset, type Offset, offset } from '../../../core/offset.ts';
import type { QueueBounds } from '../../../core/ports.ts';
import type { LogRecord } from '../../../core/record/connect-record.ts';
import type { AppDeps } from '../../app-deps.ts';
import { ApiError } from '../api-error.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { RecordPage } from './entities.ts';
import { type IntParameter, queryInt } from './query-int.ts';
import { shown } from './record-content.ts';
import { foundQueues, queuesOf } from './topics.ts';

const LIMIT: IntParameter = {
  name: 'limit',
  description: 'Records at most. There are fewer where they are large.',
  schema: { type: 'integer', minimum: 1, maximum: 500, default: 10 },
};

const QUEUE: IntParameter = {
  name: 'queue',
  description: 'Its number. May be left out of a topic that has one.',
  schema: { type: 'integer', minimum: 0, maximum: 1_000_000, default: 0 },
};

/** Of keys, values and headers: as text an answer is at most six times as long. A larger record is shown without its content. */
const BYTES_MAX = 1_048_576;

const OFFSET_DIGITS = /^\d{1,19}$/;
const OFFSET_MAX = 2n ** 63n - 1n;

export const peekRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/sortie/v1/topics/{topic}/records',
    role: 'operate',
    summary: 'Records of a queue: the last ones, unless told from where',
    query: [
      QUEUE,
      { name: 'broker', description: 'Of the queue, where several brokers have one.', schema: { type: 'string' } },
      { name: 'from', description: 'An offset, earliest, or latest.', schema: { type: 'string', default: 'latest' } },
      LIMIT,
    ],
    answers: { 200: { description: 'Records, and where to read on', body: RecordPage } },
    run: peek,
  }),
];

async function peek(deps: AppDeps, { param, query, signal }: Call<unknown>): Promise<Answer> {
  const { broker } = deps;
  const limit = queryInt(query, LIMIT);
  const queue = oneOf(await foundQueues(deps, param('topic')), {
    queueId: query.has('queue') ? queryInt(query, QUEUE) : undefined,
    brokerName: query.first('broker'),
  });
  const [bounds] = await broker.bounds([queue]);
  if (bounds === null || bounds === undefined) throw new ApiError(404, `Topic ${queue.topic} not found`);
  const from = startOf(query.first('from') ?? 'latest', { bounds, limit });
  const read = await broker.read(queue, from, { records: limit, bytes: BYTES_MAX, waitMs: 0 }, signal);
  const { min, max } = read.bounds;
  const place = { min: String(min), max: String(max), next: String(read.next) };
  return { status: 200, body: { ...queue, ...place, records: read.records.map(shownRecord) } };
}

/** @throws {ApiError} 400 where there is none, or more than one. */
function oneOf(queues: readonly MessageQueue[], wanted: Parameters<typeof queuesOf>[1]): MessageQueue {
  const [queue, ...others] = queuesOf(queues, wanted);
  if (queue !== undefined && others.length === 0) return queue;
  const all = queues.map(({ brokerName, queueId }) => `${queueId} on ${brokerName}`).join(', ');
  throw new ApiError(400, `queue: must name one of the queues of topic ${queues[0]?.topic}: ${all}`);
}

/** Where something is: what retention removed is passed over. */
function startOf(text: string, { bounds, limit }: { readonly bounds: QueueBounds; readonly limit: number }): Offset {
  const { min, max } = bounds;
  if (text === 'earliest') return min;
  if (text === 'latest') return max - min <= limit ? min : advance(max, -limit);
  if (OFFSET_DIGITS.test(text) && BigInt(text) <= OFFSET_MAX) return maxOffset(offset(BigInt(text)), min);
  throw new ApiError(400, 'from: must be an offset, earliest or latest');
}

function shownRecord({ offset: at, key, value, tag, headers, bornAtMs, storedAtMs }: LogRecord): Shown {
  const bytes = (key?.length ?? 0) + (value?.length ?? 0);
  const content = bytes > BYTES_MAX ? {} : { ...shown('key', key), ...shown('value', value) };
  return {
    offset: String(at),
    ...content,
    tag,
    headers: headers.map(([name, text]) => [name, text]),
    bytes,
    bornAtMs,
    storedAtMs,
  };
}

type Shown = z.output<typeof RecordPage>['records'][number];
