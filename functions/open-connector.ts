/** Checks a connector's configuration and loads its plugins, once per revision and sandbox. */
import {
  type ConnectorConfig,
  type PluginChoice,
  parseConnectorConfig,
  parsePluginConfig,
} from '../core/config/connector-config.ts';
import type { Connector } from '../core/connector.ts';
import { ConfigError } from '../core/errors.ts';
import type { ShardId } from '../core/shard-id.ts';
import type { PluginContext } from '../plugins/api/context.ts';
import type { SinkPlugin } from '../plugins/api/sink.ts';
import type { SourcePlugin } from '../plugins/api/source.ts';
import type { Host } from './host.ts';
import type { OpenedConnector, OpenedSink, OpenedSource } from './opened-connector.ts';
import { Pipeline } from './pipeline.ts';

/** @throws {ConfigError} with every wrong key. */
export async function openConnector(host: Host, connector: Connector): Promise<OpenedConnector> {
  const kept = host.sandbox.connector(connector);
  if (kept !== undefined) return kept;
  const config = parseConnectorConfig(connector.config);
  const opened = await openPlugins(host, config);
  host.sandbox.keepConnector(connector, opened);
  return opened;
}

async function openPlugins(host: Host, config: ConnectorConfig): Promise<OpenedConnector> {
  const { plugin } = config.connector;
  const sink = await host.registry.findSink(plugin);
  if (sink !== undefined) return assemble(host, config, null, configuredSink(sink, config.connector));
  const source = await host.registry.findSource(plugin);
  if (source === undefined) throw new ConfigError([{ path: 'connector.class', message: `there is no ${plugin}` }]);
  const required = config.runtime['exactly.once.support'] === 'required';
  if (required && (!source.exactlyOnce || config.directSink !== null)) {
    throw new ConfigError([{ path: 'exactly.once.support', message: `${plugin} cannot publish each record once` }]);
  }
  return assemble(host, config, configuredSource(source, config.connector), await directSink(host, config));
}

function assemble(host: Host, config: ConnectorConfig, source: OpenedSource | null, sink: OpenedSink | null): OpenedConnector {
  // A log takes bytes.
  const pipeline = new Pipeline(host.registry, config, { writes: sink?.reads ?? 'bytes' });
  return { config, source, sink, pipeline };
}

async function directSink(host: Host, config: ConnectorConfig): Promise<OpenedSink | null> {
  if (config.directSink === null) return null;
  const { plugin } = config.directSink;
  const sink = await host.registry.findSink(plugin);
  if (sink === undefined) throw new ConfigError([{ path: 'sink.connector.class', message: `there is no ${plugin}` }]);
  if (sink.effect === 'versioned') {
    // A version is made of a record's offset, and without a log between there is none.
    throw new ConfigError([
      { path: 'sink.connector.class', message: `${plugin} needs offsets as versions, so it takes records from a topic only` },
    ]);
  }
  return configuredSink(sink, config.directSink);
}

function configuredSink(sink: SinkPlugin, choice: PluginChoice): OpenedSink {
  const config = parsePluginConfig(sink.config, choice);
  return { effect: sink.effect, reads: sink.reads, open: (context) => sink.open(config, context) };
}

function configuredSource(source: SourcePlugin, choice: PluginChoice): OpenedSource {
  const config = parsePluginConfig(source.config, choice);
  return {
    exactlyOnce: source.exactlyOnce,
    discoverEveryMs: source.discoverEveryMs,
    discover: (context) => source.discover(config, context),
    open: (shard, checkpoint, context) => source.open(config, shard, checkpoint, context),
  };
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
