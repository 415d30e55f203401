import { beforeEach, describe, expect, test } from 'vitest';
import type { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import { cursorKey } from '../../../core/cursor/stored-cursor.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { offset } from '../../../core/offset.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { createConnector } from '../../../scheduler/connector-actions.ts';
import { ConnectorCatalog } from '../../../scheduler/connector-catalog.ts';
import { GroupNotes } from '../../../scheduler/group-notes.ts';
import { ShardTable } from '../../../scheduler/shard-table.ts';
import { aLogCursor } from '../../support/builders.ts';
import { brokerUnavailable, brokerWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';

let host: TestHost;
let table: ShardTable;
let catalog: ConnectorCatalog;
let notes: GroupNotes;
let isAway: boolean;
let refused: string | null;
/** Calls, as the broker was told. */
let told: [group: string, offsets: string][];

beforeEach(async () => {
  host = aHost();
  (host.broker as MemoryLogBroker).createTopic('orders', { queues: 2 });
  isAway = false;
  refused = null;
  told = [];
  const broker = brokerWith(host.broker, {
    async noteGroup(group, offsets) {
      if (isAway) throw brokerUnavailable();
      if (group === refused) throw new FatalTaskError('no right', { code: 'broker.unauthorized' });
      told.push([group, offsets.map(({ queue, offset: at }) => `${queue.queueId}:${at}`).join(' ')]);
      await host.broker.noteGroup(group, offsets);
    },
  });
  table = new ShardTable(() => undefined);
  catalog = new ConnectorCatalog(
    { ...host, skewMaxMs: 5_000, sweepMs: 60_000, configured: () => undefined, forgotten: () => undefined },
    table,
  );
  notes = new GroupNotes({ broker, clock: host.clock, table, catalog });
});

async function aSink(name: string, config: Readonly<Record<string, string>> = {}): Promise<string> {
  const { uid } = await createConnector(host, {
    name,
    config: { 'connector.class': 'discard-sink', topics: 'orders', ...config },
  });
  return uid;
}

/** As an invocation leaves it. */
async function comesTo(uid: string, queueId: number, next: number): Promise<void> {
  const shard = queueShardId(uid, { topic: 'orders', brokerName: 'memory', queueId });
  const before = await host.store.get(cursorKey(shard));
  const value = encodeCursor(aLogCursor({ next: offset(next), open: [], epoch: next }));
  await host.store.put(cursorKey(shard), value, before === null ? { ifAbsent: true } : { ifVersion: before.version });
}

describe('GroupNotes', () => {
  test('tells how far each queue of a sink has come, as the group that Kafka Connect would name', async () => {
    const uid = await aSink('copy');
    await comesTo(uid, 0, 3);
    await comesTo(uid, 1, 5);
    await catalog.read('copy');

    await notes.tell();

    expect(told).toEqual([['connect-copy', '0:3 1:5']]);
  });

  test('tells it as the group that the configuration names', async () => {
    const uid = await aSink('copy', { 'consumer.override.group.id': 'shop' });
    await comesTo(uid, 0, 3);
    await catalog.read('copy');

    await notes.tell();

    expect([...(await host.broker.groups('orders')).keys()]).toEqual(['shop']);
  });

  test('tells again only of what has come further', async () => {
    const uid = await aSink('copy');
    await comesTo(uid, 0, 3);
    await comesTo(uid, 1, 5);
    await catalog.read('copy');
    await notes.tell();
    await comesTo(uid, 1, 6);
    await catalog.read('copy');

    await notes.tell();
    await notes.tell();

    expect(told).toEqual([
      ['connect-copy', '0:3 1:5'],
      ['connect-copy', '1:6'],
    ]);
  });

  test('tells what it could not tell once the broker is back', async () => {
    const uid = await aSink('copy');
    await comesTo(uid, 0, 3);
    await catalog.read('copy');
    isAway = true;
    await expect(notes.tell()).rejects.toThrow(expect.objectContaining({ code: 'broker.unavailable' }));
    isAway = false;

    await notes.tell();

    expect(told).toEqual([['connect-copy', '0:3']]);
  });

  test('leaves a group that the broker refuses alone for a minute, and no other', async () => {
    const [vault, copy] = [await aSink('vault'), await aSink('copy')];
    for (const uid of [vault, copy]) await comesTo(uid, 0, 3);
    await catalog.read('vault');
    refused = 'connect-vault';
    await expect(notes.tell()).rejects.toThrow(expect.objectContaining({ code: 'broker.unauthorized' }));

    await notes.tell();
    await catalog.read('copy');
    await notes.tell();
    refused = null;
    await host.clock.sleep(60_000);
    await notes.tell();

    expect(told).toEqual([
      ['connect-copy', '0:3'],
      ['connect-vault', '0:3'],
    ]);
  });

  test('forgets what it could not tell of a connector that went meanwhile', async () => {
    const uid = await aSink('copy');
    await comesTo(uid, 0, 3);
    await catalog.read('copy');
    isAway = true;

    const telling = notes.tell();
    for (const state of [...table.ofConnector(uid)]) table.forget(state);
    await expect(telling).rejects.toThrow(expect.objectContaining({ code: 'broker.unavailable' }));

    expect(table.moved.size).toBe(0);
  });

  test('tells nothing of a connector that is gone', async () => {
    const uid = await aSink('copy');
    await comesTo(uid, 0, 3);
    await catalog.read('copy');
    for (const state of [...table.ofConnector(uid)]) table.forget(state);

    await notes.tell();

    expect(told).toEqual([]);
  });
});
