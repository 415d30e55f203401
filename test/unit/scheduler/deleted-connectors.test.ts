import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import { cursorKey, cursorPartition } from '../../../core/cursor/stored-cursor.ts';
import { sourceShardId } from '../../../core/shard-id.ts';
import { createConnector, deleteConnector } from '../../../scheduler/connector-actions.ts';
import { sweepDeleted } from '../../../scheduler/deleted-connectors.ts';
import { aCheckpointCursor } from '../../support/builders.ts';
import { storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';

const DAY_MS = 24 * 3_600_000;

/** A connector that is gone, and the cursors that an invocation from before made after that. Answers its uid. */
async function aDeletedConnector(host: TestHost, cursors: number, name = 'rows'): Promise<string> {
  const { uid } = await createConnector(host, { name, config: { 'connector.class': 'any' } });
  await deleteConnector(host, name);
  for (let index = 0; index < cursors; index += 1) await createCursor(host, uid, String(index));
  return uid;
}

async function createCursor({ store }: TestHost, uid: string, name: string): Promise<void> {
  await store.put(cursorKey(sourceShardId(uid, [name])), encodeCursor(aCheckpointCursor()), { ifAbsent: true });
}

async function leftOf({ store }: TestHost, uid: string): Promise<number> {
  return (await store.list(cursorPartition(uid), { limit: 1_000 })).documents.length;
}

async function notes({ store }: TestHost): Promise<number> {
  return (await store.list('deleted', { limit: 1_000 })).documents.length;
}

describe('sweepDeleted', () => {
  test('removes what was created after the deletion, once nobody can create more', async () => {
    const host = aHost();
    const uid = await aDeletedConnector(host, 3);

    await host.clock.sleep(DAY_MS - 1);
    await sweepDeleted(host);
    const early = await leftOf(host, uid);
    await host.clock.sleep(1);
    await sweepDeleted(host);

    expect([early, await leftOf(host, uid), await notes(host)]).toEqual([3, 0, 0]);
  });

  test('leaves others alone: one that came after, under the same name, and one deleted later', async () => {
    const host = aHost();
    await aDeletedConnector(host, 1);
    const { uid } = await createConnector(host, { name: 'rows', config: { 'connector.class': 'any' } });
    await createCursor(host, uid, 'living');
    await host.clock.sleep(DAY_MS);
    const later = await aDeletedConnector(host, 1, 'later');

    await sweepDeleted(host);

    expect([await leftOf(host, uid), await leftOf(host, later), await notes(host)]).toEqual([1, 1, 1]);
  });

  test('reads no more than a list while nothing is due', async () => {
    const host = aHost();
    await aDeletedConnector(host, 1);
    let lists = 0;
    const store = storeWith(host.store, {
      list: (...page) => {
        lists += 1;
        return host.store.list(...page);
      },
    });

    await sweepDeleted({ ...host, store });

    expect(lists).toBe(1);
  });

  test('comes back for what one sweep does not manage', async () => {
    const host = aHost();
    const uid = await aDeletedConnector(host, 250);
    await host.clock.sleep(DAY_MS);
    const left: number[] = [];

    for (let sweep = 0; sweep < 3; sweep += 1) {
      await sweepDeleted(host);
      left.push(await leftOf(host, uid), await notes(host));
    }

    expect(left).toEqual([150, 1, 50, 1, 0, 0]);
  });

  test('is finished by the next one where it died', async () => {
    const host = aHost();
    const uid = await aDeletedConnector(host, 3);
    await host.clock.sleep(DAY_MS);
    let deletions = 0;
    const dying = storeWith(host.store, {
      delete: (...deletion) => {
        deletions += 1;
        return deletions > 2 ? Promise.reject(storeUnavailable()) : host.store.delete(...deletion);
      },
    });
    await sweepDeleted({ ...host, store: dying }).catch(() => undefined);

    await sweepDeleted(host);

    expect([await leftOf(host, uid), await notes(host)]).toEqual([0, 0]);
  });

  test('comes back for a cursor that is written while it removes it', async () => {
    const host = aHost();
    const uid = await aDeletedConnector(host, 1);
    await host.clock.sleep(DAY_MS);
    const racing = storeWith(host.store, {
      delete: async (key, condition) => {
        const current = await host.store.get(key);
        await host.store.put(key, encodeCursor(aCheckpointCursor({ epoch: 2 })), { ifVersion: current?.version ?? '' });
        return host.store.delete(key, condition);
      },
    });

    await sweepDeleted({ ...host, store: racing });
    const met = [await leftOf(host, uid), await notes(host)];
    await sweepDeleted(host);

    expect(met).toEqual([1, 1]);
    expect([await leftOf(host, uid), await notes(host)]).toEqual([0, 0]);
  });

  test('removes a cursor that nobody can read', async () => {
    const host = aHost();
    const uid = await aDeletedConnector(host, 0);
    await host.store.put(cursorKey(sourceShardId(uid, ['a'])), 'not a cursor', { ifAbsent: true });
    await host.clock.sleep(DAY_MS);

    await sweepDeleted(host);

    expect(await leftOf(host, uid)).toBe(0);
  });

  test.each([1, 2])('knows of a deletion that died at its write or removal %i and was tried again', async (step) => {
    const host = aHost();
    const { uid } = await createConnector(host, { name: 'rows', config: { 'connector.class': 'any' } });
    // 1: the note, 2: the document.
    const dying = storeWith(host.store, {
      put: (key, ...write) =>
        step === 1 && key.partition === 'deleted' ? Promise.reject(storeUnavailable()) : host.store.put(key, ...write),
      delete: (...deletion) => (step === 2 ? Promise.reject(storeUnavailable()) : host.store.delete(...deletion)),
    });
    await deleteConnector({ ...host, store: dying }, 'rows').catch(() => undefined);
    await host.clock.sleep(2 * DAY_MS);
    await sweepDeleted(host);

    await deleteConnector(host, 'rows');
    await createCursor(host, uid, 'straggler');
    await host.clock.sleep(DAY_MS);
    await sweepDeleted(host);

    expect([await leftOf(host, uid), await notes(host)]).toEqual([0, 0]);
  });
});
