import type { RE2JS } from 're2js';
import { z } from 'zod';
import { enumKey, intKey, listKey, textKey } from '../../../core/config/keys.ts';
import { recordFilter } from '../../../core/config/record-filter.ts';
import { messageOf } from '../../../core/errors.ts';
import type { RecordFilter } from '../../../core/ports.ts';
import { compilePattern } from '../../pattern.ts';
import { checkReplication, replicationKeys } from '../../replication/replication-keys.ts';

/** Where queues are read from at first: a time is epoch ms. */
export type Start = 'earliest' | 'latest' | number;

export const SourceConfig = z
  .object({
    ...replicationKeys,
    'source.topics': listKey().default([]).describe('Topics to copy.'),
    'source.topics.regex': textKey()
      .transform((pattern, context): RE2JS => {
        try {
          return compilePattern(pattern);
        } catch (error) {
          context.addIssue({ code: 'custom', message: messageOf(error) });
          return z.NEVER;
        }
      })
      .optional()
      .describe(
        'Regular expression (RE2) for whole names of topics to copy besides, also of those that are created later. Topics of RocketMQ itself are not among them.',
      ),
    'auto.offset.reset': textKey()
      .transform((text, context): Start => {
        if (text === 'earliest' || text === 'latest') return text;
        const atMs = Date.parse(text);
        if (!Number.isNaN(atMs)) return atMs;
        context.addIssue({
          code: 'custom',
          message: `must be earliest, latest or an ISO 8601 time, not ${JSON.stringify(text)}`,
        });
        return z.NEVER;
      })
      .default('earliest')
      .describe(
        'Where copying begins in queues that exist when the connector is created: earliest, latest, or an ISO 8601 time. Queues found later are copied from their first record.',
      ),
    'filter.tags': listKey({ separator: '||' })
      .default([])
      .describe(
        'Tags of the records to copy, with || between them; brokers of the source leave out all others. Empty, or *: all records.',
      ),
    'filter.sql': textKey()
      .optional()
      .describe(
        'SQL92 expression over tag, key and properties (TAGS, KEYS, and properties by their names): the records for which it is true are copied. Brokers of the source evaluate it, with enablePropertyFilter=true.',
      ),
    'gap.policy': enumKey(['fail', 'skip'])
      .default('fail')
      .describe(
        'When retention removed records before they were copied: fail the shard, or go on behind the gap, and log and count it.',
      ),
    'poll.interval.ms': intKey({ min: 10, max: 3_600_000 })
      .default(1_000)
      .describe('How long after its end was reached a queue is looked at again, unless its end is being followed.'),
    'sync.groups': listKey()
      .default([])
      .describe(
        'Consumer groups whose offsets are copied too: each is put at the first copy that the group has not consumed at the source. Only ever forward.',
      ),
    'sync.groups.interval.ms': intKey({ min: 1_000, max: 86_400_000 })
      .default(60_000)
      .describe('How often the offsets of sync.groups are copied.'),
  })
  .superRefine((config, context) => {
    checkReplication(config, context);
    if (config['filter.tags'].length > 0 && config['filter.sql'] !== undefined)
      context.addIssue({ code: 'custom', path: ['filter.sql'], message: 'cannot be combined with filter.tags' });
    if (config['source.topics'].length > 0 || config['source.topics.regex'] !== undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['source.topics'],
      message: 'either source.topics or source.topics.regex is required',
    });
  });

export type SourceSettings = z.output<typeof SourceConfig>;

export function filterOf({ 'filter.tags': tags, 'filter.sql': sql92 }: SourceSettings): RecordFilter | null {
  return recordFilter({ tags, sql92 });
}
