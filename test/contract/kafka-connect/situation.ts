/** One line of the table: what is asked in which situation, and the exact answer. */
import type { RequestParts, TestApi } from '../../support/api.ts';
import { anOutgoingRecord, bytesOf } from '../../support/log-records.ts';

export interface Situation {
  /** As the OpenAPI document writes it. */
  readonly route: string;
  readonly what: string;
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
