/** Which topic the records of a table go to. */
import { FatalTaskError } from '../../../core/errors.ts';
import type { CdcSettings } from './cdc-config.ts';

/**
 * Logs take letters, digits and `. _ -`. Other characters of ASCII become `_`, as with Debezium; all beyond are written out by their
 * numbers, or two names in another script would be one as soon as they are of the same length.
 */
export function topicOf(config: CdcSettings, table: string): string {
  const name = config['topic.prefix'] + config['topic.delimiter'] + table;
  return name.replace(/[^\w.-]/g, (character) => (character <= '\x7f' ? '_' : writtenOut(character)));
}

/** Of one of UTF-16's units. */
function writtenOut(unit: string): string {
  return `_u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
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
