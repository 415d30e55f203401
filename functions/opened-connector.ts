/** A connector's configuration, checked, with its plugins loaded: what all shards of one revision share. */
import type { ConnectorConfig } from '../core/config/connector-config.ts';
import type { ConfiguredConnector } from '../plugins/configure.ts';
import type { Pipeline } from './pipeline.ts';

export interface OpenedConnector extends Pick<ConfiguredConnector, 'source' | 'sink'> {
  readonly config: ConnectorConfig;
  readonly pipeline: Pipeline;
}
