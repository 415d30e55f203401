import { openDataFolder } from '../../adapters/data-folder.ts';
import { InProcessInvoker } from '../../adapters/invoke/in-process-invoker.ts';
import { ProcessInvoker } from '../../adapters/invoke/process-invoker.ts';
import { ThreadInvoker } from '../../adapters/invoke/thread-invoker.ts';
import { LocalSecrets, NO_SECRETS } from '../../adapters/secrets/local-secrets.ts';
import { systemClock, systemFetch, systemRandom } from '../../adapters/system.ts';
import { DEFAULT_SETTINGS } from '../../functions/host.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { Sandbox } from '../../functions/sandbox.ts';
import { hostPoolDeps } from './invoker/host-pool-deps.ts';
import { registry } from './invoker/unruly-plugins.ts';
import { invokerContract } from './invoker-contract.ts';

const world = { clock: systemClock, random: systemRandom, fetch: systemFetch };
const secrets = new LocalSecrets(NO_SECRETS);

invokerContract({
  name: 'InProcessInvoker',
  async newInvoker({ dataFolder, telemetry }, { slotsPerHost: slots = 4, limitMs = 45_000 }) {
    const folder = await openDataFolder(dataFolder, { ...world, telemetry });
    const host = {
      ...world,
      ...folder,
      telemetry,
      registry,
      sandbox: new Sandbox(systemClock),
      secrets,
      settings: DEFAULT_SETTINGS,
    };
    const run: ConstructorParameters<typeof InProcessInvoker>[0]['run'] = (offer, owner) =>
      runInvocation(host, offer, { limitMs, owner });
    return { invoker: new InProcessInvoker({ random: systemRandom, slots, run }), close: () => folder.close() };
  },
});

invokerContract({
  name: 'ThreadInvoker',
  abilities: { hosts: true },
  async newInvoker({ dataFolder, telemetry }, terms) {
    const invoker = new ThreadInvoker({ ...hostPoolDeps(dataFolder), telemetry, ...terms });
    return { invoker, close: () => invoker.close() };
  },
});

invokerContract({
  name: 'ProcessInvoker',
  abilities: { hosts: true, processes: true },
  async newInvoker({ dataFolder, telemetry }, terms) {
    const invoker = new ProcessInvoker({ ...hostPoolDeps(dataFolder), telemetry, ...terms });
    return { invoker, close: () => invoker.close() };
  },
});
