/** The API that generated requests are sent to: connectors of each kind, in a process without a scheduler; and what it is asked of. */

import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { LogLevels } from '../../adapters/telemetry/log-levels.ts';
import { type Connector, readConnector } from '../../core/connector.ts';
import type { Loggers } from '../../core/ports.ts';
import { queueShardId } from '../../core/shard-id.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { anApp } from '../support/api.ts';
import { brokerWith, storeWith } from '../support/faulty-ports.ts';
import { aHost, anOffer, type TestHost } from '../support/hosts.ts';
import { anOutgoingRecord, bytesOf } from '../support/log-records.ts';
import { memorySink } from '../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../support/memory-source.ts';
import { memoryTarget } from '../support/memory-target.ts';
import { RunningClock } from '../support/running-clock.ts';
import { vaultSink } from '../support/vault-sink.ts';

export const SINK = { 'connector.class': 'memory-append', topics: 'orders', 'value.converter': 'string' };
export const VAULT = { 'connector.class': 'vault-sink', topics: 'orders', address: 'here', token: 'open sesame' };
export const SOURCE = { 'connector.class': 'memory-source' };

const CONNECTORS = { orders: SINK, vault: VAULT, rows: SOURCE, stopped: SINK };

const QUEUE = { topic: 'orders', brokerName: 'memory', queueId: 0 };

export interface Target {
  readonly app: ReturnType<typeof anApp>;
  /** Writes that the store, the log and the loggers took so far. */
  changes(): number;
}

export async function aTarget(): Promise<Target> {
  const clock = new RunningClock();
  const log = new MemoryLogBroker({ clock });
  const plugins = [memorySink(memoryTarget('append')), memorySource(memorySystem({ rows: rows(3) })), vaultSink];
  const host = aHost({ plugins, clock, broker: log });
  let changes = 0;
  const counted = <Result>(result: Result): Result => {
    // What met another version changed nothing.
    if (typeof result !== 'object' || result === null || !('conflict' in result)) changes += 1;
    return result;
  };
  const store = storeWith(host.store, {
    put: async (...write) => counted(await host.store.put(...write)),
    delete: async (...deletion) => counted(await host.store.delete(...deletion)),
  });
  const broker = brokerWith(log, {
    send: async (queue, records) => {
      const result = await log.send(queue, records);
      return result.refused.length === records.length ? result : counted(result);
    },
    ensureTopic: async (...topic) => counted(await log.ensureTopic(...topic)),
  });
  const levels = new LogLevels({ root: 'INFO', clock });
  const loggers: Loggers = { all: () => levels.all(), set: (...level) => counted(levels.set(...level)) };
  const app = anApp(host, { store, broker, loggers, plugins: async () => plugins });
  log.createTopic('orders', { queues: 2 });
  const headers = { 'content-type': 'application/json' };
  for (const [name, config] of Object.entries(CONNECTORS))
    await app.request(`/connectors/${name}/config`, { method: 'PUT', headers, body: JSON.stringify(config) });
  await log.send(QUEUE, [anOutgoingRecord({ value: bytesOf('a') })]);
  for (const name of ['orders', 'stopped']) await runOnce(host, name);
  await app.request('/connectors/stopped/stop', { method: 'PUT' });
  return { app, changes: () => changes };
}

/** So that it has a task, and a position. */
async function runOnce(host: TestHost, name: string): Promise<void> {
  const connector = (await readConnector(host, name)) as Connector;
  await runInvocation(host, anOffer(connector, queueShardId(connector.uid, QUEUE)), { limitMs: 60_000, owner: name });
}
