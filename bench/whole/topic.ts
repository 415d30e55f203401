/** A topic, filled and read without any product around it. */
import type { MessageQueue } from '../../core/message-queue.ts';
import { offset } from '../../core/offset.ts';
import type { LogBroker, OutgoingRecord } from '../../core/ports.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';

/** As many as the product reads and puts at once: the default of `consumer.override.max.poll.records`. */
export const BATCH_RECORDS = 500;

const READ_LIMITS = { records: BATCH_RECORDS, bytes: 4 * 1_024 * 1_024, waitMs: 0 };

/** One sender for each queue. */
export async function fillTopic(
  log: LogBroker,
  topic: string,
  {
    queues: count,
    recordsPerQueue,
    value,
  }: { readonly queues: number; readonly recordsPerQueue: number; readonly value: Uint8Array },
): Promise<readonly MessageQueue[]> {
  const record: OutgoingRecord = { key: null, value, tag: null, headers: [], bornAtMs: 1 };
  const batch = new Array<OutgoingRecord>(BATCH_RECORDS).fill(record);
  await log.ensureTopic(topic, { queues: count });
  const queues = await log.queues(topic);
  await Promise.all(
    queues.map(async (queue) => {
      for (let sent = 0; sent < recordsPerQueue; sent += BATCH_RECORDS) {
        await log.send(queue, batch.slice(0, Math.min(BATCH_RECORDS, recordsPerQueue - sent)));
      }
    }),
  );
  return queues;
}

/** From the first record to the last, queue after queue. */
export async function readTopic(
  log: LogBroker,
  queues: readonly MessageQueue[],
  taken: (records: readonly LogRecord[]) => void,
): Promise<void> {
  for (const queue of queues) {
    let at = offset(0);
    let end = at;
    do {
      const { records, next, bounds } = await log.read(queue, at, READ_LIMITS);
      taken(records);
      at = next;
      end = bounds.max;
    } while (at < end);
  }
}
