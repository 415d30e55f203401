import { describe, expect, test } from 'vitest';
import { connectorKey, encodeConnector, readConnector } from '../../../core/connector.ts';
import { decodeCursor, encodeCursor } from '../../../core/cursor/codec.ts';
import { cursorKey, cursorPartition } from '../../../core/cursor/stored-cursor.ts';
import type { StateStore } from '../../../core/ports.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { createConnector, deleteConnector, setTargetState } from '../../../scheduler/connector-actions.ts';
import { ConnectorCatalog } from '../../../scheduler/connector-catalog.ts';
import { Healing } from '../../../scheduler/heal.ts';
import { ShardTable } from '../../../scheduler/shard-table.ts';
import { aLogCursor } from '../../support/builders.ts';
import { storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';

const queue = { topic: 'orders', brokerName: 'memory', queueId: 0 };
const CONFIG = { 'connector.class': 'discard-sink', topics: 'orders' };

/** Connectors that are paused, each with a cursor whose gate is behind. */
async function halfPaused(connectors: number): Promise<{ readonly host: TestHost; readonly uids: readonly string[] }> {
  const plugin = memorySink(memoryTarget('append'));
  const host = aHost({ plugins: [plugin] });
  const uids: string[] = [];
  for (let index = 0; index < connectors; index += 1) {
    const name = `sink-${index}`;
    const config = { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string' };
    const { uid } = await createConnector(host, { name, config });
    await setTargetState(host, name, 'paused');
    await host.store.put(cursorKey(queueShardId(uid, queue)), encodeCursor(aLogCursor()), { ifAbsent: true });
    uids.push(uid);
  }
  return { host, uids };
}

/** Connectors whose operator's process ended in the middle of deleting them. */
async function halfDeleted(names: readonly string[]): Promise<{ readonly host: TestHost }> {
  const host = aHost();
  for (const name of names) {
    const connector = await createConnector(host, { name, config: CONFIG });
    const { version = '' } = (await host.store.get(connectorKey(name))) ?? {};
    const deleted = encodeConnector({ ...connector, targetState: 'deleted', revision: connector.revision + 1 });
    await host.store.put(connectorKey(name), deleted, { ifVersion: version });
  }
  return { host };
}

/** Of a scheduler that knew all of them for long enough. */
async function aHealing(host: TestHost, { store = host.store }: { readonly store?: StateStore } = {}): Promise<Healing> {
  const table = new ShardTable(() => undefined);
  const catalog = new ConnectorCatalog(
    { ...host, skewMaxMs: 5_000, sweepMs: 60_000, configured: () => undefined, forgotten: () => undefined },
    table,
  );
  await catalog.readDocuments();
  await catalog.listMissing();
  await host.clock.sleep(6_000);
  return new Healing({ ...host, store }, { catalog, table });
}

async function corrupt({ store }: TestHost, uid: string): Promise<void> {
  const key = cursorKey(queueShardId(uid, queue));
  await store.put(key, 'not a cursor', { ifVersion: (await store.get(key))?.version ?? '' });
}

async function gateOf({ store }: TestHost, uid: string): Promise<string> {
  const shard = queueShardId(uid, queue);
  return decodeCursor((await store.get(cursorKey(shard)))?.value ?? '', shard).gate.state;
}

describe('Healing', () => {
  test('finishes what it can beside a connector whose cursor cannot be read, and says so once', async () => {
    const { host, uids } = await halfPaused(3);
    const healing = await aHealing(host);
    await corrupt(host, uids[0] ?? '');

    await healing.heal();
    for (let round = 0; round < 60; round += 1) {
      await host.clock.sleep(1_000);
      await healing.heal();
    }

    expect([await gateOf(host, uids[1] ?? ''), await gateOf(host, uids[2] ?? '')]).toEqual(['paused', 'paused']);
    expect(host.telemetry.logs).toMatchObject([
      { level: 'warn', message: expect.stringContaining('connector sink-0'), fields: { code: 'store.document_corrupt' } },
    ]);
  });

  test('leaves one alone for a while that it could not heal', async () => {
    const { host, uids } = await halfPaused(1);
    let lists = 0;
    const store = storeWith(host.store, {
      list: (partition, page) => {
        if (partition === cursorPartition(uids[0] ?? '')) lists += 1;
        return host.store.list(partition, page);
      },
    });
    const healing = await aHealing(host, { store });
    await corrupt(host, uids[0] ?? '');

    for (let second = 0; second < 65; second += 1) {
      await healing.heal();
      await host.clock.sleep(1_000);
    }

    expect(lists).toBe(3);
  });

  test('asks a store that is away for few of many, and goes on with others later', async () => {
    const { host } = await halfPaused(40);
    let asked = 0;
    let isOut = true;
    const store = storeWith(host.store, {
      list: (partition, page) => {
        asked += 1;
        return isOut ? Promise.reject(storeUnavailable()) : host.store.list(partition, page);
      },
    });
    const healing = await aHealing(host, { store });

    await healing.heal();
    const askedAtOnce = asked;
    isOut = false;
    const changed = await healing.heal();

    expect(askedAtOnce).toBeLessThanOrEqual(4);
    expect(changed.length).toBe(40 - askedAtOnce);
  });

  test('finishes a deletion, and leaves the connector alone that got its name meanwhile', async () => {
    const { host } = await halfDeleted(['gone', 'new']);
    const healing = await aHealing(host);
    await deleteConnector(host, 'new');
    const { uid } = await createConnector(host, { name: 'new', config: CONFIG });

    await healing.heal();

    expect(await readConnector(host, 'gone')).toBeNull();
    expect(await readConnector(host, 'new')).toMatchObject({ uid, targetState: 'running' });
  });
});
