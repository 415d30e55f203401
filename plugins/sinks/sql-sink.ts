import { defineSink } from '../api/sink.ts';
import { SqlSinkConfig } from './sql/sql-config.ts';

/**
 * Writes records as rows of an SQLite database: one transaction per put, with the position of its shard in the same one, so that
 * each record is written exactly once, whatever dies when. Any number of connectors and processes may write one database; the
 * file is kept in WAL mode.
 *
 * Records are flat, or change events in Debezium's envelope. What has no schema is taken as it is, in columns without a declared type:
 * integers of 64 bits keep every digit, and texts their zeros. A value that a column would turn into another is refused. Decimals, dates and times of Kafka Connect's logical types become text (`2026-01-31`, `12:00:00.000`, both with a
 * blank between for timestamps, in UTC), arrays, maps and structs become JSON text. NaN is refused, as SQLite has none.
 *
 * A batch with a record that a constraint or a column refuses is rolled back and put again without it.
 */
export const sqlSink = defineSink({
  name: 'sql-sink',
  version: '1.0.0',
  effect: 'transactional',
  reads: 'values',
  config: SqlSinkConfig,

  async open(config) {
    // The driver is loaded with the writer, so that a host that only checks configurations needs none.
    const { SqlWriter } = await import('./sql/sql-writer.ts');
    return SqlWriter.open(config);
  },
});
