/** What there is to copy at present. */
import type { RocketmqClient } from '../../../clients/rocketmq/rocketmq-client.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { sideBySide } from '../../../core/side-by-side.ts';
import type { SourceSettings } from './source-config.ts';

/** Each is a question to a name server, which answers from memory. */
const ASKED_AT_ONCE = 16;

/** Ascending. */
export async function topicsToCopy(client: RocketmqClient, config: SourceSettings): Promise<readonly string[]> {
  const pattern = config['source.topics.regex'];
  const matching = pattern === undefined ? [] : (await client.topics.list()).filter((topic) => pattern.matches(topic));
  return [...new Set([...config['source.topics'], ...matching])].sort();
}

/** Of each topic its queues; none of one that does not exist. */
export async function queuesOf(
  client: RocketmqClient,
  topics: readonly string[],
): Promise<ReadonlyMap<string, readonly MessageQueue[]>> {
  const queues = new Map<string, readonly MessageQueue[]>(topics.map((topic) => [topic, []]));
  await sideBySide(topics, ASKED_AT_ONCE, async (topic) => {
    queues.set(topic, await client.queues(topic));
  });
  return queues;
}
