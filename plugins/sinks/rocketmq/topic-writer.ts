/**
 * Sends what is put to the queues it is for: each queue in order, one batch after the other, all queues side by side. A queue that
 * fails leaves the others alone.
 */
import { sendRecords } from '../../../clients/rocketmq/records/send-records.ts';
import type { RocketmqClient } from '../../../clients/rocketmq/rocketmq-client.ts';
import { assert } from '../../../core/assert.ts';
import { FatalTaskError, RetryableError } from '../../../core/errors.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { CancelSignal, Clock, OutgoingRecord } from '../../../core/ports.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { PluginContext } from '../../api/context.ts';
import type { PutBatch, PutFailure, PutResult, SinkWriter } from '../../api/sink.ts';
import type { Passage } from '../../replication/origins.ts';
import { asTargetError } from '../../replication/other-cluster.ts';
import { passageOf, topicFor } from '../../replication/replication-keys.ts';
import { copyToSend, queueToSendTo, type SendTerms } from './sent-copy.ts';
import type { SinkSettings } from './sink-config.ts';
import type { TargetTopics } from './target-topics.ts';

export interface WriterParts {
  /** Closed with the writer. */
  readonly client: RocketmqClient;
  readonly topics: TargetTopics;
  readonly clock: Clock;
  readonly count: PluginContext['count'];
}

/** The part of a batch that goes to one queue. */
interface QueuePart {
  readonly queue: MessageQueue;
  readonly records: OutgoingRecord[];
  /** For each record, its index in the batch that was put. */
  readonly indexes: number[];
}

export class TopicWriter implements SinkWriter {
  readonly #config: SinkSettings;
  readonly #passage: Passage | null;
  readonly #parts: WriterParts;
  #turn = 0;
  /** Settles when nothing of earlier puts is under way any more. */
  #settled: Promise<unknown> = Promise.resolve();

  constructor(config: SinkSettings, parts: WriterParts) {
    this.#config = config;
    this.#passage = passageOf(config);
    this.#parts = parts;
  }

  async put(batch: PutBatch, signal: CancelSignal): Promise<PutResult> {
    if (signal.aborted) throw putAborted();
    this.#turn += 1;
    // A send that outlasts its put may still arrive: what comes next would be stored before it.
    const sending = this.#settled.then(() => {
      if (signal.aborted) throw putAborted();
      return this.#send(batch);
    });
    this.#settled = sending.catch(() => undefined);
    try {
      const failures = await unlessAborted(signal, sending);
      return { failures: failures.sort((a, b) => a.index - b.index) };
    } catch (error) {
      throw asTargetError(error);
    }
  }

  async flush(): Promise<void> {
    // A broker answers a send when it has stored it, as durably as it does.
  }

  close(): Promise<void> {
    return this.#parts.client.close();
  }

  // -------------------------------------------------------------------------------------------------------------------

  async #send({ records, ...slice }: PutBatch): Promise<PutFailure[]> {
    const topics = new Map<string, readonly MessageQueue[]>();
    for (const record of records) {
      const topic = topicFor(this.#config, record.topic);
      // One after the other: a batch mostly has one, and the name servers are shared.
      if (!topics.has(topic)) topics.set(topic, await this.#parts.topics.queues(topic));
    }
    const parts = this.#byQueue(records, topics, slice);
    return (await Promise.all(parts.map((part) => this.#sendPart(part)))).flat();
  }

  async #sendPart({ queue, records, indexes }: QueuePart): Promise<PutFailure[]> {
    try {
      const { refused } = await sendRecords(this.#parts.client, queue, records);
      return refused.map(({ index, error }) => ({ index: indexes[index] ?? 0, error }));
    } catch (error) {
      const failure = asFailure(error);
      this.#parts.topics.forget(queue.topic);
      return indexes.map((index) => ({ index, error: failure }));
    }
  }

  /** Each part in the order of the whole; what has been at the target before is in none. */
  #byQueue(
    records: readonly ConnectRecord[],
    topics: ReadonlyMap<string, readonly MessageQueue[]>,
    slice: SendTerms['slice'],
  ): readonly QueuePart[] {
    const { clock, count } = this.#parts;
    const terms = { passage: this.#passage, slice, nowMs: clock.nowMs() };
    const choice = { queueBy: this.#config['queue.by'], turn: this.#turn };
    const parts = new Map<MessageQueue, QueuePart>();
    let left = 0;
    for (const [index, record] of records.entries()) {
      const copy = copyToSend(record, terms);
      if (copy === null) {
        left += 1;
        continue;
      }
      const queue = queueToSendTo(record, topics.get(topicFor(this.#config, record.topic)) ?? [], choice);
      assert(queue !== undefined, 'a topic has at least one queue');
      const part = parts.get(queue) ?? { queue, records: [], indexes: [] };
      parts.set(queue, part);
      part.records.push(copy);
      part.indexes.push(index);
    }
    if (left > 0) count('records_not_sent_back', left);
    return [...parts.values()];
  }
}

/** A queue that is gone may be gone for a moment, with its broker: the next attempt asks for the topic's queues anew. */
function asFailure(error: unknown): RetryableError {
  const known = asTargetError(error);
  if (known instanceof RetryableError) return known;
  if (known instanceof FatalTaskError && known.code === 'broker.topic_missing')
    return new RetryableError(known.message, { code: 'target.unavailable', cause: error });
  throw known;
}

/** What is under way goes on, and may arrive: it has its id. */
function unlessAborted<T>(signal: CancelSignal, sending: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(putAborted());
    signal.addEventListener('abort', abort, { once: true });
    sending.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function putAborted(): RetryableError {
  return new RetryableError('the put was aborted', { code: 'target.timed_out' });
}
