/** Checks a connector's configuration and loads its plugins, once per revision and sandbox. */
import { parseConnectorConfig } from '../core/config/connector-config.ts';
import type { Connector } from '../core/connector.ts';
import type { ShardId } from '../core/shard-id.ts';
import type { PluginContext } from '../plugins/api/context.ts';
import { configureConnector } from '../plugins/configure.ts';
import type { Host } from './host.ts';
import type { OpenedConnector } from './opened-connector.ts';
import { Pipeline } from './pipeline.ts';

/** @throws {ConfigError} with every wrong key. */
export async function openConnector(host: Host, connector: Connector): Promise<OpenedConnector> {
  const kept = host.sandbox.connector(connector);
  if (kept !== undefined) return kept;
  const config = parseConnectorConfig(connector.config);
  const configured = await configureConnector(host.registry, config);
  // A log takes bytes.
  const pipeline = new Pipeline(configured, { writes: configured.sink?.reads ?? 'bytes' });
  const opened: OpenedConnector = { config, source: configured.source, sink: configured.sink, pipeline };
  host.sandbox.keepConnector(connector, opened);
  return opened;
}

export function pluginContext(host: Host, connector: string, shard: ShardId): PluginContext {
  return {
    connector,
    shard,
    clock: host.clock,
    random: host.random,
    log: (level, message, fields = {}) => host.telemetry.log(level, message, { ...fields, connector, shard }),
    count: (name, labels = {}, by = 1) => host.telemetry.count(name, { ...labels, connector }, by),
  };
}
