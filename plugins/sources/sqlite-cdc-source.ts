import { defineSource } from '../api/source.ts';
import { CdcConfig } from './sqlite-cdc/cdc-config.ts';
import { VERSION } from './sqlite-cdc/version.ts';

/** The one shard is always the same. */
const DISCOVER_EVERY_MS = 3_600_000;

/**
 * Every row of an SQLite database, then every change of it, in the order of commits: as change events in Debezium's envelope, or
 * as flat rows. Each record is published once. One shard, so that the order holds across tables.
 *
 * Triggers write the changes into a table of the database itself, within the application's own transactions; the file is kept in
 * WAL mode, so that neither side waits for the other. Rows that were
 * deleted while a table had no triggers, because it was dropped and created again, are not seen; nor is a row that
 * `INSERT OR REPLACE` removes for the sake of a unique index on an expression.
 *
 * A table without a primary key is keyed by its rowid, which `VACUUM` may change. A column cannot be dropped while triggers name
 * it: stop the connector and drop its triggers before; they are made again. What it adds to the database stays there when it is
 * deleted: `docs/plugins/sqlite-cdc-source.md`.
 */
export const sqliteCdcSource = defineSource({
  name: 'sqlite-cdc-source',
  version: VERSION,
  exactlyOnce: true,
  discoverEveryMs: DISCOVER_EVERY_MS,
  config: CdcConfig,

  async discover() {
    return [{ names: ['database'], finite: false }];
  },

  async open(config, _shard, checkpoint, context) {
    // The driver is loaded with the reader, so that a host that only checks configurations needs none.
    const { CdcReader } = await import('./sqlite-cdc/cdc-reader.ts');
    return CdcReader.open(config, checkpoint, context);
  },
});
