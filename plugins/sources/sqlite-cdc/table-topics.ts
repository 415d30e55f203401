/** Which topic the records of a table go to. */
import { FatalTaskError } from '../../../core/errors.ts';
import { topicName } from '../change-capture/topic-name.ts';
import type { CdcSettings } from './cdc-config.ts';

export function topicOf(config: CdcSettings, table: string): string {
  return topicName(config['topic.prefix'] + config['topic.delimiter'] + table);
}

/** @throws {FatalTaskError} where rows of two tables would pass for those of one. */
export function demandOwnTopics(config: CdcSettings, tables: readonly { readonly name: string }[]): void {
  const seen = new Map<string, string>();
  for (const { name } of tables) {
    const topic = topicOf(config, name);
    const same = seen.get(topic);
    if (same !== undefined) {
      throw new FatalTaskError(
        `tables ${JSON.stringify(same)} and ${JSON.stringify(name)} would both be sent to the topic ${topic}; next: leave one of them out with table.exclude.list, and capture it by another connector with another topic.prefix`,
      );
    }
    seen.set(topic, name);
  }
}
