import { afterEach, describe, expect, test } from 'vitest';
import type { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { type Connector, connectorKey, decodeConnector, encodeConnector } from '../../../core/connector.ts';
import { decodeCursor, encodeCursor } from '../../../core/cursor/codec.ts';
import type { Cursor, LogCursor } from '../../../core/cursor/cursor.ts';
import { cursorKey, cursorPartition } from '../../../core/cursor/stored-cursor.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { NO_COUNTS } from '../../../core/offer.ts';
import type { Clock, StateStore } from '../../../core/ports.ts';
import { discoveryShardId, queueShardId, type ShardId, sourceShardId } from '../../../core/shard-id.ts';
import {
  changeConfig,
  createConnector,
  deleteConnector,
  restartShards,
  setTargetState,
} from '../../../scheduler/connector-actions.ts';
import { aLogCursor } from '../../support/builders.ts';
import { brokerWith, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';
import { outgoing } from '../../support/log-records.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { RunningClock } from '../../support/running-clock.ts';
import { InvokerByHand, invokerOn, aScheduler as startScheduler, until } from '../../support/schedulers.ts';
import { numbered, valuesIn } from '../../support/sink-shard.ts';

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

/** A host, its topic `orders`, and a target that takes everything. */
function aWorld({ queues = 1 }: { readonly queues?: number } = {}) {
  const target = memoryTarget('append');
  const plugin = memorySink(target);
  const host = aHost({ plugins: [plugin] });
  const log = host.broker as MemoryLogBroker;
  log.createTopic('orders', { queues });
  const create = (config: Readonly<Record<string, string>> = {}, name = 'orders-sink'): Promise<Connector> =>
    createConnector(host, {
      name,
      config: { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string', ...config },
    });
  return { host, log, target, create };
}

async function cursorOf({ store }: { readonly store: StateStore }, shard: ShardId): Promise<Cursor | null> {
  const document = await store.get(cursorKey(shard));
  return document === null ? null : decodeCursor(document.value, shard);
}

async function storeCursor({ store }: TestHost, shard: ShardId, cursor: Cursor): Promise<void> {
  const document = await store.get(cursorKey(shard));
  await store.put(
    cursorKey(shard),
    encodeCursor(cursor),
    document === null ? { ifAbsent: true } : { ifVersion: document.version },
  );
}

describe('Scheduler', () => {
  test('tells the broker how far a sink has come, as its consumer group', async () => {
    const { host, log, create } = aWorld();
    await log.send(queue(), outgoing(...numbered(3)));
    await create();

    aScheduler(host);

    await until(host, async () => (await log.groups('orders')).get('connect-orders-sink')?.[0]?.offset === 3n);
  });

  test('moves what is there, then what comes, and then sends nobody', async () => {
    const { host, log, target, create } = aWorld();
    const invoker = invokerOn(host);
    await log.send(queue(), outgoing(...numbered(3)));
    await create();
    const { scheduler } = aScheduler(host, { invoker });
    await until(host, () => valuesIn(target).length === 3);

    await log.send(queue(), outgoing('3'));
    await until(host, () => valuesIn(target).length === 4);
    await host.clock.sleep(30_000);
    const sent = invoker.offers.length;
    await host.clock.sleep(600_000);

    expect(invoker.offers.length).toBe(sent);
    expect(scheduler.running).toBe(0);
    expect(valuesIn(target)).toEqual(numbered(4));
  });

  test('is woken by the log, and not by its timer alone', async () => {
    const { host, log, target, create } = aWorld();
    await create();
    aScheduler(host);
    await host.clock.sleep(60_000);

    await log.send(queue(), outgoing('0'));
    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(tookMs).toBeLessThanOrEqual(20);
  });

  test('hears at once of a connector that was created elsewhere', async () => {
    const { host, log, target, create } = aWorld();
    await log.send(queue(), outgoing('0'));
    aScheduler(host);
    await host.clock.sleep(5_000);

    await create();
    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(tookMs).toBeLessThan(2_000);
  });

  test('looks at topics for as long as it runs, however few looks a second it has', async () => {
    const { host, log, target, create } = aWorld();
    await create();
    aScheduler(host, { settings: { watchesMax: 0, topicLooksPerSecond: 2 } });
    await host.clock.sleep(600_000);

    await log.send(queue(), outgoing('0'));
    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(tookMs).toBeLessThan(2_000);
  });

  test('knows everything there is after one tick, and plans by it', async () => {
    const { host, create } = aWorld();
    for (let index = 0; index < 300; index += 1) await create({}, `sink-${index}`);
    const invoker = new InvokerByHand();
    invoker.slots = 1_000;
    const { scheduler } = aScheduler(host, { invoker, isStarted: false });

    await scheduler.tick();

    expect(invoker.offers.length).toBe(300);
  });

  test('starts another connector of a topic that it knows at once', async () => {
    const { host, log, target, create } = aWorld();
    await log.send(queue(), outgoing('0'));
    await create();
    aScheduler(host);
    await host.clock.sleep(10_000);

    await create({}, 'another');
    const tookMs = await until(host, () => valuesIn(target).length === 2);

    expect(tookMs).toBeLessThan(2_000);
  });

  test('finds a change that nobody told it of within a sweep', async () => {
    const { host, log, target, create } = aWorld();
    const { uid } = await create();
    await setTargetState(host, 'orders-sink', 'paused');
    aScheduler(host, { settings: { sweepMs: 30_000 } });
    await host.clock.sleep(60_000);
    await log.send(queue(), outgoing('0'));
    const document = await host.store.get(connectorKey('orders-sink'));

    const connector = decodeConnector(document?.value ?? '', 'orders-sink');
    await host.store.put(
      connectorKey('orders-sink'),
      encodeConnector({ ...connector, targetState: 'running', revision: connector.revision + 1 }),
      { ifVersion: document?.version ?? '' },
    );
    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(tookMs).toBeLessThan(35_000);
    expect(uid).toBe(connector.uid);
  });

  test('finds a queue that its topic got, and starts it at its beginning', async () => {
    const { host, log, target, create } = aWorld();
    await create();
    aScheduler(host);
    await host.clock.sleep(5_000);

    log.addQueues('orders', { queues: 1 });
    await log.send(queue(1), outgoing('new'));
    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(tookMs).toBeLessThan(35_000);
  });

  test('sends nobody for a queue that is gone, once somebody has seen that it is', async () => {
    const { host, log, create } = aWorld();
    const invoker = invokerOn(host);
    const { uid } = await create();
    const { scheduler } = aScheduler(host, { invoker });
    await host.clock.sleep(10_000);

    log.deleteTopic('orders');
    await host.clock.sleep(60_000);
    const sent = invoker.offers.length;
    await host.clock.sleep(120_000);

    expect((await cursorOf(host, queueShardId(uid, queue())))?.status).toEqual({ state: 'gone', restarts: 0 });
    expect(scheduler.why(uid)).toMatchObject([{ reason: 'queue-gone', offers: 0 }]);
    expect(invoker.offers.length).toBe(sent);
  });

  test('follows a configuration that names other topics', async () => {
    const { host, log, target, create } = aWorld();
    log.createTopic('returns', { queues: 1 });
    const { config } = await create();
    const invoker = invokerOn(host);
    aScheduler(host, { invoker });
    await host.clock.sleep(10_000);

    await changeConfig(host, 'orders-sink', { ...config, topics: 'returns' });
    await host.clock.sleep(5_000);
    await log.send(queue(0, 'orders'), outgoing('order'));
    await log.send(queue(0, 'returns'), outgoing('return'));
    await host.clock.sleep(30_000);

    expect(valuesIn(target)).toEqual(['return']);
  });

  test('sends nobody for a configuration that is wrong, says what is, and goes on once it is mended', async () => {
    const { host, log, target, create } = aWorld();
    await log.send(queue(), outgoing('0'));
    const { config, uid } = await create();
    await setTargetState(host, 'orders-sink', 'paused');
    const invoker = invokerOn(host);
    const { scheduler } = aScheduler(host, { invoker });
    await host.clock.sleep(5_000);

    await changeConfig(host, 'orders-sink', { ...config, 'tasks.max': 'many' });
    await setTargetState(host, 'orders-sink', 'running');
    await host.clock.sleep(30_000);
    const sent = invoker.offers.length;
    const [why] = scheduler.why(uid);
    await changeConfig(host, 'orders-sink', config);
    await until(host, () => valuesIn(target).length === 1);

    expect(sent).toBe(0);
    expect(why).toMatchObject({ reason: null, problem: expect.stringContaining('tasks.max') });
  });

  test('says of every shard why it gets what it gets', async () => {
    const { host, log, create } = aWorld({ queues: 2 });
    await log.send(queue(1), outgoing('0'));
    const { uid } = await create();
    const invoker = new InvokerByHand();
    const { scheduler } = aScheduler(host, { invoker });
    await host.clock.sleep(3_000);

    expect(scheduler.why(uid)).toMatchObject([
      { shard: queueShardId(uid, queue(0)), offers: 1 },
      { shard: queueShardId(uid, queue(1)), reason: 'new', withheld: 'tasks.max', offers: 0 },
    ]);
  });
});

describe('what takes its time', () => {
  test('a topic that does not answer keeps the scheduler from nothing but that topic', async () => {
    const { host, log, target, create } = aWorld();
    log.createTopic('stuck', { queues: 1 });
    await create({ topics: 'stuck' }, 'stuck-sink');
    await create();
    const broker = brokerWith(log, {
      queues: async (topic) => {
        if (topic === 'stuck') await host.clock.sleep(30_000);
        return log.queues(topic);
      },
    });
    const { scheduler } = aScheduler({ ...host, broker });
    await host.clock.sleep(17_000);

    await log.send(queue(), outgoing('0'));
    const tookMs = await until(host, () => valuesIn(target).length === 1);
    const uid = (await create({ topics: 'stuck' }, 'later')).uid;
    await setTargetState(host, 'orders-sink', 'paused');
    await host.clock.sleep(1_500);

    expect(scheduler.leads).toBe(true);
    expect(tookMs).toBeLessThan(1_000);
    expect(scheduler.why(uid)).toEqual([]);
    expect(
      scheduler.why(decodeConnector((await host.store.get(connectorKey('orders-sink')))?.value ?? '', 'x').uid),
    ).toMatchObject([{ reason: 'paused' }]);
  });

  test('a topic that takes long to answer keeps no other connector waiting', async () => {
    const { host, log, create } = aWorld();
    log.createTopic('slow', { queues: 1 });
    await create({ topics: 'slow' }, 'slow-sink');
    const broker = brokerWith(log, {
      queues: async (topic) => {
        if (topic === 'slow') await host.clock.sleep(29_000);
        return log.queues(topic);
      },
    });
    const invoker = new InvokerByHand();
    aScheduler({ ...host, broker }, { invoker });
    await host.clock.sleep(5_000);

    await create({}, 'later');
    const tookMs = await until(host, () => invoker.offers.some(({ connector }) => connector === 'later'));

    expect(tookMs).toBeLessThan(3_000);
  });

  test('many cursors in a slow store are read side by side, and a change is heard of meanwhile', async () => {
    const { host, create } = aWorld({ queues: 64 });
    const { uid } = await create({ 'tasks.max': '64' });
    const invoker = new InvokerByHand();
    let isSlow = false;
    const store = storeWith(host.store, {
      get: async (key) => {
        if (isSlow && key.partition === cursorPartition(uid)) await host.clock.sleep(1_000);
        return host.store.get(key);
      },
    });
    aScheduler(host, { invoker, store });
    await until(host, () => invoker.offers.length === 64);
    isSlow = true;
    invoker.slots = 1_000;
    await host.clock.sleep(10_500);

    await create({}, 'another');
    const tookMs = await until(host, () => invoker.offers.some(({ connector }) => connector === 'another'));

    expect(tookMs).toBeLessThan(2_500);
  });

  test('many connectors that were changed are read side by side', async () => {
    const { host, create } = aWorld({ queues: 0 });
    const store = storeWith(host.store, {
      get: async (key) => {
        if (key.partition === 'connectors') await host.clock.sleep(1_000);
        return host.store.get(key);
      },
    });
    const { scheduler } = aScheduler(host, { store });
    await host.clock.sleep(5_000);
    const uids: string[] = [];

    for (let index = 0; index < 32; index += 1) {
      const { uid } = await create({ topics: 'late' }, `sink-${index}`);
      uids.push(uid);
    }
    (host.broker as MemoryLogBroker).createTopic('late', { queues: 1 });
    const tookMs = await until(host, () => uids.every((uid) => scheduler.why(uid).length === 1));

    expect(tookMs).toBeLessThan(8_000);
  });

  test('one connector whose cursors cannot be listed keeps no other one waiting, and is sent nobody', async () => {
    const { host, log, target, create } = aWorld();
    await log.send(queue(), outgoing('0'));
    const broken = await create({}, 'broken');
    await storeCursor(host, queueShardId(broken.uid, queue()), aLogCursor({ next: 1 }));
    await create();
    const store = storeWith(host.store, {
      list: (partition, page) =>
        partition === cursorPartition(broken.uid) ? Promise.reject(storeUnavailable()) : host.store.list(partition, page),
    });
    const invoker = invokerOn(host);
    aScheduler(host, { store, invoker });

    const tookMs = await until(host, () => valuesIn(target).length === 1);
    await host.clock.sleep(30_000);

    expect(tookMs).toBeLessThan(2_000);
    expect(invoker.offers.filter(({ connector }) => connector === 'broken')).toEqual([]);
  });
});

describe('offers under way', () => {
  test('one of which nothing is heard is given up, and its slot is free again', async () => {
    const { host, create } = aWorld();
    await create();
    const invoker = new InvokerByHand();
    const { scheduler } = aScheduler(host, { invoker });
    await until(host, () => invoker.offers.length === 1);

    await host.clock.sleep(9_000);
    const early = [scheduler.running, invoker.offers.length];
    const tookMs = await until(host, () => invoker.offers.length === 2);

    expect(early).toEqual([1, 1]);
    expect(tookMs).toBeLessThan(3_000);
    expect(scheduler.running).toBe(1);
  });

  test('one whose holder is at work counts until its claim has run out', async () => {
    const { host, log, create } = aWorld();
    await log.send(queue(), outgoing('0'));
    const { uid } = await create();
    const invoker = new InvokerByHand();
    const { scheduler } = aScheduler(host, { invoker });
    await until(host, () => invoker.offers.length === 1);
    const shard = queueShardId(uid, queue());
    const owner = `${invoker.offers[0]?.id}/run.1`;
    const held = { kind: 'held', start: 0n, end: 1n, epoch: 1, deaths: 0, attempts: 0 } as const;
    const holder = { owner, deadlineAtMs: host.clock.nowMs() + 20_000 };
    await storeCursor(host, shard, aLogCursor({ next: 1, open: [{ ...held, holder }] as unknown as LogCursor['open'] }));

    await host.clock.sleep(24_000);
    const early = [scheduler.running, invoker.offers.length];
    const tookMs = await until(host, () => invoker.offers.length === 2);

    expect(early).toEqual([1, 1]);
    expect(tookMs).toBeLessThan(15_000);
    expect(invoker.offers[1]?.ended).toEqual([]);
  });

  test('after a death that was seen, what its run held is said to be free', async () => {
    const { host, log, create } = aWorld();
    await log.send(queue(), outgoing('0'));
    const { uid } = await create();
    const invoker = new InvokerByHand();
    aScheduler(host, { invoker });
    await until(host, () => invoker.offers.length === 1);
    const run = `${invoker.offers[0]?.id}/run`;
    const held = { kind: 'held', start: 0n, end: 1n, epoch: 1, deaths: 0, attempts: 0 } as const;
    const holder = { owner: `${run}.1`, deadlineAtMs: host.clock.nowMs() + 20_000 };
    await storeCursor(
      host,
      queueShardId(uid, queue()),
      aLogCursor({ next: 1, open: [{ ...held, holder }] as unknown as LogCursor['open'] }),
    );

    await invoker.end(0, { kind: 'died', owner: run, isGone: true, message: 'its process ended' });
    const tookMs = await until(host, () => invoker.offers.length === 2);

    expect(tookMs).toBeLessThan(2_000);
    expect(invoker.offers[1]?.ended).toEqual([{ owner: `${run}.1`, epoch: 1, isGone: true }]);
  });

  test('after a lost connection, nothing is said to be free', async () => {
    const { host, log, create } = aWorld();
    await log.send(queue(), outgoing('0'));
    const { uid } = await create();
    const invoker = new InvokerByHand();
    aScheduler(host, { invoker });
    await until(host, () => invoker.offers.length === 1);
    const held = { kind: 'held', start: 0n, end: 1n, epoch: 1, deaths: 0, attempts: 0 } as const;
    const holder = { owner: `${invoker.offers[0]?.id}/run.1`, deadlineAtMs: host.clock.nowMs() + 20_000 };
    await storeCursor(
      host,
      queueShardId(uid, queue()),
      aLogCursor({ next: 1, open: [{ ...held, holder }] as unknown as LogCursor['open'] }),
    );

    await invoker.end(0, { kind: 'lost', message: 'connection lost' });
    const tookMs = await until(host, () => invoker.offers.length === 2);

    expect(tookMs).toBeGreaterThan(20_000);
    expect(invoker.offers[1]?.ended).toEqual([]);
  });

  test('deaths make longer and longer pauses', async () => {
    const { host, create } = aWorld();
    await create();
    const invoker = new InvokerByHand();
    aScheduler(host, { invoker });
    await until(host, () => invoker.offers.length === 1);

    const pausesMs: number[] = [];
    for (let index = 0; index < 9; index += 1) {
      await invoker.end(index, { kind: 'died', owner: null, isGone: true, message: 'out of memory' });
      pausesMs.push(await until(host, () => invoker.offers.length === index + 2));
    }

    expect(pausesMs.every((pauseMs, index) => pauseMs >= Math.min(250 * 2 ** index, 15_000))).toBe(true);
    expect(pausesMs.at(-1)).toBeLessThan(16_500);
  });
});

describe('a source', () => {
  function aSourceWorld() {
    const system = memorySystem({ rows: rows(3), idleForMs: 120_000 });
    const host = aHost({ plugins: [memorySource(system)] });
    (host.broker as MemoryLogBroker).createTopic('rows', { queues: 1 });
    return { system, host };
  }

  test('is discovered, polled, and left alone for as long as it wants', async () => {
    const { system, host } = aSourceWorld();
    const { uid } = await createConnector(host, {
      name: 'rows',
      config: { 'connector.class': 'memory-source', 'value.converter': 'string' },
    });
    const { scheduler } = aScheduler(host);

    await until(host, () => system.calls.includes('poll 3'));
    await host.clock.sleep(20_000);
    const polls = system.calls.length;
    await host.clock.sleep(60_000);

    expect(await cursorOf(host, discoveryShardId(uid))).not.toBeNull();
    expect(system.calls.length).toBe(polls);
    expect(scheduler.why(uid).find(({ shard }) => shard === sourceShardId(uid, ['0']))?.reason).toBe('poll-later');
  });

  test('is left alone as long by a host whose clock is behind', async () => {
    const { system, host } = aSourceWorld();
    const clock: Clock = {
      nowMs: () => host.clock.nowMs() - 130_000,
      monotonicMs: () => host.clock.monotonicMs(),
      sleep: (durationMs, signal) => host.clock.sleep(durationMs, signal),
    };
    await createConnector(host, {
      name: 'rows',
      config: { 'connector.class': 'memory-source', 'value.converter': 'string' },
    });
    aScheduler(host, { invoker: invokerOn({ ...host, clock } as unknown as TestHost) });

    await until(host, () => system.calls.includes('poll 3'));
    await host.clock.sleep(20_000);
    const polls = system.calls.length;
    await host.clock.sleep(60_000);

    expect(system.calls.length).toBe(polls);
  });

  test('is polled at once when somebody triggers it', async () => {
    const { system, host } = aSourceWorld();
    const { uid } = await createConnector(host, {
      name: 'rows',
      config: { 'connector.class': 'memory-source', 'value.converter': 'string' },
    });
    const { scheduler } = aScheduler(host);
    await until(host, () => system.calls.includes('poll 3'));
    await host.clock.sleep(40_000);
    const polls = system.calls.length;

    await scheduler.trigger(uid);
    const tookMs = await until(host, () => system.calls.length > polls);

    expect(tookMs).toBeLessThan(1_000);
  });
});

describe('two schedulers', () => {
  test('a trigger is heard of by the one that leads, whichever was told', async () => {
    const system = memorySystem({ rows: rows(3), idleForMs: 120_000 });
    const host = aHost({ plugins: [memorySource(system)] });
    (host.broker as MemoryLogBroker).createTopic('rows', { queues: 1 });
    const config = { 'connector.class': 'memory-source', 'value.converter': 'string' };
    const { uid } = await createConnector(host, { name: 'rows', config });
    const [first, second] = [aScheduler(host), aScheduler(host)];
    await until(host, () => system.calls.includes('poll 3'));
    await host.clock.sleep(40_000);
    const polls = system.calls.length;

    await second.scheduler.trigger(uid);
    const tookMs = await until(host, () => system.calls.length > polls);

    expect([first.scheduler.leads, second.scheduler.leads]).toEqual([true, false]);
    expect(tookMs).toBeLessThan(1_500);
  });

  test('one leads, and the other one takes over when it stops', async () => {
    const { host, log, target, create } = aWorld();
    await create();
    const [first, second] = [aScheduler(host), aScheduler(host)];
    await host.clock.sleep(5_000);
    const led = [first.scheduler.leads, second.scheduler.leads];

    await first.scheduler.stop();
    await log.send(queue(), outgoing('0'));
    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(led).toEqual([true, false]);
    expect(second.scheduler.leads).toBe(true);
    expect(tookMs).toBeLessThan(3_000);
  });

  test('one that stood still for longer than it may lead sends nothing until it leads again', async () => {
    const { host, log, create } = aWorld();
    await create();
    const invoker = new InvokerByHand();
    let isStuck = false;
    const stuck: (() => void)[] = [];
    const store = storeWith(host.store, {
      get: async (key) => {
        if (isStuck) await new Promise<void>((resolve) => stuck.push(resolve));
        return host.store.get(key);
      },
    });
    const { scheduler } = aScheduler(host, { invoker, store, settings: { offerTtlMs: 500 } });
    await until(host, () => invoker.offers.length === 1);
    isStuck = true;
    await invoker.end(0, { kind: 'refused', message: 'no slot' });

    host.clock.jump(20_000);
    await host.clock.sleep(2_000);
    const sent = invoker.offers.length;
    await log.send(queue(), outgoing('0'));
    await host.clock.sleep(10_000);
    const { leads } = scheduler;
    const sentAfter = invoker.offers.length;
    isStuck = false;
    for (const goOn of stuck) goOn();

    expect([leads, sentAfter]).toEqual([false, sent]);
  });
});

describe('a store that is away', () => {
  test('keeps nobody from stopping', async () => {
    const { host } = aWorld();
    let isOut = false;
    const store = storeWith(host.store, {
      get: (key) => (isOut ? Promise.reject(storeUnavailable()) : host.store.get(key)),
    });
    const { scheduler } = aScheduler(host, { store });
    await host.clock.sleep(2_000);

    isOut = true;

    await expect(scheduler.stop()).resolves.toBeUndefined();
  });

  test('leaves no loop that turns in vain', async () => {
    const { host, create } = aWorld();
    const { uid } = await create();
    const failed = { state: 'failed', code: 'task.failed', retryAtMs: host.clock.nowMs() + 30_000, restarts: 0 } as const;
    await storeCursor(host, queueShardId(uid, queue()), aLogCursor({ status: failed }));
    let isOut = false;
    const stuck: (() => void)[] = [];
    const store = storeWith(host.store, {
      get: async (key) => {
        if (isOut) await new Promise<void>((resolve) => stuck.push(resolve));
        return host.store.get(key);
      },
    });
    let sleeps = 0;
    const clock = Object.assign(new RunningClock(), {
      nowMs: () => host.clock.nowMs(),
      monotonicMs: () => host.clock.monotonicMs(),
      sleep: (...args: Parameters<RunningClock['sleep']>) => {
        sleeps += 1;
        return host.clock.sleep(...args);
      },
    });
    const { scheduler } = aScheduler(host, { store, clock });
    await host.clock.sleep(5_000);

    isOut = true;
    await host.clock.sleep(30_000);
    const sleepsBefore = sleeps;
    await host.clock.sleep(10_000);
    const { leads } = scheduler;
    const sleepsOfTenSeconds = sleeps - sleepsBefore;
    isOut = false;
    for (const goOn of stuck) goOn();

    expect(leads).toBe(false);
    expect(sleepsOfTenSeconds).toBeLessThan(100);
  });
});

describe('what operators do', () => {
  test('a pause that was left half done is finished', async () => {
    const { host, create } = aWorld({ queues: 2 });
    const { uid } = await create();
    aScheduler(host);
    await host.clock.sleep(10_000);
    let writes = 0;
    const dying = storeWith(host.store, {
      put: (...write) => {
        writes += 1;
        return writes > 3 ? new Promise(() => undefined) : host.store.put(...write);
      },
    });

    void setTargetState({ ...host, store: dying }, 'orders-sink', 'paused');
    const gates = async (): Promise<(string | undefined)[]> =>
      Promise.all([0, 1].map(async (id) => (await cursorOf(host, queueShardId(uid, queue(id))))?.gate.state));
    const tookMs = await until(host, async () => (await gates()).every((state) => state === 'paused'));

    expect(tookMs).toBeLessThan(10_000);
  });

  test('a deletion that was left half done is finished, and its name is free', async () => {
    const { host, create } = aWorld();
    const { uid } = await create();
    aScheduler(host);
    await host.clock.sleep(10_000);
    const dying = storeWith(host.store, { delete: () => new Promise(() => undefined) });

    void deleteConnector({ ...host, store: dying }, 'orders-sink');
    await until(host, async () => (await host.store.get(connectorKey('orders-sink'))) === null);

    expect(await cursorOf(host, queueShardId(uid, queue()))).toBeNull();
  });

  test('a deletion that somebody else finished keeps the scheduler from nothing', async () => {
    const { host, create } = aWorld();
    for (let index = 0; index < 100; index += 1) await create({}, `sink-${index}`);
    const { telemetry } = aScheduler(host);
    await host.clock.sleep(70_000);
    const slow = storeWith(host.store, {
      delete: async (...deletion) => {
        await host.clock.sleep(1_500);
        return host.store.delete(...deletion);
      },
    });

    await deleteConnector({ ...host, store: slow }, 'sink-50');
    await host.clock.sleep(30_000);

    expect(telemetry.logs.filter(({ message }) => message.startsWith('the scheduler could not look'))).toEqual([]);
  });

  test('a restart is heard of at once', async () => {
    const { host, log, target, create } = aWorld();
    await log.send(queue(), outgoing('0'));
    const connector = await create();
    // So many that a sweep takes its time.
    for (let index = 0; index < 100; index += 1) await create({ topics: 'returns' }, `sink-${index}`);
    const failed = { state: 'failed', code: 'task.failed', retryAtMs: null, restarts: 0 } as const;
    await storeCursor(host, queueShardId(connector.uid, queue()), aLogCursor({ status: failed }));
    const { scheduler } = aScheduler(host);
    await host.clock.sleep(10_000);
    const [before] = scheduler.why(connector.uid);

    await restartShards(host, connector);
    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(before?.reason).toBe('failed');
    expect(tookMs).toBeLessThan(2_000);
  });

  test('a shard that may restart by itself does when its time has come, and not before', async () => {
    const { host, log, target, create } = aWorld();
    await log.send(queue(), outgoing('0'));
    const { uid } = await create();
    const retryAtMs = host.clock.nowMs() + 60_000;
    const failed = { state: 'failed', code: 'task.failed', retryAtMs, restarts: 0 } as const;
    await storeCursor(host, queueShardId(uid, queue()), aLogCursor({ status: failed }));
    const { scheduler } = aScheduler(host);
    await host.clock.sleep(50_000);
    const [why] = scheduler.why(uid);

    const tookMs = await until(host, () => valuesIn(target).length === 1);

    expect(why?.reason).toBe('restart-later');
    expect(tookMs).toBeGreaterThanOrEqual(9_000);
    expect(tookMs).toBeLessThan(12_000);
  });
});

describe('back-pressure', () => {
  test('is noted in the document of the connector, and eased', async () => {
    const { host, log, create } = aWorld({ queues: 4 });
    for (let id = 0; id < 4; id += 1) await log.send(queue(id), outgoing('0'));
    const { uid } = await create({ 'tasks.max': '4' });
    const invoker = new InvokerByHand();
    aScheduler(host, { invoker });
    await until(host, () => invoker.offers.length === 4);
    const offer = invoker.offers[0];
    const run = {
      offerId: offer?.id ?? '',
      owner: `${offer?.id}/run`,
      connector: 'orders-sink',
      shard: queueShardId(uid, queue(0)),
      startedAtMs: 1,
      endedAtMs: 2,
      outcome: 'yielded',
      counts: { ...NO_COUNTS, slices: 1, retries: 1, throttled: 1 },
    } as const;
    const pressure = async (): Promise<number | undefined> => {
      const document = await host.store.get(connectorKey('orders-sink'));
      return decodeConnector(document?.value ?? '', 'orders-sink').pressure?.invocations;
    };

    await invoker.end(0, { kind: 'completed', result: { run, cursor: null, notBeforeMs: null } });
    await host.clock.sleep(1_500);
    const strained = await pressure();
    await host.clock.sleep(20_000);

    expect(strained).toBe(2);
    expect(await pressure()).toBeUndefined();
  });
});
