/** A connector's configuration, checked, with its plugins loaded: what all shards of one revision share. */
import type { ConnectorConfig } from '../core/config/connector-config.ts';
import type { Connector } from '../core/connector.ts';
import type { RecordFilter } from '../core/ports.ts';
import type { ConfiguredConnector } from '../plugins/configure.ts';
import type { Pipeline } from './pipeline.ts';

/** What a station was opened with: a revision of a configuration, and the secrets that were put into it then. */
export interface Edition {
  readonly revision: number;
  /** Grows with each opening in this sandbox. */
  readonly opening: number;
}

/** A configuration with what its placeholders stand for. It stays in the memory of its host. */
export interface ResolvedConfig {
  readonly config: Connector['config'];
  /** What was put in, in the order of the keys; empty where there are no placeholders. */
  readonly values: readonly string[];
  /** When values were asked for last, also where no answer came. Wall time: it goes on while a sandbox is frozen. */
  readonly askedAtMs: number;
}

export interface OpenedConnector extends Edition, Pick<ConfiguredConnector, 'source' | 'sink'> {
  readonly config: ConnectorConfig;
  readonly resolved: ResolvedConfig;
  /** Which records of its topics a sink gets; `null`: all. */
  readonly filter: RecordFilter | null;
  readonly pipeline: Pipeline;
}
