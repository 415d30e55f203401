import { z } from 'zod';
import { pathOfSqliteUrl } from '../../../clients/sqlite/sqlite-url.ts';
import { booleanKey, enumKey, intKey, textKey } from '../../../core/config/keys.ts';
import { isChosen, patternsKey } from '../change-capture/patterns-key.ts';

/** Named as Debezium names them; `connection.url` and `poll.interval.ms` as Kafka Connect's JDBC source does. */
export const CdcConfig = z
  .object({
    'connection.url': textKey()
      .transform((url, context) => {
        const path = pathOfSqliteUrl(url);
        if (path !== undefined) return path;
        context.addIssue({ code: 'custom', message: 'must be sqlite: and the path of a file, such as sqlite:/var/lib/shop.db' });
        return z.NEVER;
      })
      .describe(
        'The database: sqlite: and the path of its file. Triggers and tables whose names begin with _sortie_ are added to it, and stay when the connector is deleted: see docs/plugins/sqlite-cdc-source.md.',
      ),
    'topic.prefix': textKey().describe(
      'First part of the names of topics and schemas. The topic of a table is <topic.prefix>.<table>, other characters of ASCII than letters, digits and . _ - made _, and those beyond _u and their number in hexadecimal.',
    ),
    'topic.delimiter': textKey()
      .default('.')
      .describe('Between topic.prefix and table in the name of a topic. RocketMQ takes no dots there; - or _ will do.'),
    'table.include.list': patternsKey()
      .default([])
      .describe(
        'Regular expressions (RE2) for the names of the tables to capture; empty: all. Also applies to tables added later.',
      ),
    'table.exclude.list': patternsKey().default([]).describe('Regular expressions (RE2) for the names of tables not to capture.'),
    'output.format': enumKey(['envelope', 'flat'])
      .default('envelope')
      .describe(
        "envelope: Debezium's, with before, after, op and source. flat: the row itself with __op, __table, __source_ts_ms and __deleted, as Debezium's ExtractNewRecordState makes it.",
      ),
    'tombstones.on.delete': booleanKey()
      .default(false)
      .describe('Send a record with the key and no value after each deletion, for logs that compact by key.'),
    'poll.interval.ms': intKey({ min: 10, max: 3_600_000 })
      .default(100)
      .describe('How often to look for changes while there are none.'),
  })
  .superRefine((config, context) => {
    if (config['table.include.list'].length === 0 || config['table.exclude.list'].length === 0) return;
    context.addIssue({
      code: 'custom',
      path: ['table.exclude.list'],
      message: 'cannot be combined with table.include.list: give one of the two',
    });
  });

export type CdcSettings = z.output<typeof CdcConfig>;

export function tableFilter(config: CdcSettings): (table: string) => boolean {
  const lists = { include: config['table.include.list'], exclude: config['table.exclude.list'] };
  return (table) => isChosen(table, lists);
}
