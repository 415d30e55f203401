import { z } from 'zod';
import { pathOfSqliteUrl } from '../../../clients/sqlite/sqlite-url.ts';
import { booleanKey, enumKey, listKey, textKey } from '../../../core/config/keys.ts';

const BOTH_PLACEHOLDERS = /\$\{(?:topic|source\.table)\}/g;

/** Named as Kafka Connect's JDBC sink names them. */
export const SqlSinkConfig = z
  .object({
    'connection.url': textKey()
      .transform((url, context) => {
        const path = pathOfSqliteUrl(url);
        if (path !== undefined) return path;
        context.addIssue({ code: 'custom', message: 'must be sqlite: and the path of a file, such as sqlite:/var/lib/shop.db' });
        return z.NEVER;
      })
      .describe('The database: sqlite: and the path of its file, which is created if it is missing.'),
    'table.name.format': textKey()
      .refine(
        (format) => !format.replace(BOTH_PLACEHOLDERS, '').includes('${'),
        'has another placeholder than ${topic} and ${source.table}',
      )
      .default('${topic}')
      .describe(
        'The table of a record. ${topic} stands for its topic, ${source.table} for the table that a change event names as its source; tombstones name none and are passed over then, as the event before them has deleted the row.',
      ),
    'insert.mode': enumKey(['insert', 'upsert', 'update'])
      .default('insert')
      .describe('insert: a row whose key exists is refused. upsert: it is replaced. update: rows are changed, none is added.'),
    'pk.mode': enumKey(['none', 'kafka', 'record_key', 'record_value'])
      .default('none')
      .describe(
        "Where the key columns come from: the record's key, its value, or (kafka) its topic, queue and offset. none: the table has no key.",
      ),
    'pk.fields': listKey()
      .default([])
      .describe(
        'Key columns. Empty: all fields of the key or value; __connect_topic, __connect_partition, __connect_offset with pk.mode=kafka. A key that is no struct takes one name.',
      ),
    'fields.whitelist': listKey()
      .default([])
      .describe('Fields of the value to write; empty: all. Key columns are always written.'),
    'delete.enabled': booleanKey()
      .default(false)
      .describe('Delete the row of a tombstone or of a deleting change event. false: such a record is refused.'),
    'auto.create': booleanKey()
      .default(false)
      .describe(
        'Create a table that is missing, with the columns of the record at hand; those of a record without a schema have no type, and take any value.',
      ),
    'auto.evolve': booleanKey().default(false).describe('Add columns that a record has and the table has not.'),
  })
  .superRefine((config, context) => {
    const refuse = (key: keyof typeof config, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    const pkMode = config['pk.mode'];
    if (config['insert.mode'] !== 'insert' && pkMode === 'none') {
      refuse('pk.mode', `must not be none with insert.mode=${config['insert.mode']}, which finds rows by their key`);
    }
    if (config['delete.enabled'] && pkMode !== 'record_key' && pkMode !== 'record_value') {
      refuse('pk.mode', 'must be record_key or record_value with delete.enabled=true, which finds rows by their key');
    }
    const count = config['pk.fields'].length;
    if (pkMode === 'kafka' && count !== 0 && count !== 3) refuse('pk.fields', 'must be three names with pk.mode=kafka, or empty');
  });

export type SqlSinkSettings = z.output<typeof SqlSinkConfig>;
