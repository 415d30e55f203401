/** A sink's shard on one queue of a memory log, and the invocations that work on it, as a warm process runs them. */
import { InProcessInvoker } from '../adapters/invoke/in-process-invoker.ts';
import { MemoryLogBroker } from '../adapters/memory/memory-log-broker.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import type { InvocationResult, Offer } from '../core/offer.ts';
import type { OutgoingRecord, StateStore, Telemetry } from '../core/ports.ts';
import { queueShardId } from '../core/shard-id.ts';
import { DEFAULT_SETTINGS } from '../functions/host.ts';
import { runInvocation } from '../functions/run-invocation.ts';
import { Sandbox } from '../functions/sandbox.ts';
import type { SinkPlugin } from '../plugins/api/sink.ts';
import { registry } from '../plugins/registry.ts';
import { createConnector } from '../scheduler/connector-actions.ts';

export const QUEUE = { topic: 'bench', brokerName: 'memory', queueId: 0 } as const;

/** More than any measurement takes. */
const LIMIT_MS = 600_000;

const SILENT: Telemetry = { count: ignore, observe: ignore, log: ignore, run: ignore };

export interface BenchShard {
  /** One invocation, offer to outcome. Throws when it ends otherwise than it should. */
  invoke(offer?: Partial<Pick<Offer, 'slice' | 'quantumMs'>>): Promise<InvocationResult>;
}

export async function openLog(records: readonly OutgoingRecord[]): Promise<MemoryLogBroker> {
  const log = new MemoryLogBroker({ clock: systemClock });
  log.createTopic(QUEUE.topic, { queues: 1 });
  await log.send(QUEUE, records);
  return log;
}

/** A connector of its own, at the beginning of the log. */
export async function openShard(
  { store, log }: { readonly store: StateStore; readonly log: MemoryLogBroker },
  { config, sink }: { readonly config: Readonly<Record<string, string>>; readonly sink?: SinkPlugin },
): Promise<BenchShard> {
  const host = {
    store,
    broker: log,
    clock: systemClock,
    random: systemRandom,
    telemetry: SILENT,
    registry: sink === undefined ? registry : { ...registry, findSink: async () => sink },
    sandbox: new Sandbox(),
    settings: DEFAULT_SETTINGS,
  };
  const { name, uid } = await createConnector(host, {
    name: systemRandom.id(),
    config: { 'connector.class': sink?.name ?? 'discard-sink', topics: QUEUE.topic, ...config },
  });
  const offer: Offer = {
    id: 'bench',
    connector: name,
    uid,
    shard: queueShardId(uid, QUEUE),
    mode: 'slice',
    slice: { records: 10_000, bytes: 16 * 1_024 * 1_024, durationMs: 5_000 },
    quantumMs: 0,
    ended: [],
    peersCommit: false,
  };
  const invoker = new InProcessInvoker({ run: (offered) => runInvocation(host, offered, { limitMs: LIMIT_MS }), slots: 1 });
  return {
    async invoke(changed) {
      const end = await invoker.invoke({ ...offer, ...changed });
      if (end.kind !== 'completed') throw new Error(`the invocation ${end.kind}: ${end.message}`);
      const { error } = end.result.run;
      if (error !== undefined) throw new Error(`the invocation failed: ${error.message}`);
      return end.result;
    },
  };
}

function ignore(): void {}
