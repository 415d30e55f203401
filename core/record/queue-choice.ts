/** Which queue of a topic a record goes to. The same key always goes to the same queue, as long as the list is the same. */
import type { MessageQueue } from '../message-queue.ts';
import type { ConnectRecord } from './connect-record.ts';
import { murmur2 } from './murmur2.ts';
import { formatPosition } from './position.ts';

/**
 * Where a source says which queue, that one. Else records by their sharding key, where they have one, or by their key; others by their position, where a source gives one, so
 * that a record that is sent again goes to the same queue again; else `turn` spreads whole batches.
 */
export function chooseQueue(record: ConnectRecord, queues: readonly MessageQueue[], turn: number): number {
  if (record.queueIndex !== null) return record.queueIndex % queues.length;
  if (record.shardingKey !== null) return murmur2(bytesOf(record.shardingKey)) % queues.length;
  const key = record.keyDatum.bytes;
  if (key !== null && key !== undefined) return murmur2(key) % queues.length;
  if (record.position !== null) return murmur2(bytesOf(formatPosition(record.position))) % queues.length;
  return turn % queues.length;
}

/**
 * For a copy of a queue, in which its order is kept: the queues of one broker go to queues that follow one another, and each broker's
 * begin somewhere else. It depends on nothing but the queue's name, so it is the same however many there are.
 */
export function copiedQueueIndex({ brokerName, queueId }: Pick<MessageQueue, 'brokerName' | 'queueId'>): number {
  return murmur2(bytesOf(brokerName)) + queueId;
}

/** Of characters that are bytes, as digits and most names are; of others, the lower half, which is as good to choose by. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
