import { defineSource } from '../api/source.ts';
import { CdcConfig } from './mysql-cdc/cdc-config.ts';
import { VERSION } from './mysql-cdc/version.ts';

/** The one shard is always the same. */
const DISCOVER_EVERY_MS = 3_600_000;

/**
 * Every change of the rows of a MySQL (8 and 9) or MariaDB (10.5 and newer) server, in the order of commits: as change events in
 * Debezium's envelope, or as flat rows. Each record is published once. One shard, so that the order holds across tables.
 *
 * It reads the server's binary log as a replica does. Begins with the changes that are made after the connector has started.
 */
export const mysqlCdcSource = defineSource({
  name: 'mysql-cdc-source',
  version: VERSION,
  exactlyOnce: true,
  discoverEveryMs: DISCOVER_EVERY_MS,
  config: CdcConfig,

  async discover() {
    return [{ names: ['binlog'], finite: false }];
  },

  async open(config, _shard, checkpoint, context) {
    // The client is loaded with the reader, so that a host that only checks configurations needs none.
    const { CdcReader } = await import('./mysql-cdc/cdc-reader.ts');
    return new CdcReader(config, checkpoint, context);
  },
});
