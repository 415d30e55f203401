import { assert } from '../../core/assert.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import type { Offset } from '../../core/offset.ts';
import type {
  CancelSignal,
  Clock,
  GroupOffset,
  LogBroker,
  OutgoingRecord,
  QueueBounds,
  ReadLimits,
  ReadResult,
  RecordFilter,
  SendResult,
} from '../../core/ports.ts';
import { queueMissing, topicMissing } from '../../core/topic-missing.ts';
import { RECORD_BYTES_MAX } from '../record-limit.ts';
import { filtered, tagsOnlyProblem } from '../tag-filter.ts';
import { WakeUps } from '../wake-ups.ts';
import { QueueLog } from './queue-log.ts';

/** Broker of queues that nobody asked to lie elsewhere. */
const BROKER_NAME = 'memory';

export interface MemoryLogBrokerDeps {
  readonly clock: Clock;
  /** Of key, value and headers together. */
  readonly recordBytesMax?: number;
}

export interface NewQueues {
  readonly queues: number;
  readonly brokerName?: string;
}

/** A watched queue: the log it was last seen as, and up to where its records have been announced. */
interface Watched {
  readonly queue: MessageQueue;
  readonly key: string;
  readonly from: Offset;
  log: QueueLog | undefined;
  seen: Offset;
}

/**
 * A log that lives as long as the process: for tests, the simulator and benchmarks.
 *
 * What is sent is kept as it is and handed to every reader: keys, values and headers are not copied, so nobody may change
 * them afterwards. Store times are the clock's as they come, also where it jumps back. The same calls in the same order
 * give the same answers in the same order.
 *
 * Beside the port it does what an operator of a cluster does: `createTopic`, `deleteTopic`, `addQueues`, `removeQueue`,
 * `truncateBefore`. These take effect before they return.
 */
export class MemoryLogBroker implements LogBroker {
  /** As long as of any log, for tests that stand something before it. */
  readonly sendLandsWithinMs = 1_000;
  readonly #clock: Clock;
  readonly #recordBytesMax: number;
  readonly #topics = new Map<string, readonly QueueLog[]>();
  readonly #logs = new Map<string, QueueLog>();
  /** By queue, then by group. */
  readonly #groups = new Map<string, Map<string, GroupOffset>>();
  readonly #wakeUps: WakeUps;

  constructor({ clock, recordBytesMax = RECORD_BYTES_MAX }: MemoryLogBrokerDeps) {
    this.#clock = clock;
    this.#recordBytesMax = recordBytesMax;
    this.#wakeUps = new WakeUps(clock);
  }

  topicProblem(): null {
    return null;
  }

  async filterProblem(filter: RecordFilter): Promise<string | null> {
    return tagsOnlyProblem(filter);
  }

