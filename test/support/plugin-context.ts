import { systemFetch } from '../../adapters/system.ts';
import type { Clock } from '../../core/ports.ts';
import { shardId } from '../../core/shard-id.ts';
import type { PluginContext } from '../../plugins/api/context.ts';
import { ManualClock } from './manual-clock.ts';

/** What a plugin gets from a host that has nothing to say: metrics and logs go nowhere. */
export function aPluginContext({ clock = new ManualClock() }: { readonly clock?: Clock } = {}): PluginContext {
  let ids = 0;
  return {
    connector: 'orders',
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
    log: () => undefined,
    count: () => undefined,
  };
}
