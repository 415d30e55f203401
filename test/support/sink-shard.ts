/** A sink at work on one queue: topic `orders`, text values, and everything an operator or a scheduler does to it. */
import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { MemoryStateStore } from '../../adapters/memory/memory-state-store.ts';
import type { Connector } from '../../core/connector.ts';
import type { LogCursor } from '../../core/cursor/cursor.ts';
import { StoredCursor } from '../../core/cursor/stored-cursor.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { InvocationResult } from '../../core/offer.ts';
import type { LogBroker, OutgoingRecord, Secrets, StateStore } from '../../core/ports.ts';
import { queueShardId, type ShardId } from '../../core/shard-id.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import type { SinkPlugin } from '../../plugins/api/sink.ts';
import { createConnector } from '../../scheduler/connector-actions.ts';
import { aHost, anOffer, anotherHost, type TestHost } from './hosts.ts';
import { anOutgoingRecord, bytesOf } from './log-records.ts';
import { memorySink } from './memory-sink.ts';
import { type HeldRecord, heldRecords, type MemoryTarget, memoryTarget } from './memory-target.ts';
import { RunningClock } from './running-clock.ts';

/** A platform that allows more than any slice takes. */
const LIMIT_MS = 60_000;

export interface SinkShard {
  readonly host: TestHost;
  /** The host's store and broker without the faults that were put before them. */
  readonly store: StateStore;
  readonly log: MemoryLogBroker;
  readonly connector: Connector;
  readonly queue: MessageQueue;
  readonly shard: ShardId;
  /** Appends to the queue; a text is a record's value. */
  send(...records: readonly (string | Partial<OutgoingRecord>)[]): Promise<void>;
  run(
    offer?: Parameters<typeof anOffer>[2],
    options?: { readonly on?: TestHost; readonly limitMs?: number },
  ): Promise<InvocationResult>;
  cursor(): Promise<LogCursor>;
  /** Sleeps until a back-off or an automatic restart is over. */
  untilClaimable(): Promise<void>;
  /** A host that shares the store, the broker and the clock, and nothing else. */
  anotherHost(): TestHost;
}

interface SinkShardFields {
  readonly target?: MemoryTarget;
  /** Takes the target's place. */
  readonly plugin?: SinkPlugin;
  /** Sent before the connector is created. */
  readonly values?: readonly (string | Partial<OutgoingRecord>)[];
  /** How long after each of them the next one comes, or the connector. */
  readonly everyMs?: number;
  readonly config?: Readonly<Record<string, string>>;
  readonly store?: (store: StateStore) => StateStore;
  readonly broker?: (broker: MemoryLogBroker) => LogBroker;
  readonly secrets?: Secrets;
}

export async function aSinkShard({
  target = memoryTarget('append'),
  plugin = memorySink(target),
  values = [],
  everyMs = 0,
  config = {},
  secrets,
  ...faults
}: SinkShardFields = {}): Promise<SinkShard> {
  const clock = new RunningClock();
  const store = new MemoryStateStore({ clock });
  const log = new MemoryLogBroker({ clock });
  const host = aHost({
    plugins: [plugin],
    clock,
    store: faults.store?.(store) ?? store,
    broker: faults.broker?.(log) ?? log,
    ...(secrets === undefined ? {} : { secrets }),
  });
  const queue: MessageQueue = { topic: 'orders', brokerName: 'memory', queueId: 0 };
  log.createTopic('orders', { queues: 1 });
  const send = async (...records: readonly (string | Partial<OutgoingRecord>)[]): Promise<void> => {
    await log.send(queue, records.map(recordOf));
  };
  for (const value of values) {
    await send(value);
    if (everyMs > 0) await clock.sleep(everyMs);
  }
  const connector = await createConnector(
    { ...host, store },
    {
      name: 'orders-sink',
      config: { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string', ...config },
    },
  );
  const shard = queueShardId(connector.uid, queue);
  const cursor = async (): Promise<LogCursor> => (await StoredCursor.read({ ...host, store }, shard))?.cursor as LogCursor;
  return {
    host,
    store,
    log,
    connector,
    queue,
    shard,
    send,
    run: (offer, { on = host, limitMs = LIMIT_MS } = {}) => runInvocation(on, anOffer(connector, shard, offer), { limitMs }),
    cursor,
    untilClaimable: async () => {
      const { open, status } = await cursor();
      const restartAtMs = status.state === 'failed' ? status.retryAtMs : 0;
      const freeAtMs = open[0]?.kind === 'free' ? open[0].retryAtMs : 0;
      await clock.sleep(Math.max(restartAtMs ?? 0, freeAtMs) - clock.nowMs());
    },
    anotherHost: () => anotherHost(host),
  };
}

function recordOf(record: string | Partial<OutgoingRecord>): OutgoingRecord {
  return anOutgoingRecord(typeof record === 'string' ? { value: bytesOf(record) } : record);
}

/** Values `0`, `1`, ... as texts: each says its offset. */
export function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => String(from + index));
}

/** What the target holds, as texts, in the order it took them. */
export function valuesIn(target: MemoryTarget): readonly string[] {
  return heldRecords(target).map(({ value }: HeldRecord) => String(value));
}
