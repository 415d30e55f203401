/** What of a put goes to which queue. */
import { RecordError } from '../core/errors.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { OutgoingRecord, Random } from '../core/ports.ts';
import type { ConnectRecord } from '../core/record/connect-record.ts';
import { chooseQueue } from '../core/record/queue-choice.ts';

/**
 * So many records without a key go to one queue before the next one has its turn. They are one send, and of such a broker takes half
 * as many records again as of sends of 64.
 */
const TURN_RECORDS = 500;

/** More than a topic has. */
const QUEUES_MAX = 2 ** 16;

/** The part of a batch that goes to one queue. */
export interface QueueBatch {
  readonly queue: MessageQueue;
  readonly records: OutgoingRecord[];
  /** For each record, its index in the batch that was put. */
  readonly indexes: number[];
}

/** Of one topic, by index into its queues; absent where nothing is for the queue. */
interface TopicBatches {
  readonly queues: readonly MessageQueue[];
  readonly batches: (QueueBatch | undefined)[];
}

export class QueueSplit {
  /** Where records without a key go next. */
  #turn: number;

  constructor(random: Random) {
    // Of whatever number of queues, each may be the first: many invocations that send little begin apart.
    this.#turn = Math.floor(random.next() * QUEUES_MAX);
  }

  /** One part for each queue that gets something, in the order of the whole. */
  of(
    records: readonly ConnectRecord[],
    {
      queues,
      encode,
    }: {
      readonly queues: (topic: string) => readonly MessageQueue[];
      readonly encode: (record: ConnectRecord) => OutgoingRecord;
    },
  ): QueueBatch[] {
    const batches: QueueBatch[] = [];
    const topics = new Map<string, TopicBatches>();
    for (const [index, record] of records.entries()) {
      if (index % TURN_RECORDS === 0) this.#turn += 1;
      let topic = topics.get(record.topic);
      if (topic === undefined) {
        topic = { queues: queues(record.topic), batches: [] };
        topics.set(record.topic, topic);
      }
      const queueIndex = chooseQueue(record, topic.queues, this.#turn);
      let batch = topic.batches[queueIndex];
      if (batch === undefined) {
        const queue = topic.queues[queueIndex];
        if (queue === undefined) throw new RecordError(`topic ${record.topic} has no queues`);
        batch = { queue, records: [], indexes: [] };
        topic.batches[queueIndex] = batch;
        batches.push(batch);
      }
      batch.records.push(encode(record));
      batch.indexes.push(index);
    }
    return batches;
  }
}
