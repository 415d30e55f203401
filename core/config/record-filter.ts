/** Which records are wanted, as a configuration says it. */
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
  return recordFilter({ tags: runtime[FILTER_KEYS.tags], sql92: runtime[FILTER_KEYS.sql92] });
}

/** As `recordFilterOf`, for whoever has keys of its own. */
export function recordFilter({
  tags,
  sql92: expression,
}: {
  readonly tags: readonly string[];
  readonly sql92: string | undefined;
}): RecordFilter | null {
  if (expression !== undefined) return { kind: 'sql92', expression };
  return tags.length === 0 || tags.includes(EVERYTHING) ? null : { kind: 'tags', tags };
}
