/** Which queue of a topic a record goes to. The same key always goes to the same queue, as long as the list is the same. */
import type { MessageQueue } from '../message-queue.ts';
import type { ConnectRecord } from './connect-record.ts';
import { murmur2 } from './murmur2.ts';

/**
 * Where a source says which queue, that one. Else records by their sharding key, where they have one, or by their key. Others have no
 * order to keep: a put's go to one queue together, and `turn` goes round (ADR 20261127 records-without-a-key).
 */
export function chooseQueue(record: ConnectRecord, queues: readonly MessageQueue[], turn: number): number {
  if (record.queueIndex !== null) return record.queueIndex % queues.length;
  if (record.shardingKey !== null) return hashOf(record.shardingKey) % queues.length;
  const key = record.keyDatum.bytes;
  if (key !== null && key !== undefined) return murmur2(key) % queues.length;
  return turn % queues.length;
}

/**
 * For a copy of a queue, in which its order is kept: the queues of one broker go to queues that follow one another, and each broker's
 * begin somewhere else. It depends on nothing but the queue's name, so it is the same however many there are.
 */
export function copiedQueueIndex({ brokerName, queueId }: Pick<MessageQueue, 'brokerName' | 'queueId'>): number {
  return hashOf(brokerName) + queueId;
}

/** Memory for texts that are hashed, one after the other: nothing is allocated for each. */
let scratch = new Uint8Array(64);

/** Of characters that are bytes, as digits and most names are; of others, the lower half, which is as good to choose by. */
function hashOf(text: string): number {
  const { length } = text;
  if (length > scratch.length) scratch = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) scratch[index] = text.charCodeAt(index);
  return murmur2(scratch, length);
}
