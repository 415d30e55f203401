/** Which queue of a topic a record goes to. The same key always goes to the same queue, as long as the list is the same. */
import type { MessageQueue } from '../core/message-queue.ts';
import type { ConnectRecord } from '../core/record/connect-record.ts';
import { murmur2 } from '../core/record/murmur2.ts';
import { formatPosition } from '../core/record/position.ts';

const encoder = new TextEncoder();

/**
 * Keyed records by their key. Others by their position, where a source gives one, so that a record that is sent again goes to
 * the same queue again; else `turn` spreads whole batches.
 */
export function chooseQueue(record: ConnectRecord, queues: readonly MessageQueue[], turn: number): number {
  const key = record.keyDatum.bytes;
  if (key !== null && key !== undefined) return murmur2(key) % queues.length;
  if (record.position !== null) return murmur2(encoder.encode(formatPosition(record.position))) % queues.length;
  return turn % queues.length;
}
