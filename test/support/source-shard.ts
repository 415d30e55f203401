/** A source at work on one of its shards, and the topic it writes to. */
import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { MemoryStateStore } from '../../adapters/memory/memory-state-store.ts';
import type { Connector } from '../../core/connector.ts';
import type { CheckpointCursor } from '../../core/cursor/cursor.ts';
import { StoredCursor } from '../../core/cursor/stored-cursor.ts';
import type { InvocationResult } from '../../core/offer.ts';
import { offset } from '../../core/offset.ts';
import type { LogBroker, StateStore } from '../../core/ports.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';
import { type ShardId, sourceShardId } from '../../core/shard-id.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import type { SinkPlugin } from '../../plugins/api/sink.ts';
import type { SourcePlugin } from '../../plugins/api/source.ts';
import { createConnector } from '../../scheduler/connector-actions.ts';
import { aHost, anOffer, anotherHost, type TestHost } from './hosts.ts';
import { textOf } from './log-records.ts';
import { type MemorySystem, memorySource, memorySystem } from './memory-source.ts';
import { RunningClock } from './running-clock.ts';

/** A platform that allows more than any slice takes. */
const LIMIT_MS = 60_000;

export interface SourceShard {
  readonly host: TestHost;
  /** The host's store and broker without the faults that were put before them. */
  readonly store: StateStore;
  readonly log: MemoryLogBroker;
  readonly connector: Connector;
  readonly shard: ShardId;
  run(
    offer?: Parameters<typeof anOffer>[2],
    options?: { readonly on?: TestHost; readonly limitMs?: number },
  ): Promise<InvocationResult>;
  cursor(): Promise<CheckpointCursor>;
  /** All that was sent to the topic `rows`, queue by queue. */
  sent(): Promise<readonly LogRecord[]>;
  anotherHost(): TestHost;
}

interface SourceShardFields {
  readonly system?: MemorySystem;
  readonly exactlyOnce?: boolean;
  /** Takes the system's place. */
  readonly plugin?: SourcePlugin;
  /** Makes it a direct connector. */
  readonly sink?: SinkPlugin;
  /** Of the topic `rows`; none: it does not exist yet. */
  readonly queues?: number;
  readonly config?: Readonly<Record<string, string>>;
  readonly store?: (store: StateStore) => StateStore;
  readonly broker?: (broker: MemoryLogBroker) => LogBroker;
}

export async function aSourceShard({
  system = memorySystem(),
  exactlyOnce = false,
  plugin = memorySource(system, { exactlyOnce }),
  sink,
  queues = 1,
  config = {},
  ...faults
}: SourceShardFields = {}): Promise<SourceShard> {
  const clock = new RunningClock();
  const store = new MemoryStateStore({ clock });
  const log = new MemoryLogBroker({ clock });
  const host = aHost({
    plugins: sink === undefined ? [plugin] : [plugin, sink],
    clock,
    store: faults.store?.(store) ?? store,
    broker: faults.broker?.(log) ?? log,
  });
  if (queues > 0) log.createTopic('rows', { queues });
  const direct = sink === undefined ? {} : { 'sink.connector.class': sink.name };
  const connector = await createConnector(
    { ...host, store },
    { name: 'rows-source', config: { 'connector.class': plugin.name, 'value.converter': 'string', ...direct, ...config } },
  );
  const shard = sourceShardId(connector.uid, ['0']);
  return {
    host,
    store,
    log,
    connector,
    shard,
    run: (offer, { on = host, limitMs = LIMIT_MS } = {}) => runInvocation(on, anOffer(connector, shard, offer), { limitMs }),
    cursor: async () => (await StoredCursor.read({ ...host, store }, shard))?.cursor as CheckpointCursor,
    sent: () => recordsOf(log, 'rows'),
    anotherHost: () => anotherHost(host),
  };
}

/** Everything a topic holds, queue by queue. */
export async function recordsOf(log: MemoryLogBroker, topic: string): Promise<readonly LogRecord[]> {
  const queues = await log.queues(topic);
  const limits = { records: 10_000, bytes: Number.MAX_SAFE_INTEGER, waitMs: 0 };
  const reads = await Promise.all(queues.map((queue) => log.read(queue, offset(0), limits)));
  return reads.flatMap(({ records }) => records);
}

/** Values of records as texts. */
export function valuesOf(records: readonly LogRecord[]): readonly (string | null)[] {
  return records.map(({ value }) => textOf(value));
}
