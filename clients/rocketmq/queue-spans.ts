/** What queues hold: one request for each broker of a topic, or, where a proxy stands before the brokers, for each queue. */
import { ConnectError } from '../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import type { Cluster } from './cluster.ts';
import { ResponseCode } from './codes.ts';
import { getTopicStats, type QueueSpan } from './commands/get-topic-stats.ts';
import { BEHIND_ALL, pullMessage } from './commands/pull-message.ts';
import type { Names } from './names.ts';

/** By the numbers of queues; `null`: it is asked of a proxy, which does not carry the question. */
type BrokerSpans = ReadonlyMap<number, QueueSpan> | null;

export interface QueueSpansParts {
  readonly cluster: Cluster;
  readonly names: Names;
  readonly group: string;
}

export class QueueSpans {
  readonly #parts: QueueSpansParts;
  /** Proxies cannot be asked what a topic holds. */
  #hasStats = true;

  constructor(parts: QueueSpansParts) {
    this.#parts = parts;
  }

  /** In the order asked; `null` where nobody tells of the queue. */
  of(queues: readonly MessageQueue[]): Promise<readonly (QueueSpan | null)[]> {
    const stats = new Map<string, Promise<BrokerSpans>>();
    return Promise.all(queues.map((queue) => this.#spanOf(this.#parts.names.queueOnWire(queue), stats)));
  }

  async #spanOf(wire: MessageQueue, stats: Map<string, Promise<BrokerSpans>>): Promise<QueueSpan | null> {
    if (!(await this.#parts.cluster.knows(wire, 'readQueues'))) return null;
    const key = queueKey({ ...wire, queueId: 0 });
    const known = stats.get(key) ?? this.#statsOf(wire);
    stats.set(key, known);
    try {
      const spans = await known;
      return spans === null ? await this.#spanByPull(wire) : (spans.get(wire.queueId) ?? null);
    } catch (error) {
      if (error instanceof ConnectError && error.code === 'broker.topic_missing') return null;
      throw error;
    }
  }

  async #statsOf(wire: MessageQueue): Promise<BrokerSpans> {
    if (!this.#hasStats) return null;
    try {
      return await this.#parts.cluster.askOf({ ...wire, queueId: 0 }, 'readQueues', getTopicStats(wire.topic));
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      this.#hasStats = false;
      return null;
    }
  }

  async #spanByPull(wire: MessageQueue): Promise<QueueSpan> {
    const { cluster, group } = this.#parts;
    const pull = pullMessage(wire, { group, offset: BEHIND_ALL, messages: 1, waitMs: 0 });
    const { min, max } = await cluster.askOf(wire, 'readQueues', pull);
    return { min, max };
  }
}

/** A proxy says so of what it does not carry. */
function isUnsupported(error: unknown): boolean {
  return error instanceof ConnectError && error.details['code'] === ResponseCode.REQUEST_CODE_NOT_SUPPORTED;
}
