/** A scheduler and a host in this process, with idle connectors that each read a topic of their own into the discard sink. */

import { InProcessInvoker } from '../../adapters/invoke/in-process-invoker.ts';
import { LocalSecrets, NO_SECRETS } from '../../adapters/secrets/local-secrets.ts';
import { systemFetch, systemRandom } from '../../adapters/system.ts';
import { type Connector, connectorKey, encodeConnector } from '../../core/connector.ts';
import { createLogCursor } from '../../core/cursor/cursor.ts';
import { StoredCursor } from '../../core/cursor/stored-cursor.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Offer } from '../../core/offer.ts';
import { offset } from '../../core/offset.ts';
import type { Clock, LogBroker, Metrics, StateStore, Telemetry } from '../../core/ports.ts';
import { queueShardId } from '../../core/shard-id.ts';
import { DEFAULT_SETTINGS, type Host } from '../../functions/host.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { Sandbox } from '../../functions/sandbox.ts';
import { registry } from '../../plugins/registry.ts';
import { RunHistory } from '../../scheduler/run-history.ts';
import { Scheduler } from '../../scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS, type SchedulerSettings } from '../../scheduler/settings.ts';

/** More than any measurement takes. */
const LIMIT_MS = 600_000;

const ignore = (): void => undefined;
export const silent: Telemetry & Metrics = { count: ignore, observe: ignore, forget: ignore, log: ignore, run: ignore };

export interface DaemonParts {
  /** Of the scheduler. */
  readonly store: StateStore;
  /** Of the invocations. */
  readonly hostStore: StateStore;
  readonly log: LogBroker;
  readonly clock: Clock;
  readonly settings?: Partial<SchedulerSettings>;
  /** Invocations at once. */
  readonly slots: number;
  /** Called as each invocation starts; it goes on when that resolves. */
  starts(offer: Offer): void | Promise<void>;
  /** Called as each has ended. */
  ended?(offer: Offer): void;
}

export function newDaemon({ store, hostStore, log, clock, settings, slots, starts, ended = ignore }: DaemonParts): Scheduler {
  const host: Host = {
    store: hostStore,
    broker: log,
    clock,
    random: systemRandom,
    fetch: systemFetch,
    telemetry: silent,
    registry,
    sandbox: new Sandbox(clock),
    secrets: new LocalSecrets(NO_SECRETS),
    settings: DEFAULT_SETTINGS,
  };
  const invoker = new InProcessInvoker({
    random: systemRandom,
    slots,
    async run(offer, owner) {
      await starts(offer);
      const result = await runInvocation(host, offer, { limitMs: LIMIT_MS, owner });
      ended(offer);
      return result;
    },
  });
  return new Scheduler({
    store,
    broker: log,
    clock,
    random: systemRandom,
    telemetry: silent,
    metrics: silent,
    registry,
    invoker,
    history: new RunHistory({ store, clock }),
    settings: { ...DEFAULT_SCHEDULER_SETTINGS, ...settings },
  });
}

export interface IdleConnector {
  readonly connector: Connector;
  readonly queues: readonly MessageQueue[];
}

export interface IdleConnectorFields {
  readonly index: number;
  readonly queues: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** With a topic without records and a cursor for each of its queues: everything is finished. */
export async function newIdleConnector(
  deps: { readonly store: StateStore; readonly log: LogBroker; readonly clock: Clock },
  { index, queues: count, config }: IdleConnectorFields,
): Promise<IdleConnector> {
  const { store, log, clock } = deps;
  const name = `connector-${index}`;
  const topic = `topic-${index}`;
  await log.ensureTopic(topic, { queues: count });
  const connector: Connector = {
    name,
    uid: systemRandom.id(),
    revision: 1,
    targetState: 'running',
    config: { 'connector.class': 'discard-sink', topics: topic, 'key.converter': 'bytes', 'value.converter': 'bytes', ...config },
    createdAtMs: clock.nowMs(),
  };
  await store.put(connectorKey(name), encodeConnector(connector), { ifAbsent: true });
  const queues = await log.queues(topic);
  for (const queue of queues) {
    const cursor = { ...createLogCursor(offset(0)), gate: { state: 'running', revision: 1 } as const };
    await StoredCursor.create({ store, clock, random: systemRandom }, queueShardId(connector.uid, queue), cursor);
  }
  return { connector, queues };
}

/** Ticks until every queue has been looked at. */
export async function untilAllSeen(scheduler: Scheduler, connectors: readonly IdleConnector[], tick: () => Promise<unknown>) {
  const isSeen = ({ connector, queues }: IdleConnector): boolean =>
    scheduler.why(connector.uid).filter(({ reason }) => reason === 'drained').length === queues.length;
  while (!connectors.every(isSeen)) await tick();
}
