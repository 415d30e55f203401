/** How far consumer groups have come in topics, as brokers keep it for their own tools. */
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Cluster } from './cluster.ts';
import type { Command } from './command.ts';
import { queryGroupOffset, updateGroupOffset } from './commands/group-offsets.ts';
import { groupsOfTopic } from './commands/groups-of-topic.ts';
import { BEHIND_ALL, pullMessage } from './commands/pull-message.ts';
import type { Names } from './names.ts';

export interface ConsumerGroupsParts {
  readonly cluster: Cluster;
  readonly names: Names;
}

export class ConsumerGroups {
  readonly #cluster: Cluster;
  readonly #names: Names;

  constructor({ cluster, names }: ConsumerGroupsParts) {
    this.#cluster = cluster;
    this.#names = names;
  }

  async note(queue: MessageQueue, group: string, offset: bigint): Promise<void> {
    const name = this.#names.onWire(group);
    const note = (): Promise<boolean> => this.#ask(queue, (wire) => updateGroupOffset(wire, name, offset));
    if (await note()) return;
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

  #ask<Answer>(queue: MessageQueue, command: (wire: MessageQueue) => Command<Answer>): Promise<Answer> {
    const wire = this.#names.queueOnWire(queue);
    return this.#cluster.askOf(wire, 'readQueues', command(wire));
  }
}
