/** The invoker that a name stands for, with everything it needs to run invocations. */
import { join } from 'node:path';
import type { DataFolder } from '../../adapters/data-folder.ts';
import type { HostPoolDeps } from '../../adapters/invoke/host-pool.ts';
import { InProcessInvoker } from '../../adapters/invoke/in-process-invoker.ts';
import { ProcessInvoker } from '../../adapters/invoke/process-invoker.ts';
import { ThreadInvoker } from '../../adapters/invoke/thread-invoker.ts';
import { LocalSecrets, type LocalSecretsSettings } from '../../adapters/secrets/local-secrets.ts';
import { unreachable } from '../../core/assert.ts';
import type { InvocationEnd } from '../../core/offer.ts';
import type { Clock, Invoker, Random, Telemetry } from '../../core/ports.ts';
import type { LocalSettings } from '../../functions/entry/local/local-settings.ts';
import { DEFAULT_SETTINGS, type Host } from '../../functions/host.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { Sandbox } from '../../functions/sandbox.ts';
import { registry } from '../../plugins/registry.ts';
import type { InvokerName } from '../invoker-names.ts';

export interface OpenedInvoker extends Invoker {
  /** Tells what runs to end soon. Resolves when no invocation runs any more, and its end was told. */
  close(): Promise<void>;
}

interface Parts {
  readonly path: string;
  readonly folder: DataFolder;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** What connectors may name. */
  readonly secrets: LocalSecretsSettings;
}

const ENTRY = new URL('../../functions/entry/local.ts', import.meta.url);

/** As long as threads and processes are given. */
const LIMIT_MS = 45_000;
const SLOTS = 16;

export function openInvoker(name: InvokerName, parts: Parts): OpenedInvoker {
  switch (name) {
    case 'threads':
      return new ThreadInvoker(poolDeps(parts));
    case 'processes':
      return new ProcessInvoker(poolDeps(parts));
    case 'in-process':
      return inProcess(parts);
    default:
      return unreachable(name);
  }
}

function poolDeps({ path, clock, random, telemetry, secrets }: Parts): HostPoolDeps {
  const settings: LocalSettings = { dataFolder: path, secrets };
  return { entry: ENTRY, settings, cacheFolder: join(path, 'compiled'), clock, random, telemetry };
}

function inProcess({ folder: { store, broker }, clock, random, telemetry, ...parts }: Parts): OpenedInvoker {
  const sandbox = new Sandbox(clock);
  const secrets = new LocalSecrets(parts.secrets);
  const host: Host = { store, broker, clock, random, telemetry, secrets, registry, sandbox, settings: DEFAULT_SETTINGS };
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
