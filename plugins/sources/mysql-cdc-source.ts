import { defineSource } from '../api/source.ts';
import { CdcConfig } from './mysql-cdc/cdc-config.ts';
import { isRange } from './mysql-cdc/table-range.ts';
import { VERSION } from './mysql-cdc/version.ts';

/** Shards are found once; the server may be set up otherwise. */
const DISCOVER_EVERY_MS = 3_600_000;

/**
 * The rows of a MySQL (8 and 9) or MariaDB (10.5 and newer) server, then every change of them, in the order of
 * commits: as change events in Debezium's envelope, or as flat rows. Each record is published once. One shard has all changes, so that
 * the order holds across tables.
 *
 * It reads the server's binary log as a replica does, and between its changes the rows that tables have when the connector starts.
 */
export const mysqlCdcSource = defineSource({
  name: 'mysql-cdc-source',
  version: VERSION,
  exactlyOnce: true,
  discoverEveryMs: DISCOVER_EVERY_MS,
  config: CdcConfig,

  async discover(config, context) {
    const { discoverShards } = await import('./mysql-cdc/discovery.ts');
    return discoverShards(config, context);
  },

  async open(config, shard, checkpoint, context) {
    // The client is loaded with the reader, so that a host that only checks configurations needs none.
    if (isRange(shard)) {
      const { openRange } = await import('./mysql-cdc/range-reader.ts');
      return openRange(config, { names: shard, checkpoint, context });
    }
    const { CdcReader } = await import('./mysql-cdc/cdc-reader.ts');
    return new CdcReader(config, checkpoint, context);
  },
});
