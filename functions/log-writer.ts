/**
 * The writer of a source that is at least once: appends to the queues of each record's topic.
 *
 * Queues are written side by side, each in order; a queue that fails leaves the others alone, and only its records are put
 * again.
 */
import { RetryableError } from '../core/errors.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { ConnectRecord } from '../core/record/connect-record.ts';
import { outgoing } from '../core/record/outgoing.ts';
import type { PutBatch, PutFailure, PutResult, SinkWriter } from '../plugins/api/sink.ts';
import type { Host } from './host.ts';
import { type QueueBatch, QueueSplit } from './queue-split.ts';

export class LogWriter implements SinkWriter {
  readonly #host: Host;
  readonly #topicQueues: number;
  readonly #topics = new Map<string, readonly MessageQueue[]>();
  readonly #split: QueueSplit;

  constructor(host: Host, { topicQueues }: { readonly topicQueues: number }) {
    this.#host = host;
    this.#topicQueues = topicQueues;
    this.#split = new QueueSplit(host.random);
  }

  async put({ records }: PutBatch): Promise<PutResult> {
    for (const topic of topicsOf(records)) {
      if (!this.#topics.has(topic)) this.#topics.set(topic, await queuesOf(this.#host, topic, this.#topicQueues));
    }
    const nowMs = this.#host.clock.nowMs();
    const batches = this.#split.of(records, {
      queues: (topic) => this.#topics.get(topic) ?? [],
      encode: (record) => outgoing(record, nowMs),
    });
    const failures = await Promise.all(batches.map((batch) => this.#send(batch)));
    return { failures: failures.flat().sort((a, b) => a.index - b.index) };
  }

  async flush(): Promise<void> {
    // `send` resolves when the records are durable.
  }

  async close(): Promise<void> {
    // Nothing is kept open.
  }

  async #send({ queue, records, indexes }: QueueBatch): Promise<PutFailure[]> {
    try {
      const { refused } = await this.#host.broker.send(queue, records);
      return refused.map(({ index, error }) => ({ index: indexes[index] ?? 0, error }));
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      this.#topics.delete(queue.topic);
      return indexes.map((index) => ({ index, error }));
    }
  }
}

/** The queues of a topic that can be written to; it is created when it does not exist. */
export async function queuesOf(host: Host, topic: string, topicQueues: number): Promise<readonly MessageQueue[]> {
  const existing = await host.broker.queues(topic, 'writing');
  if (existing.length > 0) return existing;
  await host.broker.ensureTopic(topic, { queues: topicQueues });
  const created = await host.broker.queues(topic, 'writing');
  if (created.length > 0) return created;
  const next = 'next: check that a broker that has it runs, and that it may be written to';
  throw new RetryableError(`topic ${topic} exists and has no queue that can be written to; ${next}`, {
    code: 'broker.unavailable',
  });
}

export function topicsOf(records: readonly ConnectRecord[]): ReadonlySet<string> {
  const topics = new Set<string>();
  for (const { topic } of records) topics.add(topic);
  return topics;
}
