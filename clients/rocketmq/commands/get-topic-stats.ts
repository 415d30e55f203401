import { z } from 'zod';
import { RequestCode } from '../codes.ts';
import { type Command, successful } from '../command.ts';
import { parseLenientJson } from '../lenient-json.ts';

export interface QueueSpan {
  readonly min: bigint;
  readonly max: bigint;
}

const topicStats = z.object({
  offsetTable: z.union([
    z.array(z.tuple([z.object({ queueId: z.bigint() }), z.object({ minOffset: z.bigint(), maxOffset: z.bigint() })])),
    // Without a queue it is an empty object.
    z.record(z.string(), z.never()),
  ]),
});

/** Asked of a broker: what each of its queues of the topic holds, by their numbers. Proxies do not know it. */
export function getTopicStats(topic: string): Command<ReadonlyMap<number, QueueSpan>> {
  return {
    what: `tell what topic ${topic} holds`,
    code: RequestCode.GET_TOPIC_STATS,
    fields: { topic },
    isRepeatable: true,
    answer: (response) => parseStats(successful(response).body),
  };
}

function parseStats(body: Buffer): ReadonlyMap<number, QueueSpan> {
  const { offsetTable } = topicStats.parse(parseLenientJson(body.toString()));
  if (!Array.isArray(offsetTable)) return new Map();
  return new Map(
    offsetTable.map(([{ queueId }, { minOffset, maxOffset }]) => [Number(queueId), { min: minOffset, max: maxOffset }]),
  );
}
