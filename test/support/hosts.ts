/** Hosts of invocations over memory adapters, and offers to them. */

import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { MemoryStateStore } from '../../adapters/memory/memory-state-store.ts';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { LocalSecrets, NO_SECRETS } from '../../adapters/secrets/local-secrets.ts';
import { systemFetch } from '../../adapters/system.ts';
import type { Connector } from '../../core/connector.ts';
import type { Offer } from '../../core/offer.ts';
import type { LogBroker, Random, Secrets, StateStore } from '../../core/ports.ts';
import type { ShardId } from '../../core/shard-id.ts';
import { DEFAULT_SETTINGS, type Host } from '../../functions/host.ts';
import { Sandbox } from '../../functions/sandbox.ts';
import type { Registry } from '../../plugins/api/registry.ts';
import type { SinkPlugin } from '../../plugins/api/sink.ts';
import type { SourcePlugin } from '../../plugins/api/source.ts';
import { registry } from '../../plugins/registry.ts';
import { RunningClock } from './running-clock.ts';

export interface TestHost extends Host {
  readonly clock: RunningClock;
  readonly telemetry: MemoryTelemetry;
}

interface HostFields {
  readonly plugins?: readonly (SinkPlugin | SourcePlugin)[];
  readonly clock?: RunningClock;
  readonly store?: StateStore;
  readonly broker?: LogBroker;
  readonly secrets?: Secrets;
}

/** The product's converters, transforms and predicates, and the given sources and sinks beside its own. */
export function aHost({
  plugins = [],
  clock = new RunningClock(),
  store = new MemoryStateStore({ clock }),
  broker = new MemoryLogBroker({ clock }),
  secrets = new LocalSecrets(NO_SECRETS),
}: HostFields = {}): TestHost {
  return {
    store,
    broker,
    clock,
    random: evenRandom(),
    fetch: systemFetch,
    telemetry: new MemoryTelemetry(),
    registry: registryWith(plugins),
    sandbox: new Sandbox(clock),
    secrets,
    settings: DEFAULT_SETTINGS,
  };
}

/** Another process: it shares nothing with the first one but store, broker and time. */
export function anotherHost(host: TestHost): TestHost {
  return { ...host, telemetry: new MemoryTelemetry(), sandbox: new Sandbox(host.clock) };
}

/** One slice of at most 100 records. */
export function anOffer(
  { name, uid }: Pick<Connector, 'name' | 'uid'>,
  shard: ShardId,
  { slice, ...fields }: Partial<Omit<Offer, 'slice'>> & { readonly slice?: Partial<Offer['slice']> } = {},
): Offer {
  return {
    id: 'offer',
    connector: name,
    uid,
    shard,
    mode: 'slice',
    slice: { records: 100, bytes: 1_048_576, durationMs: 10_000, ...slice },
    quantumMs: 0,
    ended: [],
    peersCommit: false,
    ...fields,
  };
}

/** No chance: always in the middle. Pauses with jitter are three quarters of their longest. */
function evenRandom(): Random {
  let ids = 0;
  return {
    next: () => 0.5,
    id: () => {
      ids += 1;
      return `id-${ids}`;
    },
  };
}

function registryWith(plugins: readonly (SinkPlugin | SourcePlugin)[]): Registry {
  const sinks = new Map(plugins.flatMap((plugin) => (plugin.kind === 'sink' ? [[plugin.name, plugin]] : [])));
  const sources = new Map(plugins.flatMap((plugin) => (plugin.kind === 'source' ? [[plugin.name, plugin]] : [])));
  return {
    ...registry,
    findSink: async (name) => sinks.get(name) ?? registry.findSink(name),
    findSource: async (name) => sources.get(name) ?? registry.findSource(name),
  };
}
