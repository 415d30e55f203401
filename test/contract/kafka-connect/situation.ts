/** One line of the table: what is asked in which situation, and the exact answer. */
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
