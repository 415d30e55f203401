/** One partition of the store is slow or away: all others go on, whichever loop of the scheduler needs them. */
import { afterEach, describe, expect, test } from 'vitest';
import type { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { type Connector, connectorKey, encodeConnector } from '../../../core/connector.ts';
import { decodeCursor, encodeCursor } from '../../../core/cursor/codec.ts';
import { cursorKey, cursorPartition } from '../../../core/cursor/stored-cursor.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { NO_COUNTS, type Offer, type RunRecord } from '../../../core/offer.ts';
import type { StateStore } from '../../../core/ports.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import { aLogCursor } from '../../support/builders.ts';
import { storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';
import { outgoing } from '../../support/log-records.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { InvokerByHand, aScheduler as startScheduler, until } from '../../support/schedulers.ts';

const started: { stop(): Promise<void> }[] = [];

function aScheduler(...args: Parameters<typeof startScheduler>): ReturnType<typeof startScheduler> {
  const created = startScheduler(...args);
  started.push(created.scheduler);
  return created;
}

/** Otherwise their clocks go on for ever. */
afterEach(async () => {
  await Promise.all(started.splice(0).map((scheduler) => scheduler.stop()));
});

const queue = (queueId = 0, topic = 'orders'): MessageQueue => ({ topic, brokerName: 'memory', queueId });

/** A host whose topic `orders` has a record in each queue. */
async function aWorld({ queues = 1 }: { readonly queues?: number } = {}) {
  const plugin = memorySink(memoryTarget('append'));
  const host = aHost({ plugins: [plugin] });
  const log = host.broker as MemoryLogBroker;
  log.createTopic('orders', { queues });
  for (let queueId = 0; queueId < queues; queueId += 1) await log.send(queue(queueId), outgoing('0'));
  const create = (name: string, config: Readonly<Record<string, string>> = {}): Promise<Connector> =>
    createConnector(host, {
      name,
      config: { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string', ...config },
    });
  return { host, log, create };
}

type Call = 'get' | 'put' | 'list';

/** Each call that concerns one of these partitions waits first, or fails. */
function storeThat({ store }: TestHost, calls: readonly Call[], before: (partition: string) => Promise<void>): StateStore {
  const first = async <T>(call: Call, partition: string, then: () => Promise<T>): Promise<T> => {
    if (calls.includes(call)) await before(partition);
    return then();
  };
  return storeWith(store, {
    get: (key) => first('get', key.partition, () => store.get(key)),
    put: (...write) => first('put', write[0].partition, () => store.put(...write)),
    list: (...page) => first('list', page[0], () => store.list(...page)),
  });
}

function offersOf({ offers }: InvokerByHand, name: string): number {
  return offers.filter(({ connector }) => connector === name).length;
}

async function changeDocument({ store }: TestHost, connector: Connector, fields: Partial<Connector>): Promise<void> {
  const { version = '' } = (await store.get(connectorKey(connector.name))) ?? {};
  await store.put(connectorKey(connector.name), encodeConnector({ ...connector, ...fields }), { ifVersion: version });
}

/** Ended well, a moment ago. */
function runOf({ id, shard, connector }: Offer): RunRecord {
  const fields = { offerId: id, owner: `${id}/run`, connector, shard };
  return { ...fields, startedAtMs: 1, endedAtMs: 2, outcome: 'yielded', counts: { ...NO_COUNTS, slices: 1 } };
}

/** As many as there are: what is sent upon that runs. */
async function endAll(invoker: InvokerByHand): Promise<void> {
  for (const [index, offer] of [...invoker.offers].entries()) {
    await invoker.end(index, { kind: 'completed', result: { run: runOf(offer), cursor: null, notBeforeMs: null } });
  }
}

describe('learning', () => {
  test('many connectors under back-pressure in a slow store keep no change waiting', async () => {
    const { host, create } = await aWorld({ queues: 0 });
    for (let index = 0; index < 200; index += 1) {
      const nowMs = host.clock.nowMs();
      const connector = await create(`sink-${index}`, { 'tasks.max': '1000' });
      await changeDocument(host, connector, { pressure: { invocations: 1, halvedAtMs: nowMs, changedAtMs: nowMs } });
    }
    let waitMs = 0;
    const store = storeThat(host, ['get', 'put', 'list'], () => host.clock.sleep(waitMs));
    const { scheduler } = aScheduler(host, { store });
    await host.clock.sleep(3_000);
    waitMs = 100;
    await host.clock.sleep(10_000);

    (host.broker as MemoryLogBroker).createTopic('late', { queues: 1 });
    const { uid } = await create('late', { topics: 'late' });
    const tookMs = await until(host, () => scheduler.why(uid).length === 1);

    expect(tookMs).toBeLessThan(5_000);
  });

  test('a connector that cannot be read again keeps a new one from nothing', async () => {
    const { host, create } = await aWorld();
    const broken = await create('broken');
    const store = storeThat(host, ['list'], async (partition) => {
      if (partition === cursorPartition(broken.uid)) throw storeUnavailable();
    });
    const invoker = new InvokerByHand();
    const { scheduler } = aScheduler(host, { store, invoker });
    await host.clock.sleep(5_000);

    scheduler.connectorChanged('broken');
    await host.clock.sleep(1_000);
    // Nobody tells of it: a sweep finds it.
    const { uid } = await createConnector({ ...host, store: withoutNotes(host) }, { name: 'new', config: broken.config });
    const tookMs = await until(host, () => scheduler.why(uid).length === 1);

    expect(tookMs).toBeLessThan(65_000);
  });

  test('notes of changes that cannot be read keep nothing else from being learnt', async () => {
    const { host, create } = await aWorld();
    let isOut = false;
    const store = storeThat(host, ['list'], async (partition) => {
      if (isOut && partition === 'changes') throw storeUnavailable();
    });
    const invoker = new InvokerByHand();
    const { scheduler } = aScheduler(host, { store, invoker });
    await host.clock.sleep(5_000);
    isOut = true;

    await create('new');
    scheduler.connectorChanged('new');
    const tookMs = await until(host, () => offersOf(invoker, 'new') === 1);

    expect(tookMs).toBeLessThan(1_500);
  });

  test('a change is planned by at once while holders are looked for', async () => {
    const { host, create } = await aWorld();
    const looked = await create('looked-for');
    const store = storeThat(host, ['get'], async (partition) => {
      if (partition === cursorPartition(looked.uid)) await host.clock.sleep(5_000);
    });
    const invoker = new InvokerByHand();
    const { scheduler } = aScheduler(host, { store, invoker });
    await until(host, () => offersOf(invoker, 'looked-for') === 1);
    await host.clock.sleep(10_500);

    await create('new');
    scheduler.connectorChanged('new');
    const tookMs = await until(host, () => offersOf(invoker, 'new') === 1);

    expect(tookMs).toBeLessThan(100);
  });
});

describe('looking for holders', () => {
  test('goes on beside a connector that was changed and cannot be read', async () => {
    const { host, create } = await aWorld();
    await create('healthy');
    const broken = await create('broken');
    const store = storeThat(host, ['list'], async (partition) => {
      if (partition === cursorPartition(broken.uid)) throw storeUnavailable();
    });
    const invoker = new InvokerByHand();
    const { scheduler } = aScheduler(host, { store, invoker });
    await until(host, () => offersOf(invoker, 'healthy') === 1);

    scheduler.connectorChanged('broken');
    const tookMs = await until(host, () => offersOf(invoker, 'healthy') === 2);

    expect(tookMs).toBeLessThan(13_000);
  });

  test.each([
    ['fails', 0],
    ['takes long to fail', 5_000],
  ])('comes to the offer of another one beside hundreds whose cursors are in a partition that %s', async (_, failsAfterMs) => {
    const { host, create } = await aWorld({ queues: 200 });
    const broken = await create('broken', { 'tasks.max': '200' });
    let isOut = false;
    const store = storeThat(host, ['get'], async (partition) => {
      if (!isOut || partition !== cursorPartition(broken.uid)) return;
      await host.clock.sleep(failsAfterMs);
      throw storeUnavailable();
    });
    const invoker = new InvokerByHand();
    invoker.slots = 1_000;
    aScheduler(host, { store, invoker });
    await until(host, () => offersOf(invoker, 'broken') === 200);
    isOut = true;

    await create('healthy');
    await until(host, () => offersOf(invoker, 'healthy') === 1);
    const tookMs = await until(host, () => offersOf(invoker, 'healthy') === 2);

    expect(tookMs).toBeLessThan(10_000 + 9 * (1_000 + failsAfterMs));
  });

  test('comes to it beside a death that it cannot look after, in a partition that takes long to fail', async () => {
    const { host, create } = await aWorld();
    const broken = await create('broken');
    let isOut = false;
    const store = storeThat(host, ['get'], async (partition) => {
      if (!isOut || partition !== cursorPartition(broken.uid)) return;
      await host.clock.sleep(5_000);
      throw storeUnavailable();
    });
    const invoker = new InvokerByHand();
    aScheduler(host, { store, invoker });
    await until(host, () => offersOf(invoker, 'broken') === 1);
    isOut = true;
    await invoker.end(0, { kind: 'died', owner: `${invoker.offers[0]?.id}/run`, isGone: true, message: 'out of memory' });

    await create('healthy');
    await until(host, () => offersOf(invoker, 'healthy') === 1);
    const tookMs = await until(host, () => offersOf(invoker, 'healthy') === 2);

    expect(tookMs).toBeLessThan(25_000);
  });
});

describe('tidying', () => {
  test.each([
    ['cannot be written', 0],
    ['takes long to fail', 3_000],
  ])('finishes a pause that was left half done where a page of history %s', async (_, failsAfterMs) => {
    const { host, create } = await aWorld();
    await create('orders-sink');
    const paused = await create('half-paused', { topics: 'none' });
    const shard = queueShardId(paused.uid, queue());
    await host.store.put(cursorKey(shard), encodeCursor(aLogCursor({ next: 1, gate: { state: 'running', revision: 1 } })), {
      ifAbsent: true,
    });
    const store = storeThat(host, ['put'], async (partition) => {
      if (!partition.startsWith('runs/')) return;
      await host.clock.sleep(failsAfterMs);
      throw storeUnavailable();
    });
    const invoker = new InvokerByHand();
    aScheduler(host, { invoker, store });
    await until(host, () => invoker.offers.length === 1);
    await endAll(invoker);

    await changeDocument(host, paused, { targetState: 'paused', revision: 2 });
    const tookMs = await until(host, async () => {
      const document = await host.store.get(cursorKey(shard));
      return decodeCursor(document?.value ?? '', shard).gate.state === 'paused';
    });

    expect(tookMs).toBeLessThan(75_000);
  });
});

describe('stopping', () => {
  test('waits for what is under way in a slow store, and for nothing that is not', async () => {
    const { host, create } = await aWorld();
    for (let index = 0; index < 100; index += 1) await create(`sink-${index}`);
    const store = storeThat(host, ['put'], async (partition) => {
      if (partition.startsWith('runs/')) await host.clock.sleep(3_000);
    });
    const invoker = new InvokerByHand();
    invoker.slots = 1_000;
    const { scheduler } = aScheduler(host, { store, invoker });
    await until(host, () => invoker.offers.length === 100);
    await endAll(invoker);
    await host.clock.sleep(7_000);

    const stoppedAtMs = host.clock.monotonicMs();
    await scheduler.stop();

    expect(host.clock.monotonicMs() - stoppedAtMs).toBeLessThan(4_000);
  });

  test('lists no cursors any more that are not listed yet', async () => {
    const { host, create } = await aWorld();
    for (let index = 0; index < 256; index += 1) await create(`sink-${index}`);
    let lists = 0;
    const store = storeThat(host, ['list'], async (partition) => {
      if (!partition.startsWith('cursors/')) return;
      lists += 1;
      await host.clock.sleep(3_000);
    });
    const { scheduler } = aScheduler(host, { store });
    await until(host, () => lists > 0);

    await scheduler.stop();

    expect(lists).toBeLessThan(50);
  });
});

function withoutNotes({ store }: TestHost): StateStore {
  return storeWith(store, {
    put: async (...write) => (write[0].partition === 'changes' ? { version: '' } : store.put(...write)),
  });
}
