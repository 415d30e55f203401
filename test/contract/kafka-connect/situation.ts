/** One line of the table: what is asked in which situation, and the exact answer. */
import { type Connector, connectorKey, encodeConnector } from '../../../core/connector.ts';
import { failShard } from '../../../core/cursor/steer.ts';
import { StoredCursor } from '../../../core/cursor/stored-cursor.ts';
import { discoveryShardId, sourceShardId } from '../../../core/shard-id.ts';
import type { AppDeps } from '../../../scheduler/app-deps.ts';
import type { RequestParts, TestApi } from '../../support/api.ts';
import { anOutgoingRecord, bytesOf } from '../../support/log-records.ts';

export interface Situation {
  /** As the OpenAPI document writes it. */
  readonly route: string;
  readonly what: string;
  /** Instead of what the API has otherwise. */
  readonly deps?: Partial<AppDeps>;
  readonly given?: (api: TestApi) => Promise<unknown>;
  /** Where it is not the path of the route. */
  readonly path?: string;
  readonly ask?: RequestParts;
  readonly status: number;
  /** Exactly; absent for none. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What must hold afterwards. */
  readonly then?: (api: TestApi) => Promise<void>;
}

/** Situations of one route. */
export function situationsOf(route: string, situations: readonly Omit<Situation, 'route'>[]): readonly Situation[] {
  return situations.map((situation) => ({ route, ...situation }));
}

export function error(status: number, message: string): Pick<Situation, 'status' | 'body'> {
  return { status, body: { error_code: status, message } };
}

/** Whatever is asked of the store. */
export function storeThat(answer: () => Promise<never>): Partial<AppDeps> {
  return { store: { get: answer, put: answer, list: answer, delete: answer } };
}

// ---------------------------------------------------------------------------------------------------------------------

/** A sink of the topic `orders`. */
export const ORDERS = { 'connector.class': 'memory-append', topics: 'orders', 'value.converter': 'string' };

export async function anOrdersSink({ ask, log }: TestApi): Promise<void> {
  log.createTopic('orders', { queues: 1 });
  await ask('PUT', '/connectors/orders/config', { body: ORDERS });
}

/** One invocation has looked at its queue. */
export async function aRunningSink(api: TestApi): Promise<void> {
  await anOrdersSink(api);
  await api.run('orders');
}

/** Its first record cannot be read. */
export async function aFailedSink(api: TestApi): Promise<void> {
  const { ask, log } = api;
  log.createTopic('orders', { queues: 1 });
  await log.send({ topic: 'orders', brokerName: 'memory', queueId: 0 }, [anOutgoingRecord({ value: bytesOf('{') })]);
  await ask('PUT', '/connectors/orders/config', { body: { ...ORDERS, 'value.converter': 'json' } });
  await api.run('orders');
}

/** Three records of its queue are finished. */
export async function aStoppedSink(api: TestApi): Promise<void> {
  await anOrdersSink(api);
  const records = ['a', 'b', 'c'].map((value) => anOutgoingRecord({ value: bytesOf(value) }));
  await api.log.send({ topic: 'orders', brokerName: 'memory', queueId: 0 }, records);
  await api.run('orders');
  await api.ask('PUT', '/connectors/orders/stop');
}

/** It has found its shard, which has not been read yet. */
export async function aFreshSource(api: TestApi): Promise<void> {
  await api.ask('PUT', '/connectors/rows/config', { body: { 'connector.class': 'memory-source' } });
  await api.run('rows', discoveryShardId);
}

/** Its three rows are in the log. */
export async function aStoppedSource(api: TestApi): Promise<void> {
  await aFreshSource(api);
  await api.run('rows', (uid) => sourceShardId(uid, ['0']));
  await api.ask('PUT', '/connectors/rows/stop');
}

/** A sink that was told a secret. */
export const VAULT = { 'connector.class': 'vault-sink', topics: 'orders', address: 'here', token: 'open sesame' };

export async function aVault({ ask }: TestApi): Promise<void> {
  await ask('PUT', '/connectors/vault/config', { body: VAULT });
}

/** Whoever deletes it has come no further than to say so. */
export async function aSinkBeingDeleted(api: TestApi): Promise<void> {
  await aRunningSink(api);
  await store(api, (connector) => ({ ...connector, targetState: 'deleted' }));
}

/** What it was told was right once, for a plugin of another version. */
export async function aSpoiledSink(api: TestApi): Promise<void> {
  await aRunningSink(api);
  await store(api, (connector) => ({ ...connector, config: { ...connector.config, speed: 'high' } }));
}

/** A newer version of the product has stored it. */
export async function anUnreadableSink(api: TestApi): Promise<void> {
  await aRunningSink(api);
  const { version = '' } = (await api.host.store.get(connectorKey('orders'))) ?? {};
  await api.host.store.put(connectorKey('orders'), '{"v":99}', { ifVersion: version });
}

async function store({ host, connector }: TestApi, change: (connector: Connector) => Connector): Promise<void> {
  const { version = '' } = (await host.store.get(connectorKey('orders'))) ?? {};
  const before = await connector('orders');
  const changed = { ...change(before), revision: before.revision + 1 };
  await host.store.put(connectorKey('orders'), encodeConnector(changed), { ifVersion: version });
}

/** The search for its shards has failed. */
export async function aFailedSource(api: TestApi): Promise<void> {
  await aFreshSource(api);
  const { uid } = await api.connector('rows');
  const discovery = await StoredCursor.read(api.host, discoveryShardId(uid));
  await discovery?.change((cursor) => failShard(cursor, { code: 'sink.unauthorized', retryAtMs: null }), { forMs: 0 });
}
