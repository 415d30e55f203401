/** A sink's shard: one queue of a memory log, a connector that reads it, and the invocations of a process that is warm. */

import { InProcessInvoker } from '../adapters/invoke/in-process-invoker.ts';
import { MemoryLogBroker } from '../adapters/memory/memory-log-broker.ts';
import { LocalSecrets, NO_SECRETS } from '../adapters/secrets/local-secrets.ts';
import { systemClock, systemFetch, systemRandom } from '../adapters/system.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { InvocationResult, Offer } from '../core/offer.ts';
import type { OutgoingRecord, StateStore, Telemetry } from '../core/ports.ts';
import { queueShardId, type ShardId } from '../core/shard-id.ts';
import { DEFAULT_SETTINGS, type Host } from '../functions/host.ts';
import { runInvocation } from '../functions/run-invocation.ts';
import { Sandbox } from '../functions/sandbox.ts';
import type { SinkPlugin } from '../plugins/api/sink.ts';
import { registry } from '../plugins/registry.ts';
import { createConnector } from '../scheduler/connector-actions.ts';

export const QUEUE: MessageQueue = { topic: 'bench', brokerName: 'memory', queueId: 0 };

/** More than any measurement takes. */
const LIMIT_MS = 600_000;

/** Each read is bounded by its records. */
const SLICE_BYTES = 64 * 1_024 * 1_024;
const SLICE_MS = 10_000;

const ignore = (): void => undefined;
const silent: Telemetry = { count: ignore, log: ignore, run: ignore };

export interface SinkShard {
  readonly connector: string;
  readonly shard: ShardId;
  /** From the offer to its outcome. Throws when the invocation fails. `quantumMs`: 0 for one slice. */
  invoke(offer: { readonly sliceRecords: number; readonly quantumMs: number }): Promise<InvocationResult>;
}

export async function filledLog(records: readonly OutgoingRecord[]): Promise<MemoryLogBroker> {
  const log = new MemoryLogBroker({ clock: systemClock });
  log.createTopic(QUEUE.topic, { queues: 1 });
  await log.send(QUEUE, records);
  return log;
}

/** A connector and a host of its own, at the beginning of the log; `sink` takes the place of the product's discard sink. */
export async function newSinkShard(
  { store, log }: { readonly store: StateStore; readonly log: MemoryLogBroker },
  { config, sink }: { readonly config: Readonly<Record<string, string>>; readonly sink?: SinkPlugin },
): Promise<SinkShard> {
  const host: Host = {
    store,
    broker: log,
    clock: systemClock,
    random: systemRandom,
    fetch: systemFetch,
    telemetry: silent,
    registry: sink === undefined ? registry : { ...registry, findSink: async () => sink },
    sandbox: new Sandbox(systemClock),
    secrets: new LocalSecrets(NO_SECRETS),
    settings: DEFAULT_SETTINGS,
  };
  const { name, uid } = await createConnector(host, {
    name: systemRandom.id(),
    config: { 'connector.class': sink?.name ?? 'discard-sink', topics: QUEUE.topic, ...config },
  });
  const shard = queueShardId(uid, QUEUE);
  const invoker = new InProcessInvoker({
    random: systemRandom,
    run: (offer, owner) => runInvocation(host, offer, { limitMs: LIMIT_MS, owner }),
    slots: 1,
  });
  const offer: Omit<Offer, 'slice' | 'quantumMs'> = {
    id: 'bench',
    connector: name,
    uid,
    shard,
    mode: 'slice',
    ended: [],
    peersCommit: false,
  };
  return {
    connector: name,
    shard,
    async invoke({ sliceRecords, quantumMs }) {
      const slice = { records: sliceRecords, bytes: SLICE_BYTES, durationMs: SLICE_MS };
      const end = await invoker.invoke({ ...offer, slice, quantumMs });
      if (end.kind !== 'completed') throw new Error(`the invocation ${end.kind}: ${end.message}`);
      const { error } = end.result.run;
      if (error !== undefined) throw new Error(`the invocation failed: ${error.code}: ${error.message}`);
      return end.result;
    },
  };
}
