/** What a source or sink gets from its host. Plugins reach time, chance and logs only through it. */
import type { Clock, Labels, LogLevel, Random } from '../../core/ports.ts';
import type { ShardId } from '../../core/shard-id.ts';

export interface PluginContext {
  readonly connector: string;
  readonly shard: ShardId;
  readonly clock: Clock;
  readonly random: Random;
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A metric of the plugin's own, labelled with the connector. */
  count(name: string, labels?: Labels, by?: number): void;
}
