/** Invocations in this very thread: for a look at one with a debugger, above all. */
import { InProcessInvoker } from '../../adapters/invoke/in-process-invoker.ts';
import { LocalSecrets } from '../../adapters/secrets/local-secrets.ts';
import { systemFetch } from '../../adapters/system.ts';
import type { InvocationEnd } from '../../core/offer.ts';
import { DEFAULT_SETTINGS, type Host } from '../../functions/host.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { Sandbox } from '../../functions/sandbox.ts';
import { registry } from '../../plugins/registry.ts';
import type { InvokerParts, OpenedInvoker } from './opened-invoker.ts';

/** As long as threads and processes are given. */
const LIMIT_MS = 45_000;
const SLOTS = 16;

export function inProcess({ folder: { store, broker }, clock, random, telemetry, ...parts }: InvokerParts): OpenedInvoker {
  const sandbox = new Sandbox(clock);
  const secrets = new LocalSecrets(parts.secrets);
  const host: Host = {
    store,
    broker,
    clock,
    random,
    fetch: systemFetch,
    telemetry,
    secrets,
    registry,
    sandbox,
    settings: DEFAULT_SETTINGS,
  };
  const running = new Set<Promise<InvocationEnd>>();
  const invoker = new InProcessInvoker({
    random,
    slots: SLOTS,
    run: (offer, owner) => runInvocation(host, offer, { limitMs: LIMIT_MS, owner }),
  });
  return {
    invoke: (offer) => {
      const end = invoker.invoke(offer);
      running.add(end);
      void end.then(() => running.delete(end));
      return end;
    },
    freeSlots: () => invoker.freeSlots(),
    close: async () => {
      sandbox.close();
      await Promise.all(running);
    },
  };
}
