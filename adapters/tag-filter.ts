/** Filters of logs that know tags alone. */
import { FatalTaskError } from '../core/errors.ts';
import type { ReadLimits, ReadResult, RecordFilter } from '../core/ports.ts';

/** Why such a log has no use for a filter. */
export function tagsOnlyProblem({ kind }: RecordFilter): string | null {
  return kind === 'tags' ? null : 'is evaluated by the brokers of RocketMQ; this log knows tags alone';
}

/** What the filter lets pass of what was read. */
export function filtered(result: ReadResult, { filter }: ReadLimits): ReadResult {
  if (filter === undefined) return result;
  if (filter.kind !== 'tags')
    throw new FatalTaskError(`a filter by ${filter.kind} ${tagsOnlyProblem(filter)}`, { code: 'broker.refused' });
  const { tags } = filter;
  return { ...result, records: result.records.filter(({ tag }) => tag !== null && tags.includes(tag)) };
}