  async queues(topic: string): Promise<readonly MessageQueue[]> {
    return (this.#topics.get(topic) ?? []).map(({ queue }) => queue);
  }

  async topics(): Promise<readonly string[]> {
    return [...this.#topics.keys()].sort();
  }

  async bounds(queues: readonly MessageQueue[]): Promise<readonly (QueueBounds | null)[]> {
    return queues.map((queue) => this.#logs.get(queueKey(queue))?.bounds() ?? null);
  }

  async read(queue: MessageQueue, from: Offset, limits: ReadLimits, signal?: CancelSignal): Promise<ReadResult> {
    assert(limits.records >= 1, 'a read asks for at least one record');
    const log = this.#log(queue);
    if (from !== log.max || limits.waitMs === 0) return filtered(log.read(from, limits), limits);

    await this.#wakeUps.wait({ keys: [queueKey(queue)], durationMs: limits.waitMs, signal });
    // Looked up again: the topic may have been deleted, and even created anew, during the wait.
    return filtered(this.#log(queue).read(from, limits), limits);
  }

  async send(queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<SendResult> {
    const result = this.#log(queue).append(records, { storedAtMs: this.#clock.nowMs(), recordBytesMax: this.#recordBytesMax });
    if (result.refused.length < records.length) this.#wakeUps.wake(queueKey(queue));
    return result;
  }

  async ensureTopic(topic: string, options: { readonly queues: number }): Promise<void> {
    if (!this.#topics.has(topic)) this.createTopic(topic, options);
  }

  async offsetAt(queue: MessageQueue, atMs: number): Promise<Offset> {
    return this.#log(queue).offsetAt(atMs);
  }

  async noteGroup(group: string, offsets: readonly GroupOffset[]): Promise<void> {
    for (const noted of offsets) {
      const key = queueKey(noted.queue);
      if (!this.#logs.has(key)) continue;
      const ofQueue = this.#groups.get(key);
      if (ofQueue === undefined) this.#groups.set(key, new Map([[group, noted]]));
      else ofQueue.set(group, noted);
    }
  }

  async groups(topic: string): Promise<ReadonlyMap<string, readonly GroupOffset[]>> {
    const noted = (this.#topics.get(topic) ?? []).flatMap(({ queue }) => [...(this.#groups.get(queueKey(queue)) ?? [])]);
    const byGroup = Map.groupBy(noted, ([group]) => group);
    return new Map([...byGroup].map(([group, offsets]) => [group, offsets.map(([, offset]) => offset)]));
  }

  /** Yields a queue again only when it has grown since. A queue that does not exist holds no record, and may come to exist. */
  async *watch(
    queues: readonly { readonly queue: MessageQueue; readonly from: Offset }[],
    signal: CancelSignal,
  ): AsyncIterable<MessageQueue> {
    const watched = queues.map(({ queue, from }): Watched => ({ queue, key: queueKey(queue), from, log: undefined, seen: from }));
    const keys = watched.map(({ key }) => key);
    let grown: Watched[] = [];
    while (!signal.aborted) {
      const next = grown.shift();
      if (next !== undefined) {
        yield next.queue;
        continue;
      }
      grown = watched.filter((entry) => this.#lookAgain(entry));
      if (grown.length === 0) await this.#wakeUps.wait({ keys, signal });
    }
  }

  /** Whether records lie behind what was seen of the queue; from then on they count as seen. */
  #lookAgain(entry: Watched): boolean {
    const log = this.#logs.get(entry.key);
    if (log !== entry.log) Object.assign(entry, { log, seen: entry.from });
    if (log === undefined) return false;
    const { min, max } = log.bounds();
    const hasGrown = max > entry.seen && max > min;
    if (hasGrown) entry.seen = max;
    return hasGrown;
  }

  createTopic(topic: string, queues: NewQueues): void {
    assert(!this.#topics.has(topic), `topic ${topic} exists`);
    this.#topics.set(topic, []);
    this.addQueues(topic, queues);
  }

  /** The topic goes with its records; created again it starts at offset 0. */
  deleteTopic(topic: string): void {
    const logs = this.#topics.get(topic) ?? [];
    this.#topics.delete(topic);
    for (const { queue } of logs) this.#drop(queue);
  }

  /** Numbered on from the highest queue that the broker has of this topic. */
  addQueues(topic: string, { queues, brokerName = BROKER_NAME }: NewQueues): void {
    const logs = this.#topics.get(topic);
    if (logs === undefined) throw topicMissing(topic);
    const first =
      1 + Math.max(-1, ...logs.filter(({ queue }) => queue.brokerName === brokerName).map(({ queue }) => queue.queueId));
    const added = Array.from({ length: queues }, (_, index) => new QueueLog({ topic, brokerName, queueId: first + index }));
    for (const log of added) this.#logs.set(queueKey(log.queue), log);
    this.#topics.set(topic, [...logs, ...added].sort(byBrokerAndId));
  }

  /** The queue goes with its records. */
  removeQueue(queue: MessageQueue): void {
    const log = this.#log(queue);
    const logs = this.#topics.get(queue.topic) ?? [];
    this.#topics.set(
      queue.topic,
      logs.filter((other) => other !== log),
    );
    this.#drop(queue);
  }

  /** Retention: drops the records below `min`, at most all there are. */
  truncateBefore(queue: MessageQueue, min: Offset): void {
    this.#log(queue).truncateBefore(min);
  }

  #drop(queue: MessageQueue): void {
    const key = queueKey(queue);
    this.#logs.delete(key);
    this.#groups.delete(key);
    this.#wakeUps.wake(key);
  }

  #log(queue: MessageQueue): QueueLog {
    const log = this.#logs.get(queueKey(queue));
    if (log === undefined) throw queueMissing(queue);
    return log;
  }
}

function byBrokerAndId({ queue: a }: QueueLog, { queue: b }: QueueLog): number {
  if (a.brokerName !== b.brokerName) return a.brokerName < b.brokerName ? -1 : 1;
  return a.queueId - b.queueId;
}
