/**
 * What an exactly-once source's checkpoint holds beside the plugin's own: for each topic it writes to, the list of queues,
 * and from which offset on each may hold records that no committed checkpoint covers; with what lies right below, to know the
 * queue by.
 *
 * The list is pinned: a record that is sent again must choose among the same queues. A clean end leaves no pins behind, for
 * nothing is in doubt then; a topic is pinned anew when it is first written to after that.
 */
import { FatalTaskError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import { type Offset, offset } from '../core/offset.ts';

/** With a plugin's own 16 KiB at most 128 KiB, half of what a store keeps as one document. */
const PINS_CHARACTERS_MAX = 112 * 1024;

/** The record right below a pin: its store time, or its position where this source sent it. `null`: the queue held none. */
export type Below = number | string | null;

export interface PinnedQueue {
  readonly queue: MessageQueue;
  readonly from: Offset;
  /** Absent in what an earlier version stored. */
  readonly below?: Below;
}

export type Pins = ReadonlyMap<string, readonly PinnedQueue[]>;

export const NO_PINS: Pins = new Map();

/** By topic, in the order given. */
export function pinsOf(pinned: readonly PinnedQueue[]): Pins {
  const pins = new Map<string, PinnedQueue[]>();
  for (const pin of pinned) {
    const { topic } = pin.queue;
    const queues = pins.get(topic);
    if (queues === undefined) pins.set(topic, [pin]);
    else queues.push(pin);
  }
  return pins;
}

export function encodePins(pins: Pins): Json {
  return Object.fromEntries([...pins].map(([topic, queues]) => [topic, queues.map(encodePin)]));
}

function encodePin({ queue: { brokerName, queueId }, from, below }: PinnedQueue): Json {
  const pin = [brokerName, queueId, String(from)];
  return below === undefined ? pin : [...pin, below];
}

/** Whether the next batch may need more room than is left. */
export function areMany(pins: Pins): boolean {
  return charactersOf(pins) > PINS_CHARACTERS_MAX / 2;
}

function charactersOf(pins: Pins): number {
  return JSON.stringify(encodePins(pins)).length;
}

/** @throws {FatalTaskError} when a source writes to more queues at once than can be kept in mind. */
export function demandKeepable(pins: Pins): void {
  const size = charactersOf(pins);
  if (size <= PINS_CHARACTERS_MAX) return;
  throw new FatalTaskError(
    `the queues of the ${pins.size} topics this source writes to take ${size} characters of its checkpoint, ${PINS_CHARACTERS_MAX} are kept`,
    { code: 'source.checkpoint_too_large' },
  );
}

export function decodePins(stored: Json): Pins {
  return new Map(
    Object.entries(stored as Record<string, [string, number, string, Below?][]>).map(([topic, queues]) => [
      topic,
      queues.map(([brokerName, queueId, from, below]) => {
        const pin = { queue: { topic, brokerName, queueId }, from: offset(BigInt(from)) };
        return below === undefined ? pin : { ...pin, below };
      }),
    ]),
  );
}
