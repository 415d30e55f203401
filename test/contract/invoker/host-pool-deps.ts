import { fileURLToPath } from 'node:url';
import type { HostPoolDeps } from '../../../adapters/invoke/host-pool.ts';
import { systemClock, systemRandom } from '../../../adapters/system.ts';
import type { LocalSettings } from '../../../functions/entry/local/local-settings.ts';

/** Hosts that run the product's entry over a data folder, with plugins that misbehave. */
export function hostPoolDeps(dataFolder: string): Omit<HostPoolDeps, 'telemetry'> {
  const registryModule = new URL('unruly-plugins.ts', import.meta.url).href;
  return {
    entry: new URL('../../../functions/entry/local.ts', import.meta.url),
    settings: { dataFolder, registryModule } satisfies LocalSettings,
    // Shared by all tests, for compiling takes longer than any of them.
    cacheFolder: fileURLToPath(new URL('../../../node_modules/.cache/hosts', import.meta.url)),
    clock: systemClock,
    random: systemRandom,
  };
}
