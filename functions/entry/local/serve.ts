/** Serves invocations, as many at once as it is asked to, from the invoker's `start` to its `close`. */
import { type DataFolder, openDataFolder } from '../../../adapters/data-folder.ts';
import { leaveHostMark } from '../../../adapters/invoke/host-marks.ts';
import type { ToHost } from '../../../adapters/invoke/host-protocol.ts';
import { LocalSecrets, NO_SECRETS } from '../../../adapters/secrets/local-secrets.ts';
import { systemClock, systemFetch, systemRandom } from '../../../adapters/system.ts';
import { assert, unreachable } from '../../../core/assert.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Registry } from '../../../plugins/api/registry.ts';
import { DEFAULT_SETTINGS, type Host } from '../../host.ts';
import { runInvocation } from '../../run-invocation.ts';
import { Sandbox } from '../../sandbox.ts';
import { endWithParent } from './end-with-parent.ts';
import { ForwardingTelemetry } from './forwarding-telemetry.ts';
import type { InvokerPort } from './invoker-port.ts';
import type { LocalSettings } from './local-settings.ts';

type Message<Kind extends ToHost['kind']> = ToHost & { readonly kind: Kind };

/** Answers how a text reads without the secrets of what runs here, for last words. */
export function serve(port: InvokerPort): (text: string) => string {
  let opening: Promise<Server> | undefined;
  let sandbox: Sandbox | undefined;
  port.onMessage((message) => {
    if (message.kind === 'ping') return port.send({ kind: 'pong' });
    if (message.kind === 'start') {
      opening = openServer(port, message).then((server) => {
        ({ sandbox } = server.host);
        return server;
      });
      return;
    }
    assert(opening !== undefined, `the first message is start, not ${message.kind}`);
    // What comes before it is open waits here; what keeps it from opening ends this host.
    void opening.then((server) => answer(server, message));
  });
  return (text) => sandbox?.redaction.text(text) ?? text;
}

interface Server {
  readonly host: Host;
  readonly port: InvokerPort;
  readonly telemetry: ForwardingTelemetry;
  readonly folder: DataFolder;
  readonly running: Set<Promise<void>>;
  removeMark(): void;
}

async function openServer(port: InvokerPort, { settings, parentPid }: Message<'start'>): Promise<Server> {
  const { dataFolder, log, secrets = NO_SECRETS, registryModule } = settings as LocalSettings;
  const telemetry = new ForwardingTelemetry((entries) => port.send({ kind: 'telemetry', entries }));
  const world = { clock: systemClock, random: systemRandom, fetch: systemFetch, telemetry };
  const registry = await loadRegistry(registryModule);
  const folder = await openDataFolder(dataFolder, { ...world, ...(log === undefined ? {} : { log }) });
  const { store, broker } = folder;
  const sandbox = new Sandbox(systemClock);
  const host = { ...world, store, broker, registry, sandbox, secrets: new LocalSecrets(secrets), settings: DEFAULT_SETTINGS };
  const removeMark = port.isProcess ? leaveHostMark(dataFolder, { startedBy: parentPid }) : () => undefined;
  if (port.isProcess) endWithParent(parentPid);
  port.send({ kind: 'ready' });
  return { host, port, telemetry, folder, running: new Set(), removeMark };
}

async function loadRegistry(module: string | undefined): Promise<Registry> {
  if (module === undefined) return (await import('../../../plugins/registry.ts')).registry;
  return ((await import(module)) as { readonly registry: Registry }).registry;
}

function answer(server: Server, message: Message<'invoke' | 'close'>): void {
  switch (message.kind) {
    case 'invoke': {
      const run: Promise<void> = invoke(server, message).finally(() => server.running.delete(run));
      server.running.add(run);
      return;
    }
    case 'close':
      void close(server);
      return;
    default:
      unreachable(message);
  }
}

async function invoke({ host, port }: Server, { offer, owner, limitMs }: Message<'invoke'>): Promise<void> {
  try {
    port.send({ kind: 'ended', owner, result: await runInvocation(host, offer, { limitMs, owner }) });
  } catch (error) {
    port.send({ kind: 'threw', owner, message: host.sandbox.redaction.text(messageOf(error)) });
  }
}

/** Ends by having nothing left to do, so that invocations may commit and plugins close; the invoker ends a host that does not. */
async function close({ host, port, telemetry, folder, running, removeMark }: Server): Promise<void> {
  host.sandbox.close();
  await Promise.all(running);
  await folder.close();
  removeMark();
  telemetry.flush();
  port.close();
}
