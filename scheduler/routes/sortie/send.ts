/** Appends records to a topic. */
import type { z } from 'zod';
import { messageOf } from '../../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import type { OutgoingRecord } from '../../../core/ports.ts';
import { murmur2 } from '../../../core/record/murmur2.ts';
import { ShapeError } from '../../../core/record/shape-error.ts';
import { sideBySide } from '../../../core/side-by-side.ts';
import type { AppDeps } from '../../app-deps.ts';
import { ApiError } from '../api-error.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { SendRequest, SendResult } from './entities.ts';
import { bytesOf, demandUtf8 } from './record-content.ts';
import { foundQueues, queuesOf } from './topics.ts';

/** As many as `topic.creation.default.partitions` gives a topic that a source creates. */
const CREATED_QUEUES = 8;
/** Kafka's rule for names of topics, which RocketMQ's come near: what any log can hold, and any configuration name. */
const CREATABLE = /^(?!\.{1,2}$)[\w.-]{1,127}$/;

const SENDS_AT_ONCE = 8;

export const sendRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/sortie/v1/topics/{topic}/records',
    role: 'configure',
    summary: 'Appends records to a topic',
    query: [
      {
        name: 'create',
        description: `true: the topic is created, with ${CREATED_QUEUES} queues, where there is none.`,
        schema: { type: 'string', examples: ['true'] },
      },
    ],
    body: { schema: SendRequest, numbers: 'written' },
    answers: { 202: { description: 'They are durable, but for those that are refused', body: SendResult } },
    run: send,
  }),
];

type SentRecord = Exclude<z.output<typeof SendRequest>, readonly unknown[]>;

/** Records for one queue, with their places in the request. */
interface Lot {
  readonly queue: MessageQueue;
  readonly records: OutgoingRecord[];
  readonly indexes: number[];
}

async function send(deps: AppDeps, { param, query, body }: Call<z.output<typeof SendRequest>>): Promise<Answer> {
  const topic = param('topic');
  const sent = Array.isArray(body) ? body : [body];
  if (query.flag('create') && (await deps.broker.queues(topic)).length === 0) await create(deps, topic, sent);
  await foundQueues(deps, topic);
  const lots = lotsOf(sent, { topic, queues: await deps.broker.queues(topic, 'writing'), ...deps });
  const refused: z.output<typeof SendResult>['refused'] = [];
  const queues: z.output<typeof SendResult>['queues'] = [];
  await sideBySide(lots, SENDS_AT_ONCE, async ({ queue, records, indexes }) => {
    const result = await deps.broker.send(queue, records);
    const { brokerName, queueId } = queue;
    queues.push({ brokerName, queueId, endOffset: String(result.endOffset) });
    for (const { index, error } of result.refused)
      refused.push({ index: indexes[index] ?? 0, code: error.code, message: error.message });
  });
  const accepted = sent.length - refused.length;
  if (accepted === 0) throw new ApiError(413, refused.map(({ index, message }) => `${index}: ${message}`).join('\n'));
  refused.sort((a, b) => a.index - b.index);
  return { status: 202, body: { accepted, refused, queues } };
}

async function create(deps: AppDeps, topic: string, sent: readonly SentRecord[]): Promise<void> {
  if (!CREATABLE.test(topic))
    throw new ApiError(400, `A new topic has a name of letters, digits, _, . and -, at most 127 of them, not ${topic}`);
  // Nothing is created for what could not be sent to it. Its broker has no name yet that anybody could choose it by.
  const queues = Array.from({ length: CREATED_QUEUES }, (_, queueId) => ({ topic, brokerName: '', queueId }));
  lotsOf(sent, { topic, queues, ...deps });
  await deps.broker.ensureTopic(topic, { queues: CREATED_QUEUES });
}

// ---------------------------------------------------------------------------------------------------------------------

interface Sending extends Pick<AppDeps, 'clock' | 'random'> {
  readonly topic: string;
  readonly queues: readonly MessageQueue[];
}

/** Nothing is sent where anything is wrong with any of them. @throws {ApiError} 400, that says all that is. */
function lotsOf(sent: readonly SentRecord[], { topic, queues, clock, random }: Sending): readonly Lot[] {
  const lots = new Map<string, Lot>();
  const problems: string[] = [];
  // Those without a key stay together, as a source's do.
  const turn = Math.floor(random.next() * queues.length);
  const bornAtMs = clock.nowMs();
  for (const [index, record] of sent.entries()) {
    try {
      const outgoing = outgoingOf(record, bornAtMs);
      const queue = chosenQueue(record, { key: outgoing.key, queues, turn });
      if (queue === undefined) throw new ShapeError(`topic ${topic} has no such queue, or several brokers have one`);
      const lot = lots.get(queueKey(queue)) ?? { queue, records: [], indexes: [] };
      lots.set(queueKey(queue), lot);
      lot.records.push(outgoing);
      lot.indexes.push(index);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      problems.push(`${index}: ${messageOf(error)}`);
    }
  }
  if (problems.length > 0) throw new ApiError(400, problems.join('\n'));
  return [...lots.values()];
}

function outgoingOf({ key, value, keyBase64, valueBase64, tag, headers = {} }: SentRecord, bornAtMs: number): OutgoingRecord {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  for (const text of [tag ?? '', ...pairs.flat()]) demandUtf8(text);
  return {
    key: bytesOf(key, keyBase64),
    value: bytesOf(value, valueBase64),
    tag: tag ?? null,
    headers: pairs,
    bornAtMs,
  };
}

/** The same key always goes to the same queue, as the records of a source do. */
function chosenQueue(
  { queueId, brokerName }: SentRecord,
  { key, queues, turn }: { readonly key: Uint8Array | null; readonly queues: readonly MessageQueue[]; readonly turn: number },
): MessageQueue | undefined {
  const among = queuesOf(queues, { queueId, brokerName });
  if (queueId !== undefined) return among.length === 1 ? among[0] : undefined;
  return among[(key === null ? turn : murmur2(key)) % among.length];
}
