import type { PluginContext } from '../../api/context.ts';
import type { SourceShard } from '../../api/source.ts';
import { readsRows } from './beginning.ts';
import type { CdcSettings } from './cdc-config.ts';
import { connect } from './connection-of.ts';
import { demandReady } from './preflight.ts';
import { shardsFor } from './ranges.ts';
import { sourceError } from './source-error.ts';

/** Once the server is as it must be. */
export async function discoverShards(config: CdcSettings, context: PluginContext): Promise<readonly SourceShard[]> {
  try {
    const connection = await connect(config, context);
    try {
      await demandReady(connection, { readsRows: readsRows(config) });
      return await shardsFor(connection, config, await context.shards());
    } finally {
      connection.close();
    }
  } catch (error) {
    throw sourceError(error, config);
  }
}
