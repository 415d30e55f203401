import { describe, expect, test } from 'vitest';
import { type Connector, connectorKey, decodeConnector, encodeConnector } from '../../../core/connector.ts';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import { cursorKey, cursorPartition } from '../../../core/cursor/stored-cursor.ts';
import type { StateStore } from '../../../core/ports.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import { ConnectorCatalog } from '../../../scheduler/connector-catalog.ts';
import { ShardTable } from '../../../scheduler/shard-table.ts';
import { aLogCursor } from '../../support/builders.ts';
import { storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';

const queue = { topic: 'orders', brokerName: 'memory', queueId: 0 };

/** A host, and connectors with one cursor each. */
async function aWorld(connectors: number): Promise<{ readonly host: TestHost; readonly made: readonly Connector[] }> {
  const plugin = memorySink(memoryTarget('append'));
  const host = aHost({ plugins: [plugin] });
  const made: Connector[] = [];
  for (let index = 0; index < connectors; index += 1) {
    const config = { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string' };
    const connector = await createConnector(host, { name: `sink-${index}`, config });
    await host.store.put(cursorKey(queueShardId(connector.uid, queue)), encodeCursor(aLogCursor({ next: 1 })), {
      ifAbsent: true,
    });
    made.push(connector);
  }
  return { host, made };
}

function aCatalog(host: TestHost, { store = host.store }: { readonly store?: StateStore } = {}) {
  const table = new ShardTable(() => undefined);
  const catalog = new ConnectorCatalog(
    { ...host, store, skewMaxMs: 5_000, sweepMs: 60_000, configured: () => undefined, forgotten: () => undefined },
    table,
  );
  catalog.renew();
  return { catalog, table };
}

describe('ConnectorCatalog', () => {
  test('goes on with the cursors that are still to be listed where the store did not answer', async () => {
    const { host, made } = await aWorld(40);
    const lists: string[] = [];
    const store = storeWith(host.store, {
      list: (partition, page) => {
        lists.push(partition);
        // Every other call: a round of as many lists never passes as a whole.
        return lists.length % 2 === 0 ? Promise.reject(storeUnavailable()) : host.store.list(partition, page);
      },
    });
    const { catalog, table } = aCatalog(host, { store });

    let failures = 0;
    while (failures < 1_000) {
      try {
        await catalog.readDocuments();
        if (!catalog.isAnyUnlisted) break;
        await catalog.listMissing();
      } catch {
        failures += 1;
      }
    }

    const listed = made.map(({ uid }) => [catalog.isListed(uid), table.ofConnector(uid).size]);
    expect(listed).toEqual(made.map(() => [true, 1]));
    expect(lists.length).toBeLessThan(2 * (made.length + 2));
  });

  test('has all that is to be read again looked at, so that nobody is sent by what was known', async () => {
    const { host, made } = await aWorld(2);
    const { catalog, table } = aCatalog(host);
    await catalog.readDocuments();
    await catalog.listMissing();
    table.takeDue(host.clock.nowMs());

    catalog.renew();

    expect(table.takeDue(host.clock.nowMs()).map(({ uid }) => uid)).toEqual(made.map(({ uid }) => uid));
    expect(made.map(({ uid }) => catalog.isListed(uid))).toEqual([false, false]);
  });

  test('lists one whose cursors cannot be had after all others', async () => {
    const { host, made } = await aWorld(300);
    const broken = cursorPartition(made[0]?.uid ?? '');
    const store = storeWith(host.store, {
      list: (partition, page) => (partition === broken ? Promise.reject(storeUnavailable()) : host.store.list(partition, page)),
    });
    const { catalog } = aCatalog(host, { store });
    await catalog.readDocuments();

    for (let round = 0; round < 2; round += 1) await expect(catalog.listMissing()).rejects.toThrow('does not answer');

    expect(made.filter(({ uid }) => !catalog.isListed(uid)).map(({ name }) => name)).toEqual(['sink-0']);
  });

  test('sweeps for a moment at a time where the store is slow, and leaves nobody out', async () => {
    const { host, made } = await aWorld(20);
    let isSlow = false;
    const listed: string[] = [];
    const store = storeWith(host.store, {
      list: async (partition, page) => {
        if (isSlow && partition !== 'connectors') {
          listed.push(partition);
          await host.clock.sleep(600);
        }
        return host.store.list(partition, page);
      },
    });
    const { catalog } = aCatalog(host, { store });
    await catalog.readDocuments();
    await catalog.listMissing();
    isSlow = true;

    const tookMs: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const startedAtMs = host.clock.monotonicMs();
      await catalog.sweep(60_000);
      tookMs.push(host.clock.monotonicMs() - startedAtMs);
    }

    expect(Math.max(...tookMs)).toBeLessThan(2_000);
    expect(new Set(listed)).toEqual(new Set(made.map(({ uid }) => cursorPartition(uid))));
  });

  test('reads soon what it could not read while the store was away', async () => {
    const { host, made } = await aWorld(300);
    let isOut = false;
    const readAtMs = new Map<string, number>();
    const store = storeWith(host.store, {
      list: async (partition, page) => {
        if (partition === 'connectors') return host.store.list(partition, page);
        if (isOut) throw storeUnavailable();
        readAtMs.set(partition, host.clock.monotonicMs());
        return host.store.list(partition, page);
      },
    });
    const { catalog } = aCatalog(host, { store });
    await catalog.readDocuments();
    while (catalog.isAnyUnlisted) await catalog.listMissing();

    let oldestMs = 0;
    for (let second = 0; second < 200; second += 1) {
      isOut = second >= 30 && second < 40;
      await host.clock.sleep(1_000);
      await catalog.sweep(1_000).catch(() => undefined);
      const nowMs = host.clock.monotonicMs();
      for (const { uid } of made) oldestMs = Math.max(oldestMs, nowMs - (readAtMs.get(cursorPartition(uid)) ?? 0));
    }

    expect(oldestMs).toBeLessThan(75_000);
  });

  test('sweeps past some whose cursors can never be read', async () => {
    const { host, made } = await aWorld(60);
    const broken = new Set(made.slice(0, 30).map(({ uid }) => cursorPartition(uid)));
    const read = new Set<string>();
    const store = storeWith(host.store, {
      list: async (partition, page) => {
        if (broken.has(partition)) throw storeUnavailable();
        read.add(partition);
        return host.store.list(partition, page);
      },
    });
    const { catalog } = aCatalog(host, { store });
    await catalog.readDocuments();

    for (let second = 0; second < 120; second += 1) await catalog.sweep(1_000).catch(() => undefined);

    expect(made.filter(({ uid }) => !read.has(cursorPartition(uid)))).toHaveLength(30);
  });

  test('lists all others where those whose cursors cannot be had are many', async () => {
    const { host, made } = await aWorld(60);
    const broken = new Set(made.slice(0, 30).map(({ uid }) => cursorPartition(uid)));
    const store = storeWith(host.store, {
      list: (partition, page) => (broken.has(partition) ? Promise.reject(storeUnavailable()) : host.store.list(partition, page)),
    });
    const { catalog } = aCatalog(host, { store });
    await catalog.readDocuments();

    for (let round = 0; round < 4; round += 1) await catalog.listMissing().catch(() => undefined);

    expect(made.filter(({ uid }) => !catalog.isListed(uid))).toHaveLength(30);
  });

  test('keeps one that came into being behind the place where its sweep is', async () => {
    const { host } = await aWorld(4);
    const { catalog } = aCatalog(host);
    await catalog.readDocuments();
    const config = { 'connector.class': 'memory-sink', topics: 'orders', 'value.converter': 'string' };

    for (let index = 0; index < 3; index += 1) await catalog.sweep(1);
    const { uid } = await createConnector(host, { name: 'sink-00', config });
    await catalog.read('sink-00');
    await catalog.sweep(60_000);

    expect(catalog.get(uid)?.connector.name).toBe('sink-00');
  });

  test('knows since when a revision stands, whatever back-pressure is noted in its document', async () => {
    const { host, made } = await aWorld(1);
    const { catalog } = aCatalog(host);
    await catalog.readDocuments();
    const uid = made[0]?.uid ?? '';
    const sinceMs = catalog.get(uid)?.sinceMs;
    await host.clock.sleep(4_000);

    const { connector, version } = await storedConnector(host, 'sink-0');
    const pressure = { invocations: 2, halvedAtMs: 1, changedAtMs: 1 };
    const noted = await host.store.put(connectorKey('sink-0'), encodeConnector({ ...connector, pressure }), {
      ifVersion: version,
    });
    await catalog.read('sink-0');
    const sinceNoted = catalog.get(uid);
    const paused = encodeConnector({ ...connector, targetState: 'paused', revision: connector.revision + 1 });
    await host.store.put(connectorKey('sink-0'), paused, { ifVersion: 'version' in noted ? noted.version : '' });
    await catalog.read('sink-0');

    expect([sinceNoted?.sinceMs, sinceNoted?.planned.bears]).toEqual([sinceMs, 2]);
    expect(catalog.get(uid)?.sinceMs).toBe(host.clock.monotonicMs());
  });

  test('a plugin that throws is a problem of its connector, and passes where it was one of the moment', async () => {
    const { host, made } = await aWorld(2);
    let isBroken = true;
    const registry = {
      ...host.registry,
      findSink: async (name: string) => {
        if (isBroken) throw new TypeError('Cannot read properties of undefined');
        return host.registry.findSink(name);
      },
    };
    const catalog = new ConnectorCatalog(
      { ...host, registry, skewMaxMs: 5_000, sweepMs: 60_000, configured: () => undefined, forgotten: () => undefined },
      new ShardTable(() => undefined),
    );
    catalog.renew();
    await catalog.readDocuments();
    const uid = made[0]?.uid ?? '';
    const problem = catalog.get(uid)?.problem;

    isBroken = false;
    await catalog.sweep(60_000);

    expect([problem, catalog.get(uid)?.problem]).toEqual(['Cannot read properties of undefined', null]);
  });
});

async function storedConnector(
  { store }: TestHost,
  name: string,
): Promise<{ readonly connector: Connector; readonly version: string }> {
  const document = await store.get(connectorKey(name));
  return { connector: decodeConnector(document?.value ?? '', name), version: document?.version ?? '' };
}
