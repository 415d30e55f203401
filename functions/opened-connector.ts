/** A connector's configuration, checked, with its plugins loaded: what all shards of one revision share. */
import type { ConnectorConfig } from '../core/config/connector-config.ts';
import type { Json } from '../core/json.ts';
import type { PluginContext } from '../plugins/api/context.ts';
import type { Effect, SinkWriter } from '../plugins/api/sink.ts';
import type { SourceReader, SourceShard } from '../plugins/api/source.ts';
import type { Pipeline } from './pipeline.ts';

/** A plugin with its configuration applied. */
export interface OpenedSink {
  readonly effect: Effect;
  readonly reads: 'values' | 'bytes';
  open(context: PluginContext): Promise<SinkWriter>;
}

export interface OpenedSource {
  readonly exactlyOnce: boolean;
  readonly discoverEveryMs: number;
  discover(context: PluginContext): Promise<readonly SourceShard[]>;
  open(shard: readonly string[], checkpoint: Json, context: PluginContext): Promise<SourceReader>;
}

export interface OpenedConnector {
  readonly config: ConnectorConfig;
  /** `null` for a sink connector, whose reader is a log. */
  readonly source: OpenedSource | null;
  /** `null` for a source connector, whose writer is a log. */
  readonly sink: OpenedSink | null;
  readonly pipeline: Pipeline;
}
