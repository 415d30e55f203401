/**
 * What an exactly-once source's checkpoint holds beside the plugin's own: for each topic it writes to, the list of queues,
 * and from which offset on each may hold records that no committed checkpoint covers.
 *
 * The list is pinned: a record that is sent again must choose among the same queues. It changes only when nothing is in doubt.
 */
import type { Json } from '../core/json.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import { type Offset, offset } from '../core/offset.ts';

export interface PinnedQueue {
  readonly queue: MessageQueue;
  readonly from: Offset;
}

export type Pins = ReadonlyMap<string, readonly PinnedQueue[]>;

export function encodePins(pins: Pins): Json {
  return Object.fromEntries(
    [...pins].map(([topic, queues]) => [topic, queues.map(({ queue, from }) => [queue.brokerName, queue.queueId, String(from)])]),
  );
}

export function decodePins(stored: Json): Pins {
  return new Map(
    Object.entries(stored as Record<string, [string, number, string][]>).map(([topic, queues]) => [
      topic,
      queues.map(([brokerName, queueId, from]) => ({ queue: { topic, brokerName, queueId }, from: offset(BigInt(from)) })),
    ]),
  );
}
