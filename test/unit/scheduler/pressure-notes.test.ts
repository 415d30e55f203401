import { beforeEach, describe, expect, test } from 'vitest';
import { type Connector, connectorKey, encodeConnector, readConnector } from '../../../core/connector.ts';
import { NO_COUNTS, type RunCounts, type RunRecord } from '../../../core/offer.ts';
import type { StateStore } from '../../../core/ports.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import { ConnectorCatalog } from '../../../scheduler/connector-catalog.ts';
import { PressureNotes } from '../../../scheduler/pressure-notes.ts';
import { ShardTable } from '../../../scheduler/shard-table.ts';
import { storeWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';

const CONFIG = { 'connector.class': 'discard-sink', topics: 'orders', 'tasks.max': '10' };
const COUNTS: RunCounts = { ...NO_COUNTS, slices: 1, storeWrites: 1 };

let host: TestHost;
let catalog: ConnectorCatalog;
let notes: PressureNotes;
let reads: string[];
/** What a read of the store takes. */
let waitMs: number;

beforeEach(() => {
  host = aHost();
  reads = [];
  waitMs = 0;
  const store: StateStore = storeWith(host.store, {
    get: async (key) => {
      reads.push(key.sort);
      if (waitMs > 0) await host.clock.sleep(waitMs);
      return host.store.get(key);
    },
  });
  catalog = new ConnectorCatalog(
    { ...host, store, skewMaxMs: 5_000, sweepMs: 60_000, configured: () => undefined, forgotten: () => undefined },
    new ShardTable(() => undefined),
  );
  notes = new PressureNotes({ ...host, store });
});

async function aKnown(name = 'orders', pressure?: Connector['pressure']): Promise<string> {
  const { uid } = await createConnector(host, { name, config: CONFIG });
  if (pressure !== undefined) await change(name, { pressure });
  await catalog.read(name);
  reads = [];
  return uid;
}

async function change(name: string, fields: Partial<Connector>): Promise<void> {
  const connector = (await readConnector(host, name)) as Connector;
  await write(name, encodeConnector({ ...connector, ...fields }));
}

async function write(name: string, value: string): Promise<void> {
  const { version = '' } = (await host.store.get(connectorKey(name))) ?? {};
  await host.store.put(connectorKey(name), value, { ifVersion: version });
}

async function bears(name = 'orders'): Promise<number | undefined> {
  return (await readConnector(host, name))?.pressure?.invocations;
}

function note(uid: string, { running = 8, throttled = 1 } = {}): boolean {
  const run = { counts: { ...COUNTS, throttled } } as RunRecord;
  return notes.note(uid, run, { running, sentAtMs: host.clock.monotonicMs() });
}

/** Of a moment ago: neither halved again nor eased yet. */
function limitedTo(invocations: number): NonNullable<Connector['pressure']> {
  return { invocations, halvedAtMs: host.clock.nowMs(), changedAtMs: host.clock.nowMs() };
}

describe('PressureNotes', () => {
  test('halves what ran when a target turned invocations away, and tells the catalog', async () => {
    const uid = await aKnown();

    const isNews = note(uid, { running: 8 });
    await notes.store(catalog);

    expect([isNews, await bears(), catalog.get(uid)?.planned.bears]).toEqual([true, 4, 4]);
  });

  test('takes no note of an invocation that met no trouble', async () => {
    const uid = await aKnown();

    const isNews = note(uid, { throttled: 0 });
    await notes.store(catalog);

    expect([isNews, await bears(), reads]).toEqual([false, undefined, []]);
  });

  test('halves once for all that were sent before it did', async () => {
    const uid = await aKnown();
    const sentAtMs = host.clock.monotonicMs();
    note(uid, { running: 8 });
    await host.clock.sleep(1);
    await notes.store(catalog);
    await host.clock.sleep(3_000);

    const isNews = notes.note(uid, { counts: { ...COUNTS, throttled: 1 } } as RunRecord, { running: 7, sentAtMs });
    await notes.store(catalog);

    expect([isNews, await bears()]).toEqual([false, 4]);
  });

  test('eases one at a time, until nothing is limited', async () => {
    const uid = await aKnown('orders', limitedTo(8));
    const steps: (number | undefined)[] = [];

    for (let interval = 0; interval < 2; interval += 1) {
      await host.clock.sleep(5_000);
      await notes.store(catalog);
      steps.push(await bears());
    }

    expect(steps).toEqual([9, undefined]);
    expect(catalog.get(uid)?.planned.bears).toBeNull();
  });

  test('reads no document before something is due', async () => {
    await aKnown('orders', limitedTo(4));

    for (let round = 0; round < 4; round += 1) {
      await host.clock.sleep(1_000);
      await notes.store(catalog);
    }

    expect(reads).toEqual([]);
  });

  test('begins no more where the store takes its time, and goes on in the next round', async () => {
    for (let index = 0; index < 40; index += 1) await aKnown(`sink-${index}`, limitedTo(4));
    await host.clock.sleep(5_000);
    waitMs = 400;

    const startedAtMs = host.clock.monotonicMs();
    await notes.store(catalog);
    const tookMs = host.clock.monotonicMs() - startedAtMs;
    for (let round = 0; round < 4; round += 1) await notes.store(catalog);

    expect(tookMs).toBeLessThan(2_000);
    expect(await Promise.all(Array.from({ length: 40 }, (_, index) => bears(`sink-${index}`)))).toEqual(Array(40).fill(5));
  });

  test('costs a read and a write of the document, and no more', async () => {
    await aKnown('orders', limitedTo(4));
    await host.clock.sleep(5_000);

    await notes.store(catalog);

    expect(reads).toEqual(['orders']);
    expect([...catalog.planned.values()]).toMatchObject([{ bears: 5 }]);
  });

  test('leaves alone what another scheduler has halved meanwhile', async () => {
    await aKnown('orders', limitedTo(8));
    await host.clock.sleep(5_000);
    await change('orders', { pressure: limitedTo(2) });

    await notes.store(catalog);

    expect(await bears()).toBe(2);
  });

  test('a document that a later version wrote keeps no other connector waiting, and is spoken of once', async () => {
    await aKnown('newer', limitedTo(4));
    await aKnown('orders', limitedTo(4));
    await write('newer', '{"v":99}');

    await host.clock.sleep(5_000);
    await notes.store(catalog);
    await notes.store(catalog);

    expect(await bears()).toBe(5);
    expect(host.telemetry.logs).toMatchObject([{ level: 'error', fields: { connector: 'newer', code: 'store.document_newer' } }]);
  });

  test('does nothing to another connector of the same name', async () => {
    const uid = await aKnown();
    await change('orders', { uid: 'another' });

    note(uid);
    await notes.store(catalog);

    expect(await bears()).toBeUndefined();
  });

  test('keeps the strain of a connector that is gone to itself', async () => {
    note('gone');

    await notes.store(catalog);

    expect(reads).toEqual([]);
  });
});
