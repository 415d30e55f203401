/** How far consumer groups have come in topics, as brokers keep it for their own tools. */
import { FatalTaskError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Cluster } from './cluster.ts';
import type { Command } from './command.ts';
import { createTopic } from './commands/create-topic.ts';
import { queryGroupOffset, updateGroupOffset } from './commands/group-offsets.ts';
import { groupsOfTopic } from './commands/groups-of-topic.ts';
import { BEHIND_ALL, pullMessage } from './commands/pull-message.ts';
import type { Names } from './names.ts';
import { retryTopicOf } from './system-topics.ts';

export interface ConsumerGroupsParts {
  readonly cluster: Cluster;
  readonly names: Names;
}

export class ConsumerGroups {
  readonly #cluster: Cluster;
  readonly #names: Names;
  /** Topics that are being made, by broker and name: all queues of a broker begin with a group at once. */
  readonly #making = new Map<string, Promise<void>>();

  constructor({ cluster, names }: ConsumerGroupsParts) {
    this.#cluster = cluster;
    this.#names = names;
  }

  async note(queue: MessageQueue, group: string, offset: bigint): Promise<void> {
    const name = this.#names.onWire(group);
    const note = (): Promise<boolean> => this.#ask(queue, (wire) => updateGroupOffset(wire, name, offset));
    if (await note()) return;
    // Before the group: whoever dies in between finds no group, and comes here again.
    await this.#makeRetryTopic(queue, name);
    // A broker makes a group for whoever reads, and for nobody who notes.
    await this.#ask(queue, (wire) => pullMessage(wire, { group: name, offset: BEHIND_ALL, messages: 1, waitMs: 0 }));
    await note();
  }

  /** `null`: it noted nothing. */
  offset(queue: MessageQueue, group: string): Promise<bigint | null> {
    return this.#ask(queue, (wire) => queryGroupOffset(wire, this.#names.onWire(group)));
  }

  /** Those that once noted how far they had come in a topic, ascending. */
  async of(topic: string): Promise<readonly string[]> {
    const wireTopic = this.#names.onWire(topic);
    const route = await this.#cluster.route(wireTopic);
    const brokers = (route?.brokers ?? []).filter(({ address }) => address !== '');
    const groups = await Promise.all(brokers.map(({ address }) => this.#cluster.askBroker(address, groupsOfTopic(wireTopic))));
    const names = groups.flat().flatMap((group) => this.#names.fromWire(group) ?? []);
    return [...new Set(names)].sort();
  }

  /**
   * `mqadmin consumerProgress` finds groups, and the brokers that know them, by the topics of their retries. Nothing is ever put into
   * this one. Proxies carry no creation of topics, and where it is not allowed a group is noted all the same.
   */
  async #makeRetryTopic(queue: MessageQueue, group: string): Promise<void> {
    if (this.#cluster.hasProxies) return;
    const topic = retryTopicOf(group);
    const key = `${queue.brokerName}/${topic}`;
    const making = this.#making.get(key) ?? this.#ask(queue, () => createTopic(topic, 1));
    this.#making.set(key, making);
    try {
      await making;
    } catch (error) {
      if (!(error instanceof FatalTaskError)) throw error;
    } finally {
      this.#making.delete(key);
    }
  }

  #ask<Answer>(queue: MessageQueue, command: (wire: MessageQueue) => Command<Answer>): Promise<Answer> {
    const wire = this.#names.queueOnWire(queue);
    return this.#cluster.askOf(wire, 'readQueues', command(wire));
  }
}
