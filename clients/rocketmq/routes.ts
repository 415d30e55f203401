/**
 * What is known of where topics lie. It may be out of date: whoever is turned away because of it has it looked up again.
 *
 * It is plain data, so that a function that was just started can be given what another one learned, and asks nobody.
 */
import type { MessageQueue } from '../../core/message-queue.ts';
import type { BrokerRoute, TopicRoute } from './route.ts';

/** By topic. */
export type KnownRoutes = Readonly<Record<string, TopicRoute>>;

/** Beyond that the longest known is forgotten. */
const TOPICS_MAX = 10_000;

export class Routes {
  readonly #look: (topic: string) => Promise<TopicRoute | null>;
  readonly #known: Map<string, TopicRoute>;
  readonly #looking = new Map<string, Promise<TopicRoute | null>>();

  constructor(look: (topic: string) => Promise<TopicRoute | null>, known: KnownRoutes = {}) {
    this.#look = look;
    this.#known = new Map(Object.entries(known));
  }

  known(): KnownRoutes {
    return Object.fromEntries(this.#known);
  }

  /** Without asking anybody. */
  remembered(topic: string): TopicRoute | undefined {
    return this.#known.get(topic);
  }

  /** As remembered; `null`, which is not remembered, where the topic does not exist. */
  async of(topic: string): Promise<TopicRoute | null> {
    return this.#known.get(topic) ?? this.fresh(topic);
  }

  /** As the servers say now; who asks for the same at the same time shares the answer. */
  async fresh(topic: string): Promise<TopicRoute | null> {
    const looking = this.#looking.get(topic) ?? this.#lookUp(topic);
    return looking;
  }

  async #lookUp(topic: string): Promise<TopicRoute | null> {
    const looking = this.#look(topic);
    this.#looking.set(topic, looking);
    try {
      const route = await looking;
      this.#remember(topic, route);
      return route;
    } finally {
      this.#looking.delete(topic);
    }
  }

  #remember(topic: string, route: TopicRoute | null): void {
    this.#known.delete(topic);
    if (route === null) return;
    const [longest] = this.#known.keys();
    if (this.#known.size >= TOPICS_MAX && longest !== undefined) this.#known.delete(longest);
    this.#known.set(topic, route);
  }
}

/** The broker that has the queue, for reading or for writing; `undefined` where the route has no such queue. */
export function brokerOf(
  route: TopicRoute | null,
  { brokerName, queueId }: MessageQueue,
  queues: 'readQueues' | 'writeQueues',
): BrokerRoute | undefined {
  return route?.brokers.find((broker) => broker.brokerName === brokerName && queueId < broker[queues]);
}
