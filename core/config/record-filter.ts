/** Which records of its topics a sink wants, as its configuration says it. */
import type { RecordFilter } from '../ports.ts';
import type { RuntimeConfig } from './connector-config.ts';

export const FILTER_KEYS = {
  tags: 'consumer.override.filter.tags',
  sql92: 'consumer.override.filter.sql',
} as const satisfies Record<RecordFilter['kind'], keyof RuntimeConfig>;

/** RocketMQ's word for any tag, and none. */
const EVERYTHING = '*';

/** `null`: all of them. */
export function recordFilterOf(runtime: Pick<RuntimeConfig, (typeof FILTER_KEYS)[RecordFilter['kind']]>): RecordFilter | null {
  const { [FILTER_KEYS.tags]: tags, [FILTER_KEYS.sql92]: expression } = runtime;
  if (expression !== undefined) return { kind: 'sql92', expression };
  return tags.length === 0 || tags.includes(EVERYTHING) ? null : { kind: 'tags', tags };
}
