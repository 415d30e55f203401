import type { PluginContext } from '../../api/context.ts';
import type { SourceShard } from '../../api/source.ts';
import type { CdcSettings } from './cdc-config.ts';
import { connect } from './connection-of.ts';
import { demandReady } from './preflight.ts';
import { sourceError } from './source-error.ts';

/** The one shard, once the server is as it must be. */
export async function discoverShards(config: CdcSettings, context: PluginContext): Promise<readonly SourceShard[]> {
  try {
    const connection = await connect(config, context);
    try {
      await demandReady(connection);
    } finally {
      connection.close();
    }
  } catch (error) {
    throw sourceError(error, config);
  }
  return [{ names: ['binlog'], finite: false }];
}
