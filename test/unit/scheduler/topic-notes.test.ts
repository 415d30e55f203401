import { beforeEach, describe, expect, test } from 'vitest';
import { connectorKey, readConnector } from '../../../core/connector.ts';
import type { StateStore } from '../../../core/ports.ts';
import { changeConfig, createConnector } from '../../../scheduler/connector-actions.ts';
import { ConnectorCatalog } from '../../../scheduler/connector-catalog.ts';
import { ShardTable } from '../../../scheduler/shard-table.ts';
import { resetTopics, TopicNotes } from '../../../scheduler/topic-notes.ts';
import { storeWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';
import { anOutgoingRecord } from '../../support/log-records.ts';
import { memorySource, memorySystem, rows } from '../../support/memory-source.ts';
import { aScheduler, until } from '../../support/schedulers.ts';

const CONFIG = { 'connector.class': 'discard-sink', topics: 'orders' };

const { signal } = new AbortController();

let host: TestHost;
let puts: number;
let catalog: ConnectorCatalog;
let notes: TopicNotes;

beforeEach(() => {
  host = aHost();
  puts = 0;
  const store: StateStore = storeWith(host.store, {
    put: (...write) => {
      puts += 1;
      return host.store.put(...write);
    },
  });
  catalog = new ConnectorCatalog(
    { ...host, store, skewMaxMs: 5_000, sweepMs: 60_000, configured: () => undefined, forgotten: () => undefined },
    new ShardTable(() => undefined),
  );
  notes = new TopicNotes({ store, clock: host.clock, catalog });
});

async function aKnown(): Promise<string> {
  const { uid } = await createConnector(host, { name: 'orders', config: CONFIG });
  await catalog.read('orders');
  return uid;
}

async function activeTopics(name = 'orders'): Promise<readonly string[] | undefined> {
  return (await readConnector(host, name))?.activeTopics;
}

describe('TopicNotes', () => {
  test('stores a topic once, in order of their names, and raises no revision', async () => {
    const uid = await aKnown();

    const news = [notes.note(uid, ['b']), notes.note(uid, ['b']), notes.note(uid, ['a'])];
    await notes.store(signal);
    const later = notes.note(uid, ['a', 'b']);
    await notes.store(signal);

    expect([...news, later]).toEqual([true, false, true, false]);
    expect(puts).toBe(1);
    expect(await readConnector(host, 'orders')).toMatchObject({ activeTopics: ['a', 'b'], revision: 1 });
  });

  test('says nothing of a connector that was deleted and created again', async () => {
    const uid = await aKnown();
    notes.note(uid, ['a']);
    const { version = '' } = (await host.store.get(connectorKey('orders'))) ?? {};
    await host.store.delete(connectorKey('orders'), { ifVersion: version });
    await createConnector(host, { name: 'orders', config: CONFIG });

    await notes.store(signal);

    expect(await activeTopics()).toBeUndefined();
  });

  test('keeps them through a change of the configuration, until they are reset', async () => {
    const uid = await aKnown();
    notes.note(uid, ['a']);
    await notes.store(signal);

    await changeConfig(host, 'orders', { ...CONFIG, 'tasks.max': '2' });
    const before = await activeTopics();
    await resetTopics(host, 'orders');
    await resetTopics(host, 'orders');

    expect(before).toEqual(['a']);
    expect(await activeTopics()).toBeUndefined();
  });

  test('stores in a later round what met a change that it had not heard of, and keeps that change', async () => {
    const uid = await aKnown();
    await changeConfig(host, 'orders', { ...CONFIG, 'tasks.max': '2' });
    notes.note(uid, ['a']);

    await notes.store(signal);
    const before = await activeTopics();
    await notes.store(signal);

    expect([before, await activeTopics()]).toEqual([undefined, ['a']]);
    expect(await readConnector(host, 'orders')).toMatchObject({ revision: 2, config: { 'tasks.max': '2' } });
  });

  test('keeps a slow store busy for a second at most in one go', async () => {
    const uids: string[] = [];
    for (let index = 0; index < 100; index += 1) {
      const { uid } = await createConnector(host, { name: `sink-${index}`, config: CONFIG });
      await catalog.read(`sink-${index}`);
      uids.push(uid);
    }
    const slow = storeWith(host.store, { put: (...write) => host.clock.sleep(200).then(() => host.store.put(...write)) });
    const patient = new TopicNotes({ store: slow, clock: host.clock, catalog });
    for (const uid of uids) patient.note(uid, ['a']);
    const startedAtMs = host.clock.monotonicMs();

    await patient.store(signal);
    const tookMs = host.clock.monotonicMs() - startedAtMs;
    for (let round = 0; round < 3; round += 1) await patient.store(signal);

    expect(tookMs).toBeLessThanOrEqual(1_200);
    expect(await Promise.all(uids.map((_, index) => activeTopics(`sink-${index}`)))).toEqual(uids.map(() => ['a']));
  });
});

describe('Scheduler', () => {
  test('learns of the topics of sinks and sources as their invocations end', async () => {
    const world = aHost({ plugins: [memorySource(memorySystem({ rows: rows(3) }))] });
    await world.broker.ensureTopic('orders', { queues: 1 });
    const [queue] = await world.broker.queues('orders');
    await createConnector(world, { name: 'sink', config: CONFIG });
    await createConnector(world, { name: 'source', config: { 'connector.class': 'memory-source' } });
    const { scheduler } = aScheduler(world);
    const topicsOf = async (name: string) => (await readConnector(world, name))?.activeTopics;

    await until(world, async () => (await topicsOf('source')) !== undefined);
    const idle = await topicsOf('sink');
    await world.broker.send(queue as NonNullable<typeof queue>, [anOutgoingRecord()]);
    await until(world, async () => (await topicsOf('sink')) !== undefined);
    await scheduler.stop();

    expect(idle).toBeUndefined();
    expect([await topicsOf('source'), await topicsOf('sink')]).toEqual([['rows'], ['orders']]);
  });
});
