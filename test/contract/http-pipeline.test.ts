/** A topic to an HTTP endpoint through the whole engine. Real time, memory log, a server on this machine. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { MemoryStateStore } from '../../adapters/memory/memory-state-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { AssertionError } from '../../core/assert.ts';
import type { Connector } from '../../core/connector.ts';
import type { InvocationResult, Offer } from '../../core/offer.ts';
import { queueShardId, type ShardId } from '../../core/shard-id.ts';
import type { Host } from '../../functions/host.ts';
import { runInvocation } from '../../functions/run-invocation.ts';
import { Sandbox } from '../../functions/sandbox.ts';
import { createConnector } from '../../scheduler/connector-actions.ts';
import { aHost, anOffer } from '../support/hosts.ts';
import { type Answer, type HttpTarget, inTurn, status, taken } from '../support/http-target.ts';
import { aTarget } from '../support/http-writer.ts';
import { outgoing, textOf } from '../support/log-records.ts';

const LIMIT_MS = 60_000;
const QUEUE = { topic: 'orders', brokerName: 'memory', queueId: 0 };

describe('A topic to an HTTP endpoint', () => {
  test('arrives in order, once, after an endpoint that was unwell for a moment', async () => {
    const { host, target, connector, shard } = await aPipeline({ count: 20, answer: inTurn(taken, status(500), taken) });

    const { run } = await invoke(host, connector, shard);

    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 20, retries: 1, throttled: 0 } });
    expect(target.received.map(({ body }) => body)).toEqual(['0', '1', ...numbers(20).slice(1)]);
  });

  test('waits as long as a throttling endpoint asks, and tells the scheduler', async () => {
    const throttling = status(429, { headers: { 'retry-after': '1' } });
    const { host, target, connector, shard } = await aPipeline({ count: 3, answer: inTurn(throttling, taken) });

    const { run } = await invoke(host, connector, shard);

    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 3, throttled: 1 } });
    expect(run.endedAtMs - run.startedAtMs).toBeGreaterThanOrEqual(1_000);
    expect(target.received).toHaveLength(4);
  });

  test('dead-letters what the endpoint refuses, and delivers the rest', async () => {
    const { host, connector, shard } = await aPipeline({
      count: 10,
      answer: (response, { body }) => void response.writeHead(body === '4' ? 422 : 200).end(),
      config: { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dead' },
    });

    const { run } = await invoke(host, connector, shard);

    const [dead] = await host.broker.queues('dead');
    const { records } = await host.broker.read(dead as NonNullable<typeof dead>, 0n as never, {
      records: 10,
      bytes: 1e6,
      waitMs: 0,
    });
    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 9, deadLettered: 1 } });
    expect(records.map(({ value }) => textOf(value))).toEqual(['4']);
    expect(Object.fromEntries(records[0]?.headers ?? [])).toMatchObject({
      'sortie.errors.id': `${shard}/1/4`,
      'sortie.errors.stage': 'put',
      'sortie.errors.code': 'record.rejected',
    });
  });

  test('fails its shard where the credentials are refused, and goes on behind what was taken', async () => {
    const { host, target, connector, shard } = await aPipeline({ count: 5, answer: inTurn(taken, taken, status(403)) });

    const { run, cursor } = await invoke(host, connector, shard);

    expect(run).toMatchObject({
      outcome: 'failed',
      error: { code: 'sink.unauthorized', stage: 'put' },
      counts: { delivered: 2 },
    });
    expect(cursor?.value).toContain('sink.unauthorized');
    expect(target.received.map(({ body }) => body)).toEqual(['0', '1', '2', '2']);
  });

  test.each([
    ['each by itself', {}, '2'],
    ['in batches', { 'batching.enabled': 'true', 'batch.max.size': '3' }, '6-8'],
  ])('what a killed invocation had under way is sent again under the same keys, %s', async (_, config, lost) => {
    const { host, target, connector, shard } = await aPipeline({ count: 12, config });
    const dying = { ...host, sandbox: new Sandbox(systemClock), fetch: dyingAt(host.fetch, 3) };

    await expect(invoke(dying, connector, shard, { owner: 'dead' })).rejects.toThrow('died in the middle of a put');
    const before = keysOf(target);
    const { run } = await invoke(host, connector, shard, { ended: [{ owner: 'dead.1', epoch: 1, isGone: true }] });

    const keys = keysOf(target);
    expect(run.outcome).toBe('drained');
    expect(before).toHaveLength(3);
    expect(before.at(-1)).toBe(`${shard}/1/${lost}`);
    expect(keys.slice(3)).toEqual(expect.arrayContaining([...before]));
    expect(new Set(keys).size).toBe(keys.length - 3);
  });

  test('gets through a batch that takes longer than a put may last', async () => {
    const { host, target, connector, shard } = await aPipeline({
      count: 60,
      answer: (response) => void setTimeout(() => response.end(), 10),
      config: { 'put.timeout.ms': '200' },
    });

    const { run } = await invoke(host, connector, shard);

    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 60, retries: 0, throttled: 0 } });
    expect(target.received.map(({ body }) => body)).toEqual(numbers(60));
  });
});

interface Pipeline {
  readonly host: Host;
  readonly target: HttpTarget;
  readonly connector: Connector;
  readonly shard: ShardId;
}

/** Values `0`, `1`, ... in one queue, and a connector that sends them. */
async function aPipeline({
  count,
  answer = taken,
  config = {},
}: {
  readonly count: number;
  readonly answer?: Answer;
  readonly config?: Readonly<Record<string, string>>;
}): Promise<Pipeline> {
  const clock = systemClock;
  const [store, broker, sandbox] = [new MemoryStateStore({ clock }), new MemoryLogBroker({ clock }), new Sandbox(clock)];
  onTestFinished(() => sandbox.close());
  broker.createTopic(QUEUE.topic, { queues: 1 });
  await broker.send(QUEUE, outgoing(...numbers(count)));
  const host = { ...aHost(), clock, store, broker, sandbox };
  const target = await aTarget(answer);
  const common = { 'connector.class': 'http-sink', topics: QUEUE.topic, 'http.url': target.url, 'value.converter': 'bytes' };
  const connector = await createConnector(host, { name: 'hook', config: { ...common, ...config } });
  return { host, target, connector, shard: queueShardId(connector.uid, QUEUE) };
}

function invoke(
  host: Host,
  connector: Connector,
  shard: ShardId,
  { owner = 'somebody', ended = [] }: { readonly owner?: string; readonly ended?: Offer['ended'] } = {},
): Promise<InvocationResult> {
  return runInvocation(host, anOffer(connector, shard, { quantumMs: LIMIT_MS, ended }), { limitMs: LIMIT_MS, owner });
}

/** The invocation dies before it hears the answer of that request, which has arrived. */
function dyingAt(fetch: Host['fetch'], count: number): Host['fetch'] {
  let requests = 0;
  return async (...request) => {
    const response = await fetch(...request);
    requests += 1;
    const get = (): never => {
      throw new AssertionError('died in the middle of a put');
    };
    return requests < count ? response : Object.defineProperty(response, 'status', { get });
  };
}

function keysOf({ received }: HttpTarget): readonly string[] {
  return received.map(({ headers }) => String(headers['idempotency-key']));
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}
