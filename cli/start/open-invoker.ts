/** The invoker that a name stands for, with everything it needs to run invocations. */
import { join } from 'node:path';
import type { HostPoolDeps } from '../../adapters/invoke/host-pool.ts';
import { ProcessInvoker } from '../../adapters/invoke/process-invoker.ts';
import { ThreadInvoker } from '../../adapters/invoke/thread-invoker.ts';
import { unreachable } from '../../core/assert.ts';
import type { LocalSettings } from '../../functions/entry/local/local-settings.ts';
import type { InvokerName } from '../invoker-names.ts';
import type { InvokerParts, OpenedInvoker } from './opened-invoker.ts';

const ENTRY = new URL('../../functions/entry/local.ts', import.meta.url);

/** What runs invocations is loaded where they run: threads and processes do that themselves. */
export async function openInvoker(name: InvokerName, parts: InvokerParts): Promise<OpenedInvoker> {
  switch (name) {
    case 'threads':
      return new ThreadInvoker(poolDeps(parts));
    case 'processes':
      return new ProcessInvoker(poolDeps(parts));
    case 'in-process':
      return (await import('./in-process.ts')).inProcess(parts);
    default:
      return unreachable(name);
  }
}

function poolDeps({ path, log, clock, random, telemetry, secrets }: InvokerParts): HostPoolDeps {
  const settings: LocalSettings = { dataFolder: path, log, secrets };
  return { entry: ENTRY, settings, cacheFolder: join(path, 'compiled'), clock, random, telemetry };
}
