/** What a source or sink gets from its host. Plugins reach time, chance, the web and logs only through it. */

import type { Json } from '../../core/json.ts';
import type { Clock, LogBroker, LogLevel, Random } from '../../core/ports.ts';
import type { ShardId } from '../../core/shard-id.ts';

/**
 * The web's `fetch`, one request at a call. Connections are kept and shared by all plugins of a host, so an answer is read to its
 * end, or cancelled where that is too far away. Nothing limits the time but `signal`: whoever calls ends a request, and the
 * reading of its answer, in the time it has. Redirects are followed unless `redirect` says otherwise, and take the headers along.
 * An answer of any status resolves; it rejects where there is none, whether or not the request arrived.
 */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * The log as whoever keeps something beside a source's records sees it: records go there through `poll` alone. Nothing that a direct
 * connector polls reaches it.
 */
export type LogView = Pick<LogBroker, 'queues' | 'bounds' | 'read' | 'offsetAt' | 'groups' | 'noteGroup'>;

/** A shard that a discovery has found, then or now. */
export interface FoundShard {
  readonly names: readonly string[];
  /** As it was committed last; `null`: it is at its beginning. */
  readonly checkpoint: Json;
  /** It was finite, and has ended. */
  readonly isDone: boolean;
}

export interface PluginContext {
  readonly connector: string;
  /** When the connector was created, epoch ms: what a start at the end means, for all of its shards and however late they open. */
  readonly createdAtMs: number;
  readonly shard: ShardId;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: Fetch;
  readonly broker: LogView;
  /** Those of this connector, where it is a source's: a look at them all, for shards that begin when others are done. */
  shards(): Promise<readonly FoundShard[]>;
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** An event of the plugin's own: shown by its name and the connector's. A plugin has a handful of names, and makes none from records. */
  count(event: string, by?: number): void;
}
