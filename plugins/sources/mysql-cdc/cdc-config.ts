import { z } from 'zod';
import { booleanKey, enumKey, intKey, passwordKey, textKey } from '../../../core/config/keys.ts';
import { isChosen, patternsKey } from '../change-capture/patterns-key.ts';
import { operationsKey } from './operations-key.ts';
import { routesKey } from './routes-key.ts';

/** The databases of the server itself. */
const SYSTEM = new Set(['mysql', 'information_schema', 'performance_schema', 'sys']);

/** Named as Debezium names them. */
export const CdcConfig = z
  .object({
    'database.hostname': textKey().describe('Host of the MySQL or MariaDB server.'),
    'database.port': intKey({ min: 1, max: 65_535 }).default(3_306).describe('Port of the server.'),
    'database.user': textKey().describe(
      'User to log in as. It needs REPLICATION SLAVE and REPLICATION CLIENT, and SELECT on the tables that are captured.',
    ),
    'database.password': passwordKey().default('').describe('Password of that user.'),
    'database.ssl.mode': enumKey(['disabled', 'required', 'verify_ca', 'verify_identity'])
      .default('disabled')
      .describe(
        'required: encrypt, and take every certificate. verify_ca: take those that a known authority vouches for. verify_identity: and only for this host.',
      ),
    'database.ssl.ca.file': textKey()
      .default('')
      .describe('PEM file of the authorities that may vouch for the server. Empty: those that Node.js knows.'),
    'database.server.id': intKey({ min: 0, max: 2 ** 32 - 1 })
      .default(0)
      .describe(
        'Number that the server knows this connector by, as one of its replicas: no other replica may have it. 0: one is made of what the connector is known by.',
      ),
    'topic.prefix': textKey().describe(
      'First part of the names of topics and schemas. The topic of a table is <topic.prefix>.<database>.<table>.',
    ),
    'topic.delimiter': textKey()
      .default('.')
      .describe('Between the parts of the name of a topic. RocketMQ takes no dots there; - or _ will do.'),
    'database.include.list': patternsKey()
      .default([])
      .describe('Regular expressions (RE2) for databases to capture; empty: all.'),
    'database.exclude.list': patternsKey().default([]).describe('Regular expressions (RE2) for databases not to capture.'),
    'table.include.list': patternsKey()
      .default([])
      .describe(
        'Regular expressions (RE2) for tables to capture, each for <database>.<table>; empty: all. Also for tables added later.',
      ),
    'table.exclude.list': patternsKey()
      .default([])
      .describe('Regular expressions (RE2) for tables not to capture, each for <database>.<table>.'),
    'column.include.list': patternsKey()
      .default([])
      .describe('Regular expressions (RE2) for columns to give, each for <database>.<table>.<column>; empty: all.'),
    'column.exclude.list': patternsKey()
      .default([])
      .describe('Regular expressions (RE2) for columns to leave out, each for <database>.<table>.<column>. Keys keep theirs.'),
    'column.mask.list': patternsKey()
      .default([])
      .describe('Regular expressions (RE2) for columns whose values become ****, each for <database>.<table>.<column>.'),
    'column.hash.list': patternsKey()
      .default([])
      .describe(
        'Regular expressions (RE2) for columns whose values become their SHA-256 in hexadecimal digits, each for <database>.<table>.<column>. In keys, too.',
      ),
    'column.hash.salt': passwordKey()
      .default('')
      .describe('Stands before each value that is hashed, so that nobody can try out which it was.'),
    'topic.per': enumKey(['table', 'database', 'all'])
      .default('table')
      .describe(
        'A topic for each table; for each database, <topic.prefix>.<database>; or one for all, <topic.prefix>. Where tables share a topic, keys say which table they are of, as those of Debezium do.',
      ),
    'topic.routes': routesKey()
      .default([])
      .describe(
        'Tables that share a topic: PATTERN -> NAME, with semicolons between several. Tables whose <database>.<table> fits the regular expression (RE2) go to the topic that a table of that name would have; $1 is what its first group has. Such as shop\\.orders_\\d+ -> shop.orders',
      ),
    'snapshot.mode': enumKey(['initial', 'schema_only', 'never', 'when_needed'])
      .default('initial')
      .describe(
        'initial: give the rows that tables have when the connector starts, and the changes since. schema_only: only changes that are made from then on. never: all changes that the log of the server has, from its beginning. when_needed: as initial, and rows again where the log does not reach back to where the connector stands.',
      ),
    'snapshot.max.threads': intKey({ min: 1, max: 64 })
      .default(1)
      .describe(
        '1: tables are read one after another, between changes. More: each is read by a shard of its own, and large ones in so many ranges of their keys, as many at once as tasks.max allows; changes follow when all are read.',
      ),
    'output.format': enumKey(['envelope', 'flat'])
      .default('envelope')
      .describe(
        "envelope: Debezium's, with before, after, op and source. flat: the row itself with __op, __db, __table, __source_ts_ms and __deleted, as Debezium's ExtractNewRecordState makes it.",
      ),
    'tombstones.on.delete': booleanKey()
      .default(false)
      .describe('Send a record with the key and no value after each deletion, for logs that compact by key.'),
    'skipped.operations': operationsKey()
      .default(['t'])
      .describe(
        'Kinds of changes that are not sent: c (inserts), u (updates), d (deletions), t (TRUNCATE, which takes all rows of a table at once), or none.',
      ),
    'schema.changes.topic': textKey()
      .default('')
      .describe(
        'Topic for the statements that create, alter, rename, truncate and drop captured tables and databases. Empty: they are not sent.',
      ),
    'provide.transaction.metadata': booleanKey()
      .default(false)
      .describe(
        'Say of each event in an envelope which one of its transaction it is, and in a topic where transactions with captured changes begin and end, with the number of their events.',
      ),
    'topic.transaction': textKey().default('transaction').describe('Last part of the name of that topic, behind topic.prefix.'),
    'heartbeat.interval.ms': intKey({ min: 0, max: 86_400_000 })
      .default(0)
      .describe(
        'How often to send a record that says that the connector is at work, though nothing is changed, to the topic <topic.heartbeat.prefix>.<topic.prefix>. 0: none.',
      ),
    'topic.heartbeat.prefix': textKey().default('__debezium-heartbeat').describe('First part of the name of that topic.'),
    'decimal.handling.mode': enumKey(['string', 'precise', 'double'])
      .default('string')
      .describe("DECIMAL as text, as Kafka Connect's Decimal, or as a double, which rounds it."),
    'bigint.unsigned.handling.mode': enumKey(['long', 'precise', 'string'])
      .default('long')
      .describe(
        "BIGINT UNSIGNED as a 64-bit integer, which fails at values above 9223372036854775807; as Kafka Connect's Decimal; or as text.",
      ),
    'time.precision.mode': enumKey(['adaptive_time_microseconds', 'connect', 'string'])
      .default('adaptive_time_microseconds')
      .describe(
        "Dates and times as Debezium's numbers since 1970, in days, milliseconds or microseconds as they need; as Kafka Connect's, which have milliseconds; or as text, as the server prints them. A TIMESTAMP is text in UTC in the first two.",
      ),
    'binary.handling.mode': enumKey(['bytes', 'base64', 'hex'])
      .default('bytes')
      .describe('BINARY, VARBINARY and BLOB as bytes, or as text in base64 or hexadecimal digits.'),
    'invalid.dates': enumKey(['fail', 'null'])
      .default('fail')
      .describe(
        'What becomes of a date that no calendar has, such as 0000-00-00, where dates are numbers: the shard fails, or the value is null.',
      ),
    'poll.interval.ms': intKey({ min: 10, max: 3_600_000 })
      .default(100)
      .describe('How often to look for changes while there are none, where the log is not followed (freshness.ms above 0).'),
  })
  .superRefine((config, context) => {
    for (const what of ['database', 'table', 'column'] as const) {
      if (config[`${what}.include.list`].length === 0 || config[`${what}.exclude.list`].length === 0) continue;
      context.addIssue({
        code: 'custom',
        path: [`${what}.exclude.list`],
        message: `cannot be combined with ${what}.include.list: give one of the two`,
      });
    }
    if (config['database.ssl.ca.file'] !== '' && !config['database.ssl.mode'].startsWith('verify_')) {
      context.addIssue({
        code: 'custom',
        path: ['database.ssl.ca.file'],
        message: 'means nothing unless database.ssl.mode verifies',
      });
    }
  });

export type CdcSettings = z.output<typeof CdcConfig>;

export type TableLists = Pick<
  CdcSettings,
  'database.include.list' | 'database.exclude.list' | 'table.include.list' | 'table.exclude.list'
>;

/** Whether a table is captured. Tables of the server itself never are. */
export function tableFilter(config: TableLists): (database: string, table: string) => boolean {
  const isDatabaseChosen = databaseFilter(config);
  const tables = { include: config['table.include.list'], exclude: config['table.exclude.list'] };
  return (database, table) => isDatabaseChosen(database) && isChosen(`${database}.${table}`, tables);
}

/** Whether tables of a database may be captured. */
export function databaseFilter(config: TableLists): (database: string) => boolean {
  const databases = { include: config['database.include.list'], exclude: config['database.exclude.list'] };
  return (database) => !SYSTEM.has(database.toLowerCase()) && isChosen(database, databases);
}
