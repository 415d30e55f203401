import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { systemFetch } from '../../adapters/system.ts';
import { shardId } from '../../core/shard-id.ts';
import type { PluginContext } from '../../plugins/api/context.ts';
import { ManualClock } from './manual-clock.ts';

/** What a plugin gets from a host that has nothing to say: metrics and logs go nowhere. */
export function aPluginContext({ clock = new ManualClock(), ...fields }: Partial<PluginContext> = {}): PluginContext {
  let ids = 0;
  return {
    connector: 'orders',
    createdAtMs: 0,
    shard: shardId('uid', ['test', '0']),
    clock,
    random: {
      next: () => 0.5,
      id: () => {
        ids += 1;
        return `id-${ids}`;
      },
    },
    fetch: systemFetch,
    broker: new MemoryLogBroker({ clock }),
    shards: async () => [],
    log: () => undefined,
    count: () => undefined,
    ...fields,
  };
}
