/** What our client does with nothing around it: the references. One process, one thread, all queues side by side. */
import { type OutgoingMessage, OutgoingMessages } from '../../clients/rocketmq/outgoing-messages.ts';
import type { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { BATCH_RECORDS } from '../whole/topic.ts';

/** As much at once as the product reads. */
const READ_LIMITS = { messages: BATCH_RECORDS, bytes: 4 * 1_024 * 1_024 };

/** Windowed pulls from the first message to the last; what comes is dropped. */
export async function pullAll(client: RocketmqClient, queues: readonly MessageQueue[]): Promise<void> {
  await Promise.all(
    queues.map(async (queue) => {
      let at = 0n;
      for (let max = 1n; at < max; ) {
        const { last, next } = await client.read(queue, at, READ_LIMITS, () => true);
        at = next;
        max = last.max;
      }
    }),
  );
}

export interface RawBatch {
  readonly messages: readonly OutgoingMessage[];
  readonly bornAtMs: number;
}

/** One batch behind the other in each queue. */
export async function sendAll(
  client: RocketmqClient,
  { queues, batches }: { readonly queues: readonly MessageQueue[]; readonly batches: readonly RawBatch[] },
): Promise<void> {
  const left = batches.values();
  await Promise.all(
    queues.map(async (queue) => {
      for (const { messages, bornAtMs } of left) await client.send(queue, OutgoingMessages.of(messages), bornAtMs);
    }),
  );
}
