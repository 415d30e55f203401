/** A log without records: queues are only how far they reach, and since when. */
import { FatalTaskError } from '../../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import { advance, type Offset, offset } from '../../../core/offset.ts';
import type { CancelSignal, LogBroker, QueueBounds } from '../../../core/ports.ts';
import type { SeededRandom } from '../world/seeded-random.ts';
import type { VirtualTime } from '../world/virtual-time.ts';

/** One round trip to a broker in the same region. */
const ROUND_TRIP_MS = [2, 6] as const;

/** Records below `upTo` that none of the arrivals before had. */
interface Arrival {
  readonly upTo: Offset;
  readonly atMs: number;
}

interface CountedQueue {
  readonly queue: MessageQueue;
  max: Offset;
  /** Oldest first, of what is not finished yet. */
  readonly arrivals: Arrival[];
  readonly waiting: Set<() => void>;
}

export class CounterLog implements LogBroker {
  readonly sendLandsWithinMs = 0;
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #queues = new Map<string, CountedQueue>();
  readonly #byTopic = new Map<string, MessageQueue[]>();
  appended = 0;

  constructor({ time, random }: { readonly time: VirtualTime; readonly random: SeededRandom }) {
    this.#time = time;
    this.#random = random;
  }

  create(topic: string, queues: number): readonly MessageQueue[] {
    const created = Array.from({ length: queues }, (_, queueId) => ({ topic, brokerName: 'broker', queueId }));
    this.#byTopic.set(topic, created);
    for (const queue of created) this.#queues.set(queueKey(queue), { queue, max: offset(0), arrivals: [], waiting: new Set() });
    return created;
  }

  append(queue: MessageQueue, records: number): void {
    const counted = this.#of(queue);
    counted.max = advance(counted.max, records);
    counted.arrivals.push({ upTo: counted.max, atMs: this.#time.nowMs });
    this.appended += records;
    for (const wake of [...counted.waiting]) wake();
  }

  queuesOf(topic: string): readonly MessageQueue[] {
    return this.#byTopic.get(topic) ?? [];
  }

  maxOf(queue: MessageQueue): Offset {
    return this.#of(queue).max;
  }

  /** Everything below `upTo` is finished. Answers how long the oldest of it had waited; `null` where none of it is news. */
  finished(queue: MessageQueue, upTo: Offset): number | null {
    const { arrivals } = this.#of(queue);
    const [oldest] = arrivals;
    if (oldest === undefined || oldest.upTo > upTo) return null;
    while (arrivals[0] !== undefined && arrivals[0].upTo <= upTo) arrivals.shift();
    return this.#time.nowMs - oldest.atMs;
  }

  /** How long the oldest record of the queue that is not finished has waited. */
  oldestMs(queue: MessageQueue): number {
    const [oldest] = this.#of(queue).arrivals;
    return oldest === undefined ? 0 : this.#time.nowMs - oldest.atMs;
  }

  /** Resolves when the queue holds something at `from`, or after `maxMs`. */
  async grown(queue: MessageQueue, from: Offset, maxMs: number): Promise<void> {
    const { waiting, max } = this.#of(queue);
    if (max > from) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        callOff();
        waiting.delete(wake);
        resolve();
      };
      const callOff = this.#time.after(maxMs, wake);
      waiting.add(wake);
    });
  }

  roundTrip(): Promise<void> {
    return this.#time.delay(this.#random.between(...ROUND_TRIP_MS));
  }

  async topics(): Promise<readonly string[]> {
    await this.roundTrip();
    return [...this.#byTopic.keys()].sort();
  }

  topicProblem(): null {
    return null;
  }

  async filterProblem(): Promise<null> {
    return null;
  }

  async queues(topic: string): Promise<readonly MessageQueue[]> {
    await this.roundTrip();
    return this.queuesOf(topic);
  }

  async bounds(queues: readonly MessageQueue[]): Promise<readonly (QueueBounds | null)[]> {
    await this.roundTrip();
    return queues.map((queue) => ({ min: offset(0), max: this.#of(queue).max }));
  }

  async *watch(
    queues: readonly { readonly queue: MessageQueue; readonly from: Offset }[],
    signal: CancelSignal,
  ): AsyncIterable<MessageQueue> {
    while (!signal.aborted) {
      const grown = queues.find(({ queue, from }) => this.#of(queue).max > from);
      if (grown === undefined) await this.#anyAppend(queues, signal);
      else {
        await this.roundTrip();
        yield grown.queue;
      }
    }
  }

  read = noRecords;
  send = noRecords;
  ensureTopic = noRecords;
  offsetAt = noRecords;
  groups = noRecords;

  /** Of the platforms that are modelled, a call that nobody waits for. */
  async noteGroup(): Promise<void> {
    await this.roundTrip();
  }

  #anyAppend(queues: readonly { readonly queue: MessageQueue }[], signal: CancelSignal): Promise<void> {
    return new Promise((resolve) => {
      const counted = queues.map(({ queue }) => this.#of(queue));
      const wake = (): void => {
        for (const { waiting } of counted) waiting.delete(wake);
        resolve();
      };
      for (const { waiting } of counted) waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #of(queue: MessageQueue): CountedQueue {
    const counted = this.#queues.get(queueKey(queue));
    if (counted === undefined) throw new FatalTaskError(`no queue ${queueKey(queue)}`, { code: 'broker.topic_missing' });
    return counted;
  }
}

function noRecords(): never {
  throw new Error('this log has bounds and no records');
}
