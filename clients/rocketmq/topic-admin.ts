/** What an operator does with topics: at every broker, and at every NameServer. It does not go through proxies. */
import { FatalTaskError, RetryableError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { Cluster } from './cluster.ts';
import { createTopic } from './commands/create-topic.ts';
import { deleteTopicInBroker, deleteTopicInNameServer } from './commands/delete-topic.ts';
import { getSystemTopics, getTopics } from './commands/get-topics.ts';
import type { Names } from './names.ts';
import type { BrokerAddress, TopicRoute } from './route.ts';
import { isSystemTopic } from './system-topics.ts';

/** A broker tells its NameServers at once, or every thirty seconds at the latest where that failed. */
const VISIBLE_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** Behind the name of a cluster: where its answers to requests go. */
const REPLIES = /_REPLY_TOPIC$/;

export interface TopicAdminParts {
  readonly cluster: Cluster;
  readonly names: Names;
  readonly clock: Clock;
}

export class TopicAdmin {
  readonly #parts: TopicAdminParts;

  constructor(parts: TopicAdminParts) {
    this.#parts = parts;
  }

  /** Why no topic can have the name, and which can; `null` where one can. */
  problem(topic: string): string | null {
    return this.#parts.names.topicProblem(topic);
  }

  /** Ascending, without those of RocketMQ itself. */
  async list(): Promise<readonly string[]> {
    const { cluster, names } = this.#parts;
    const [all, system] = await Promise.all([cluster.askNameServer(getTopics()), cluster.askNameServer(getSystemTopics())]);
    const own = new Set(system);
    return all
      .filter((topic) => !own.has(topic) && !isSystemTopic(topic) && !own.has(topic.replace(REPLIES, '')))
      .flatMap((topic) => names.fromWire(topic) ?? [])
      .sort();
  }

  /** Spreads the queues over all brokers, and resolves when the topic can be used. Not for one that exists. */
  async create(topic: string, queues: number): Promise<void> {
    const { cluster } = this.#parts;
    const problem = this.problem(topic);
    if (problem !== null) throw new FatalTaskError(problem, { code: 'broker.topic_refused' });
    const brokers = await cluster.brokers();
    const shares = brokers.map((broker, index) => ({ broker, queues: shareOf(queues, index, brokers.length) }));
    const used = shares.filter((share) => share.queues > 0);
    if (used.length === 0) throw new RetryableError('no broker is known to the NameServer', { code: 'broker.unavailable' });
    await Promise.all(used.map((share) => this.#createAt(share.broker, topic, share.queues)));
    await this.#seen(topic, (route) => used.every(({ broker }) => queuesAt(route, broker) > 0));
  }

  /** One broker's queues: more of them, or fewer, which then cannot be reached. */
  async resize(topic: string, { brokerName, queues }: { readonly brokerName: string; readonly queues: number }): Promise<void> {
    const broker = (await this.#parts.cluster.brokers()).find((other) => other.brokerName === brokerName);
    if (broker === undefined)
      throw new RetryableError(`no broker is named ${brokerName} at present`, { code: 'broker.unavailable' });
    await this.#createAt(broker, topic, queues);
    await this.#seen(topic, (route) => queuesAt(route, broker) === queues);
  }

  /** With all it holds; created again it begins at offset 0. */
  async delete(topic: string): Promise<void> {
    const { cluster, names } = this.#parts;
    const wireTopic = names.onWire(topic);
    const brokers = await cluster.brokers();
    await Promise.all(brokers.map(({ address }) => cluster.askBroker(address, deleteTopicInBroker(wireTopic))));
    await cluster.askEachNameServer(deleteTopicInNameServer(wireTopic));
  }

  #createAt({ address }: BrokerAddress, topic: string, queues: number): Promise<void> {
    const { cluster, names } = this.#parts;
    return cluster.askBroker(address, createTopic(names.onWire(topic), queues));
  }

  async #seen(topic: string, isAsWanted: (route: TopicRoute | null) => boolean): Promise<void> {
    const { cluster, names, clock } = this.#parts;
    const untilMs = clock.monotonicMs() + VISIBLE_WITHIN_MS;
    while (!isAsWanted(await cluster.route(names.onWire(topic)))) {
      if (clock.monotonicMs() >= untilMs) {
        const message = `topic ${topic} was created, and no NameServer tells of it after ${VISIBLE_WITHIN_MS} ms`;
        throw new RetryableError(message, { code: 'broker.unavailable' });
      }
      await clock.sleep(LOOK_EVERY_MS);
    }
  }
}

function shareOf(queues: number, index: number, brokers: number): number {
  return Math.floor(queues / brokers) + (index < queues % brokers ? 1 : 0);
}

function queuesAt(route: TopicRoute | null, { brokerName }: BrokerAddress): number {
  return route?.brokers.find((broker) => broker.brokerName === brokerName)?.readQueues ?? 0;
}
