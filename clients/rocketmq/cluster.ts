/**
 * Who is asked what: NameServers for routes, the broker of a queue for the queue. Routes are remembered, and looked up again where a
 * broker cannot be reached or says that it has no such topic; where the new one names another broker, that one is asked.
 */
import { FatalTaskError, RetryableError } from '../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import type { Clock } from '../../core/ports.ts';
import { queueMissing } from '../../core/topic-missing.ts';
import type { Command } from './command.ts';
import { getCluster } from './commands/get-cluster.ts';
import { getRoute } from './commands/get-route.ts';
import type { Connection, TlsOptions } from './connection.ts';
import { type AskTime, Connections } from './connections.ts';
import { queueAway, queueNotWritable, withoutNext } from './failure.ts';
import { NameServers } from './name-servers.ts';
import type { BrokerAddress, BrokerRoute, QueueUse, TopicRoute } from './route.ts';
import { brokerOf, type KnownRoutes, Routes } from './routes.ts';
import type { AccessKeys } from './signature.ts';

export interface ClusterSettings {
  /** `host:port` of each. */
  readonly nameServers: readonly string[];
  /**
   * `host:port` of the remoting ports of proxies: what is asked of a queue's broker then goes through one of them. They remember for
   * long where topics lie, and which do not exist: NameServers are asked for that. Where they cannot be reached, a proxy can be
   * named in their place, and topics are made by somebody else.
   */
  readonly proxies?: readonly string[] | undefined;
  readonly keys?: AccessKeys | undefined;
  /** Absent: no TLS. */
  readonly tls?: TlsOptions | undefined;
  /** What another client knew, so that this one need not ask. */
  readonly routes?: KnownRoutes | undefined;
}

export class Cluster {
  readonly #connections: Connections;
  readonly #nameServers: NameServers;
  readonly #proxies: readonly string[];
  /** Index of the one that could be reached last. */
  #proxy = 0;
  readonly #routes: Routes;

  constructor({ nameServers, proxies = [], keys, tls, routes }: ClusterSettings, clock: Clock) {
    this.#connections = new Connections({ clock, keys, tls });
    this.#nameServers = new NameServers(nameServers, this.#connections);
    this.#proxies = proxies;
    this.#routes = new Routes((topic) => this.#nameServers.ask(getRoute(topic)), routes);
  }

  get hasProxies(): boolean {
    return this.#proxies.length > 0;
  }

  knownRoutes(): KnownRoutes {
    return this.#routes.known();
  }

  /** As it is now; `null` where the topic does not exist. */
  route(topic: string): Promise<TopicRoute | null> {
    return this.#routes.fresh(topic);
  }

  /** Every broker that can be written to. */
  brokers(): Promise<readonly BrokerAddress[]> {
    return this.#nameServers.ask(getCluster());
  }

  /**
   * Whoever is asked for what queues hold, by what they are called.
   *
   * @throws {RetryableError} `broker.unavailable`: no NameServer answers, or none knows a broker.
   */
  async servers(): Promise<readonly { readonly name: string; readonly address: string }[]> {
    if (this.hasProxies) {
      await this.#nameServers.reach();
      return this.#proxies.map((address) => ({ name: 'proxy', address }));
    }
    const brokers = await this.brokers();
    if (brokers.length > 0) return brokers.map(({ brokerName, address }) => ({ name: `broker ${brokerName}`, address }));
    throw this.knowsNoBroker();
  }

  knowsNoBroker(): RetryableError {
    return this.#nameServers.knowsNoBroker();
  }

  askNameServer<Answer>(command: Command<Answer>): Promise<Answer> {
    return this.#nameServers.ask(command);
  }

  askEachNameServer(command: Command<unknown>): Promise<void> {
    return this.#nameServers.askEach(command);
  }

  askBroker<Answer>(address: string, command: Command<Answer>, time?: AskTime): Promise<Answer> {
    return this.#connections.ask(address, command, time);
  }

