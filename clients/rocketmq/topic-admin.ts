/** What an operator does with topics: at every broker, and at every NameServer. It does not go through proxies. */
import { FatalTaskError, RetryableError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { Cluster } from './cluster.ts';
import { createTopic } from './commands/create-topic.ts';
import { deleteTopicInBroker, deleteTopicInNameServer } from './commands/delete-topic.ts';
import { getTopicStats } from './commands/get-topic-stats.ts';
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

  /** @throws {RetryableError} `broker.unavailable` while no broker is there that could have it. */
  async exists(topic: string): Promise<boolean> {
    const { cluster, names } = this.#parts;
    if ((await cluster.route(names.onWire(topic))) !== null) return true;
    await cluster.servers();
    return false;
  }

  /** Spreads the queues over all brokers, and resolves when the topic can be used. A broker that has it already keeps it as it is. */
  async create(topic: string, queues: number): Promise<void> {
    const { cluster } = this.#parts;
    const problem = this.problem(topic);
    if (problem !== null) throw new FatalTaskError(problem, { code: 'broker.topic_refused' });
    const brokers = await cluster.brokers();
    const shares = brokers.map((broker, index) => ({ broker, queues: shareOf(queues, index, brokers.length) }));
    const used = shares.filter((share) => share.queues > 0);
    if (used.length === 0) throw cluster.knowsNoBroker();
    const made = await Promise.all(used.map((share) => this.#createUnlessThere(share.broker, topic, share.queues)));
    const created = used.filter((_, index) => made[index]);
    await this.#seen(topic, (route) => created.every(({ broker }) => queuesAt(route, broker) > 0));
  }

  /** One broker's queues: more of them, or fewer, which then cannot be reached. */
  async resize(topic: string, { brokerName, queues }: { readonly brokerName: string; readonly queues: number }): Promise<void> {
    const broker = (await this.#parts.cluster.brokers()).find((other) => other.brokerName === brokerName);
    if (broker === undefined)
      throw new RetryableError(`no name server tells of a broker ${brokerName}; next: start it, or correct its name`, {
        code: 'broker.unavailable',
      });
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

  /**
   * A NameServer that was started anew has not heard of every topic yet, and what is created takes the place of what there is.
   * Answers whether it was created.
   */
  async #createUnlessThere(broker: BrokerAddress, topic: string, queues: number): Promise<boolean> {
    const { cluster, names } = this.#parts;
    try {
      await cluster.askBroker(broker.address, getTopicStats(names.onWire(topic)));
      return false;
    } catch (error) {
      if (!(error instanceof FatalTaskError) || error.code !== 'broker.topic_missing') throw error;
    }
    await this.#createAt(broker, topic, queues);
    return true;
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
        const next =
          'next: check that its brokers reach the name servers (`namesrvAddr`); they tell them again every thirty seconds';
        const message = `topic ${topic} was created, and no name server tells of it after ${VISIBLE_WITHIN_MS} ms; ${next}`;
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
