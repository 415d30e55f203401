/** A process that invokes what it is sent, and is killed. */
import process from 'node:process';
import { ProcessInvoker } from '../../../adapters/invoke/process-invoker.ts';
import { MemoryTelemetry } from '../../../adapters/memory/memory-telemetry.ts';
import type { Offer } from '../../../core/offer.ts';
import { hostPoolDeps } from './host-pool-deps.ts';

process.on('message', ({ dataFolder, offers }: { readonly dataFolder: string; readonly offers: readonly Offer[] }) => {
  const invoker = new ProcessInvoker({ ...hostPoolDeps(dataFolder), telemetry: new MemoryTelemetry(), hostsMax: offers.length });
  for (const offer of offers) void invoker.invoke(offer);
});
