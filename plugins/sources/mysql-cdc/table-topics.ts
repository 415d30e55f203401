/** Which topic the records of a table go to. */
import { FatalTaskError } from '../../../core/errors.ts';
import { topicName } from '../change-capture/topic-name.ts';
import type { CdcSettings } from './cdc-config.ts';

export interface TableTopic {
  readonly topic: string;
  /** Records of other tables may be in it, too. */
  readonly isShared: boolean;
}

export class TableTopics {
  readonly #config: CdcSettings;
  /** Of topics that are for one table. */
  readonly #owners = new Map<string, string>();

  constructor(config: CdcSettings) {
    this.#config = config;
  }

  /** @throws {FatalTaskError} where records of two tables would pass for those of one. */
  of(database: string, table: string): TableTopic {
    const { 'topic.prefix': prefix, 'topic.delimiter': delimiter, 'topic.per': per } = this.#config;
    const routed = this.#routed(`${database}.${table}`);
    if (routed !== null) return { topic: topicName([prefix, ...routed.split('.')].join(delimiter)), isShared: true };
    if (per === 'all') return { topic: topicName(prefix), isShared: true };
    if (per === 'database') return { topic: topicName([prefix, database].join(delimiter)), isShared: true };
    const topic = topicName([prefix, database, table].join(delimiter));
    this.#demandOwn(topic, `${database}.${table}`);
    return { topic, isShared: false };
  }

  /** What the first route that fits makes of a name; `$1` is what its first group has. */
  #routed(name: string): string | null {
    const route = this.#config['topic.routes'].find(({ pattern }) => pattern.matches(name));
    return route === undefined ? null : route.pattern.matcher(name).replaceFirst(route.name);
  }

  #demandOwn(topic: string, name: string): void {
    const owner = this.#owners.get(topic) ?? name;
    this.#owners.set(topic, owner);
    if (owner === name) return;
    throw new FatalTaskError(
      `tables ${owner} and ${name} would both be sent to the topic ${topic}; next: give one of them another with topic.routes, or leave it out`,
    );
  }
}