  /** Whether anybody tells of the queue: of one that does not exist, or whose broker is away, nobody does. */
  async knows(queue: MessageQueue, use: QueueUse): Promise<boolean> {
    const route = await this.#routes.of(queue.topic);
    if (route === null || brokerOf(route, queue, use) !== undefined) return route !== null;
    return brokerOf(await this.#routes.fresh(queue.topic), queue, use) !== undefined;
  }

  /**
   * @throws {FatalTaskError} `broker.topic_missing` for a queue that does not exist.
   * @throws {RetryableError} `broker.unavailable` for one whose broker is away.
   */
  async askOf<Answer>(queue: MessageQueue, use: QueueUse, command: Command<Answer>, time?: AskTime): Promise<Answer> {
    const { address } = this.#atHand(queue, use) ?? (await this.reach(queue, use));
    try {
      return await this.askBroker(address, command, time);
    } catch (error) {
      if (!(error instanceof FatalTaskError) || error.code === 'broker.unauthorized') throw error;
      // What was turned away was not done. The queue may be gone, or its broker lies elsewhere and another has its address.
      const now = await this.#assertExists(queue, use);
      if (this.hasProxies || now.address === address) throw error;
      return this.askBroker(now.address, command, time);
    }
  }

  /** A connection to the broker that has the queue. */
  async reach(queue: MessageQueue, use: QueueUse): Promise<Connection> {
    const known = brokerOf(await this.#routes.of(queue.topic), queue, use);
    try {
      if (known !== undefined) return await this.#connect(known, queue);
    } catch (error) {
      const now = brokerOf(await this.#routes.fresh(queue.topic), queue, use);
      if (now === undefined || now.address === known?.address) throw error;
      return this.#connect(now, queue);
    }
    return this.#connect(await this.#assertExists(queue, use), queue);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  /** Where nothing is to be looked up or opened: then the request is on its way when whoever asks goes on. */
  #atHand(queue: MessageQueue, use: QueueUse): Connection | undefined {
    const broker = brokerOf(this.#routes.remembered(queue.topic) ?? null, queue, use);
    const address = this.hasProxies ? this.#proxies[this.#proxy] : broker?.address;
    return broker === undefined || address === undefined ? undefined : this.#connections.atHand(address);
  }

  async #assertExists(queue: MessageQueue, use: QueueUse): Promise<BrokerRoute> {
    const found = foundIn(await this.#routes.fresh(queue.topic), queue, use);
    if (found !== undefined) return found;
    if (!(await this.#hasBroker(queue.brokerName))) throw queueAway(queue);
    // Asked for behind that: a broker that has come back meanwhile has told of its topics, too.
    const back = foundIn(await this.#nameServers.ask(getRoute(queue.topic)), queue, use);
    if (back === undefined) throw queueMissing(queue);
    return back;
  }

  /** A NameServer forgets a broker whose connection ended, and with it the broker's part of each topic. */
  async #hasBroker(name: string): Promise<boolean> {
    try {
      return (await this.brokers()).some(({ brokerName }) => brokerName === name);
    } catch (error) {
      // A proxy in the place of a NameServer does not say which brokers there are.
      if (error instanceof FatalTaskError) return false;
      throw error;
    }
  }

  async #connect({ address }: BrokerRoute, queue: MessageQueue): Promise<Connection> {
    if (this.hasProxies) return this.#connectProxy();
    if (address !== '') return this.#connections.to(address);
    const next = 'next: start its master (`brokerId=0`), or make one of its slaves the master';
    throw new RetryableError(`queue ${queueKey(queue)}: broker ${queue.brokerName} has no master at present; ${next}`, {
      code: 'broker.unavailable',
    });
  }

  async #connectProxy(): Promise<Connection> {
    const failures: string[] = [];
    for (let tried = 0; tried < this.#proxies.length; tried += 1) {
      const index = (this.#proxy + tried) % this.#proxies.length;
      try {
        const connection = await this.#connections.to(this.#proxies[index] ?? '');
        this.#proxy = index;
        return connection;
      } catch (error) {
        if (this.#proxies.length === 1) throw error;
        failures.push(withoutNext(error));
      }
    }
    const message = `no proxy can be reached: ${failures.join('; ')}; next: check that one of them runs and can be reached from here`;
    throw new RetryableError(message, { code: 'broker.unavailable' });
  }
}

/** @throws {RetryableError} for a queue that is to be written to, and can only be read. */
function foundIn(route: TopicRoute | null, queue: MessageQueue, use: QueueUse): BrokerRoute | undefined {
  const found = brokerOf(route, queue, use);
  if (found === undefined && brokerOf(route, queue, 'readQueues') !== undefined) throw queueNotWritable(queue);
  return found;
}
