/** The invoker that a name stands for, with everything it needs to run invocations. */
import { InProcessInvoker } from '../../adapters/invoke/in-process-invoker.ts';
import type { Invoker } from '../../core/ports.ts';
import { DEFAULT_SETTINGS, type Host } from '../../functions/host.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { Sandbox } from '../../functions/sandbox.ts';
import type { InvokerName } from '../invoker-names.ts';

export interface OpenedInvoker extends Invoker {
  /** Resolves when no invocation runs any more. */
  close(): Promise<void>;
}

/** How long one invocation may go on; a minute is the shortest limit of the platforms. */
const LIMIT_MS = 60_000;
const SLOTS = 16;

export function openInvoker(_name: InvokerName, parts: Omit<Host, 'sandbox' | 'settings'>): OpenedInvoker {
  const sandbox = new Sandbox(parts.clock);
  const host: Host = { ...parts, sandbox, settings: DEFAULT_SETTINGS };
  const running = new Set<Promise<unknown>>();
  const invoker = new InProcessInvoker({
    random: parts.random,
    slots: SLOTS,
    run: (offer, owner) => {
      const run = runInvocation(host, offer, { limitMs: LIMIT_MS, owner });
      running.add(run);
      void run.finally(() => running.delete(run)).catch(() => undefined);
      return run;
    },
  });
  return {
    invoke: (offer) => invoker.invoke(offer),
    freeSlots: () => invoker.freeSlots(),
    close: async () => {
      await Promise.allSettled(running);
      sandbox.close();
    },
  };
}
