import { describe, expect, test } from 'vitest';
import { type Connector, connectorKey, decodeConnector, encodeConnector, readConnector } from '../../../core/connector.ts';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import type { Cursor } from '../../../core/cursor/cursor.ts';
import { cursorKey, cursorPartition, StoredCursor } from '../../../core/cursor/stored-cursor.ts';
import type { Json } from '../../../core/json.ts';
import { type Offset, offset } from '../../../core/offset.ts';
import { type ShardId, shardId } from '../../../core/shard-id.ts';
import { ChangeNotes } from '../../../scheduler/change-notes.ts';
import {
  changeConfig,
  createConnector,
  deleteConnector,
  resetOffsets,
  restartShards,
  setTargetState,
} from '../../../scheduler/connector-actions.ts';
import { aCheckpointCursor, aFreeRange, aHeldRange, aLogCursor } from '../../support/builders.ts';
import { losingReplies, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';

const CONFIG = { 'connector.class': 'any', topics: 'orders' };
const SKEW_MAX_MS = 5_000;

/** A connector with the given cursors, one shard each. */
async function aConnector(
  cursors: readonly Cursor[] = [],
): Promise<{ host: TestHost; connector: Connector; shards: readonly ShardId[] }> {
  const host = aHost();
  const connector = await createConnector(host, { name: 'orders', config: CONFIG });
  const shards = cursors.map((_, index) => shardId(connector.uid, ['queue', 'orders', 'b', String(index).padStart(4, '0')]));
  for (const [index, shard] of shards.entries()) {
    await host.store.put(cursorKey(shard), encodeCursor(cursors[index] as Cursor), { ifAbsent: true });
  }
  return { host, connector, shards };
}

async function cursorsOf(host: TestHost, shards: readonly ShardId[]): Promise<readonly (Cursor | undefined)[]> {
  return Promise.all(shards.map(async (shard) => (await StoredCursor.read(host, shard))?.cursor));
}

/** As a later version would write it. */
async function makeUnreadable({ store }: TestHost, shard: ShardId): Promise<void> {
  const { version = '' } = (await store.get(cursorKey(shard))) ?? {};
  await store.put(cursorKey(shard), '{"v":99}', { ifVersion: version });
}

describe('createConnector', () => {
  test('gives each connector a uid of its own, at revision 1', async () => {
    const host = aHost();

    const one = await createConnector(host, { name: 'one', config: CONFIG });
    const two = await createConnector(host, { name: 'two', config: CONFIG, targetState: 'stopped' });

    expect(one).toMatchObject({ name: 'one', revision: 1, targetState: 'running', createdAtMs: host.clock.nowMs() });
    expect(two.targetState).toBe('stopped');
    expect(two.uid).not.toBe(one.uid);
    expect(await readConnector(host, 'one')).toEqual(one);
  });

  test('refuses a name that is taken, and leaves that connector alone', async () => {
    const { host, connector } = await aConnector();

    const second = createConnector(host, { name: 'orders', config: { 'connector.class': 'other' } });

    await expect(second).rejects.toMatchObject({ code: 'connector.exists', issues: [{ path: 'name' }] });
    expect(await readConnector(host, 'orders')).toEqual(connector);
  });

  test('recognises its own document where the reply was lost (I2)', async () => {
    const host = aHost();

    const created = await createConnector(
      { ...host, store: losingReplies(host.store, [1, 2]) },
      { name: 'orders', config: CONFIG },
    );

    expect(await readConnector(host, 'orders')).toEqual(created);
  });

  test('gives up on a store that does not answer', async () => {
    const host = aHost();
    let puts = 0;
    const put = (): Promise<never> => {
      puts += 1;
      return Promise.reject(storeUnavailable());
    };

    const created = createConnector({ ...host, store: storeWith(host.store, { put }) }, { name: 'orders', config: CONFIG });

    await expect(created).rejects.toMatchObject({ code: 'store.unavailable' });
    expect(puts).toBe(5);
  });

  test('gives a name free again to another connector', async () => {
    const { host, connector } = await aConnector();
    await deleteConnector(host, 'orders');

    const again = await createConnector(host, { name: 'orders', config: CONFIG });

    expect(again.uid).not.toBe(connector.uid);
  });
});

describe('setTargetState', () => {
  test('raises the revision, and the gate of every cursor (I9)', async () => {
    const { host, shards } = await aConnector([aLogCursor({ next: 7 }), aCheckpointCursor()]);

    const changed = await setTargetState(host, 'orders', 'paused');

    expect(changed).toMatchObject({ revision: 2, targetState: 'paused' });
    expect(await readConnector(host, 'orders')).toEqual(changed);
    expect(await cursorsOf(host, shards)).toMatchObject([
      { gate: { state: 'paused', revision: 2 }, next: 7n },
      { gate: { state: 'paused', revision: 2 } },
    ]);
  });

  test('reaches every cursor, however many there are', async () => {
    const { host, shards } = await aConnector(Array.from({ length: 1_203 }, () => aLogCursor()));

    await setTargetState(host, 'orders', 'stopped');

    const states = (await cursorsOf(host, shards)).map((cursor) => cursor?.gate.state);
    expect(states).toEqual(shards.map(() => 'stopped'));
  });

  test('leaves cursors of other connectors alone', async () => {
    const { host } = await aConnector();
    const other = await createConnector(host, { name: 'other', config: CONFIG });
    const shard = shardId(other.uid, ['queue', 'orders', 'b', '0']);
    await host.store.put(cursorKey(shard), encodeCursor(aLogCursor()), { ifAbsent: true });

    await setTargetState(host, 'orders', 'paused');

    expect(await cursorsOf(host, [shard])).toMatchObject([{ gate: { state: 'running' } }]);
  });

  test('twice is once', async () => {
    const { host } = await aConnector([aLogCursor()]);

    await setTargetState(host, 'orders', 'paused');
    const second = await setTargetState(host, 'orders', 'paused');

    expect(second.revision).toBe(2);
  });

  test('finishes what an operator left half-done', async () => {
    const { host, shards } = await aConnector([aLogCursor(), aLogCursor()]);
    const dying = { ...host, store: storeWith(host.store, { list: () => Promise.reject(storeUnavailable()) }) };
    await setTargetState(dying, 'orders', 'stopped').catch(() => undefined);

    await setTargetState(host, 'orders', 'stopped');

    expect(await cursorsOf(host, shards)).toMatchObject([
      { gate: { state: 'stopped', revision: 2 } },
      { gate: { state: 'stopped', revision: 2 } },
    ]);
  });

  test.each([1, 2, 3])('reaches every gate when the reply of write %i is lost', async (write) => {
    const { host, shards } = await aConnector([aLogCursor(), aLogCursor()]);
    const lossy = { ...host, store: losingReplies(host.store, [write]) };

    await setTargetState(lossy, 'orders', 'paused').catch(() => setTargetState(lossy, 'orders', 'paused'));

    const states = (await cursorsOf(host, shards)).map((cursor) => cursor?.gate);
    expect(states).toEqual([
      { state: 'paused', revision: 2 },
      { state: 'paused', revision: 2 },
    ]);
  });

  test('of two operators at once the later one is obeyed everywhere', async () => {
    const { host, shards } = await aConnector([aLogCursor(), aLogCursor()]);

    await Promise.all([setTargetState(host, 'orders', 'paused'), setTargetState(host, 'orders', 'stopped')]);

    const connector = await readConnector(host, 'orders');
    expect(connector?.revision).toBe(3);
    const gates = (await cursorsOf(host, shards)).map((cursor) => cursor?.gate);
    expect(gates).toEqual(shards.map(() => ({ state: connector?.targetState, revision: 3 })));
  });

  test('lets held slices stay held', async () => {
    const { host, shards } = await aConnector([aLogCursor({ next: 9, open: [aHeldRange({ start: 5, end: 9 })] })]);

    await setTargetState(host, 'orders', 'stopped');

    expect(await cursorsOf(host, shards)).toMatchObject([{ open: [{ kind: 'held', start: 5n, end: 9n }] }]);
  });

  test('refuses a name nobody has', async () => {
    await expect(setTargetState(aHost(), 'nobody', 'paused')).rejects.toMatchObject({
      code: 'connector.not_found',
      message: expect.stringContaining('nobody'),
    });
  });

  test('reaches every gate beside a cursor that nobody can read, and says so at the end', async () => {
    const { host, shards } = await aConnector([aLogCursor(), aLogCursor(), aLogCursor()]);
    await makeUnreadable(host, shards[0] as ShardId);

    const changed = setTargetState(host, 'orders', 'paused');

    await expect(changed).rejects.toMatchObject({ code: 'store.document_newer', message: expect.stringContaining('99') });
    expect(await cursorsOf(host, shards.slice(1))).toMatchObject([
      { gate: { state: 'paused', revision: 2 } },
      { gate: { state: 'paused', revision: 2 } },
    ]);
  });

  test('brings no connector back that is being deleted (I9)', async () => {
    const { host, shards } = await aConnector([aLogCursor()]);
    const dying = { ...host, store: storeWith(host.store, { delete: () => Promise.reject(storeUnavailable()) }) };
    await deleteConnector(dying, 'orders').catch(() => undefined);

    const resumed = setTargetState(host, 'orders', 'running');

    await expect(resumed).rejects.toMatchObject({ code: 'connector.not_found' });
    expect(await cursorsOf(host, shards)).toMatchObject([{ gate: { state: 'deleted' } }]);
  });
});

describe('changeConfig', () => {
  test('stores the new configuration and raises every gate to its revision', async () => {
    const { host, shards } = await aConnector([aLogCursor()]);

    const changed = await changeConfig(host, 'orders', { ...CONFIG, 'tasks.max': '3' });

    expect(changed).toMatchObject({ revision: 2, targetState: 'running', config: { 'tasks.max': '3' } });
    expect(await cursorsOf(host, shards)).toMatchObject([{ gate: { state: 'running', revision: 2 } }]);
  });

  test('changes nothing where the configuration is the one it has', async () => {
    const { host, shards } = await aConnector([aLogCursor()]);

    const changed = await changeConfig(host, 'orders', { ...CONFIG });

    expect(changed.revision).toBe(1);
    expect(await cursorsOf(host, shards)).toMatchObject([{ gate: { revision: 1 } }]);
  });

  test('of two at once neither is lost', async () => {
    const { host } = await aConnector();

    await Promise.all([changeConfig(host, 'orders', { ...CONFIG, a: '1' }), setTargetState(host, 'orders', 'paused')]);

    expect(await readConnector(host, 'orders')).toMatchObject({ revision: 3, targetState: 'paused', config: { a: '1' } });
  });

  test('gives up where others change the connector all the time', async () => {
    const { host, connector } = await aConnector();
    let revision = 1;
    const busy = storeWith(host.store, {
      put: async () => {
        revision += 1;
        return { conflict: true, current: { value: encodeConnector({ ...connector, revision }), version: String(revision) } };
      },
    });

    const changing = changeConfig({ ...host, store: busy }, 'orders', { ...CONFIG, a: '1' });

    await expect(changing).rejects.toMatchObject({ code: 'slice.fenced' });
  });
});

describe('restartShards', () => {
  test('makes failed shards active, and forgets what went wrong', async () => {
    const failed = { state: 'failed', code: 'task.failed', retryAtMs: null, restarts: 7 } as const;
    const open = [aFreeRange({ start: 3, end: 9, attempts: 4, deaths: 2, retryAtMs: 99, error: 'target.unavailable' })];
    const { host, connector, shards } = await aConnector([
      aLogCursor({ status: failed, next: 9, open }),
      aCheckpointCursor({ status: failed, attempts: 3, retryAtMs: 99, checkpoint: { p: 1 } }),
      aLogCursor({ next: 5 }),
    ]);

    await restartShards(host, connector);

    expect(await cursorsOf(host, shards)).toMatchObject([
      {
        status: { state: 'active', restarts: 0 },
        open: [{ start: 3n, end: 9n, attempts: 0, deaths: 0, retryAtMs: 99, error: null }],
      },
      { status: { state: 'active', restarts: 0 }, attempts: 0, retryAtMs: 99, checkpoint: { p: 1 } },
      { status: { state: 'active', restarts: 0 }, next: 5n },
    ]);
  });

  test('leaves a truncated log failed, for only a reset helps it', async () => {
    const status = { state: 'failed', code: 'shard.log_truncated', retryAtMs: null, restarts: 0 } as const;
    const { host, connector, shards } = await aConnector([aLogCursor({ status })]);

    await restartShards(host, connector);

    expect(await cursorsOf(host, shards)).toMatchObject([{ status }]);
  });

  test('tells schedulers of those that became active beside a cursor that nobody can read', async () => {
    const failed = { state: 'failed', code: 'task.failed', retryAtMs: null, restarts: 7 } as const;
    const { host, connector, shards } = await aConnector([aLogCursor(), aLogCursor({ status: failed })]);
    await makeUnreadable(host, shards[0] as ShardId);
    const notes = new ChangeNotes(host);
    await notes.read();

    await expect(restartShards(host, connector)).rejects.toMatchObject({ code: 'store.document_newer' });

    expect(await cursorsOf(host, shards.slice(1))).toMatchObject([{ status: { state: 'active' } }]);
    expect([...(await notes.read()).changed]).toEqual(['orders']);
  });

  test('writes nothing where nothing has failed', async () => {
    const { host, connector } = await aConnector([aLogCursor(), aCheckpointCursor()]);
    let writes = 0;
    const counting = storeWith(host.store, {
      put: (...write) => {
        writes += 1;
        return host.store.put(...write);
      },
    });

    await restartShards({ ...host, store: counting }, connector);

    expect(writes).toBe(0);
  });
});

describe('resetOffsets', () => {
  const stopped = { state: 'stopped', revision: 2 } as const;

  test('starts a new generation of the named shards at their positions (I3)', async () => {
    const { host, connector, shards } = await aConnector([
      aLogCursor({ gate: stopped, next: 9, open: [aFreeRange({ start: 3, end: 5 })], lastStoredAtMs: 1 }),
      aLogCursor({ gate: stopped, next: 9 }),
    ]);
    const [first] = shards;

    const refused = await resetOffsets(host, connector, {
      positions: new Map([[first as ShardId, offset(2)]]),
      skewMaxMs: SKEW_MAX_MS,
    });

    expect(refused.size).toBe(0);
    expect(await cursorsOf(host, shards)).toMatchObject([
      { generation: 2, next: 2n, open: [], lastStoredAtMs: null },
      { generation: 1, next: 9n },
    ]);
  });

  test('reaches the other named shards beside a cursor that nobody can read, and says which that is', async () => {
    const { host, connector, shards } = await aConnector(Array.from({ length: 3 }, () => aLogCursor({ gate: stopped, next: 9 })));
    const [first = shardId('', []), unreadable = first, last = first] = shards;
    await makeUnreadable(host, unreadable);

    const reset = resetOffsets(host, connector, {
      positions: new Map(shards.map((shard) => [shard, offset(2)])),
      skewMaxMs: SKEW_MAX_MS,
    });

    await expect(reset).rejects.toThrow(unreadable);
    expect(await cursorsOf(host, [first, last])).toMatchObject([{ next: 2n }, { next: 2n }]);
  });

  test('knows nothing of a cursor that nobody can read where it is not named', async () => {
    const { host, connector, shards } = await aConnector([aLogCursor({ gate: stopped }), aLogCursor({ gate: stopped, next: 9 })]);
    const [unreadable = shardId('', []), named = unreadable] = shards;
    await makeUnreadable(host, unreadable);

    const refused = await resetOffsets(host, connector, { positions: new Map([[named, offset(2)]]), skewMaxMs: SKEW_MAX_MS });

    expect(refused.size).toBe(0);
    expect(await cursorsOf(host, [named])).toMatchObject([{ next: 2n }]);
  });

  test('gives a source its own checkpoint, and a truncated or finished shard another life', async () => {
    const { host, connector, shards } = await aConnector([
      aCheckpointCursor({ gate: stopped, status: { state: 'done' }, checkpoint: { p: 7, q: {} } }),
      aLogCursor({ gate: stopped, status: { state: 'failed', code: 'shard.log_truncated', retryAtMs: null, restarts: 0 } }),
    ]);
    const [source, log] = shards;

    await resetOffsets(host, connector, {
      positions: new Map<ShardId, never>([
        [source as ShardId, { file: 'a', byte: 4 } as never],
        [log as ShardId, offset(0) as never],
      ]),
      skewMaxMs: SKEW_MAX_MS,
    });

    expect(await cursorsOf(host, shards)).toMatchObject([
      { status: { state: 'active' }, checkpoint: { p: { file: 'a', byte: 4 } }, clean: true },
      { status: { state: 'active' }, next: 0n },
    ]);
    expect((await cursorsOf(host, shards)).map((cursor) => (cursor?.kind === 'checkpoint' ? cursor.checkpoint : null))).toEqual([
      { p: { file: 'a', byte: 4 } },
      null,
    ]);
  });

  test('is refused shard by shard while one is not stopped or still held', async () => {
    const { host, connector, shards } = await aConnector([
      aLogCursor(),
      aLogCursor({ gate: stopped, next: 9, open: [aHeldRange({ start: 0, end: 9 })] }),
      aLogCursor({ gate: stopped }),
    ]);

    const refused = await resetOffsets(host, connector, {
      positions: new Map(shards.map((shard) => [shard, offset(1)])),
      skewMaxMs: SKEW_MAX_MS,
    });

    expect([...refused]).toEqual([
      [shards[0], 'not-stopped'],
      [shards[1], 'held'],
    ]);
    expect((await cursorsOf(host, shards)).map((cursor) => cursor?.generation)).toEqual([1, 1, 2]);
  });

  test.each([
    ['the default limit of a put', {}],
    ['a lower one, which its holder may not have had yet', { 'put.timeout.ms': '1000' }],
    ['another key wrong', { 'tasks.max': 'many' }],
  ])(
    'waits for the deadline of a slice that is held, for the skew between clocks and for the longest put (%s)',
    async (_, config) => {
      const host = aHost();
      const deadlineAtMs = host.clock.nowMs() + 1_000;
      const connector = await createConnector(host, { name: 'orders', config: { ...CONFIG, ...config } });
      const shard = shardId(connector.uid, ['queue', 'orders', 'b', '0']);
      const held = aLogCursor({ gate: stopped, next: 9, open: [aHeldRange({ start: 0, end: 9, deadlineAtMs })] });
      await host.store.put(cursorKey(shard), encodeCursor(held), { ifAbsent: true });
      const request = { positions: new Map([[shard, offset(1)]]), skewMaxMs: SKEW_MAX_MS };

      await host.clock.sleep(16_000 - 1);
      const early = await resetOffsets(host, connector, request);
      await host.clock.sleep(1);
      const late = await resetOffsets(host, connector, request);

      expect([early.get(shard), late.get(shard)]).toEqual(['held', undefined]);
    },
  );
});

describe('resetOffsets to positions that cannot be', () => {
  const stopped = { state: 'stopped', revision: 2 } as const;

  test('names the shards that do not exist', async () => {
    const { host, connector, shards } = await aConnector([aLogCursor({ gate: stopped })]);
    const unknown = 'no such shard' as ShardId;

    const refused = await resetOffsets(host, connector, {
      positions: new Map([...shards, unknown].map((shard) => [shard, offset(1)])),
      skewMaxMs: SKEW_MAX_MS,
    });

    expect([...refused]).toEqual([[unknown, 'unknown-shard']]);
    expect(await cursorsOf(host, shards)).toMatchObject([{ generation: 2, next: 1n }]);
  });

  test('changes nothing where a shard is given a position of the other kind', async () => {
    const { host, connector, shards } = await aConnector([
      aLogCursor({ gate: stopped }),
      aLogCursor({ gate: stopped }),
      aCheckpointCursor({ gate: stopped }),
    ]);
    const positions = new Map<ShardId, Offset | Json>(shards.map((shard, index) => [shard, index === 1 ? '7' : offset(7)]));

    const reset = resetOffsets(host, connector, { positions, skewMaxMs: SKEW_MAX_MS });

    await expect(reset).rejects.toMatchObject({ code: 'config.invalid', issues: [{ path: shards[1] }, { path: shards[2] }] });
    expect((await cursorsOf(host, shards)).map((cursor) => cursor?.generation)).toEqual([1, 1, 1]);
  });
});

describe('deleteConnector', () => {
  test('removes the cursors, and the connector last', async () => {
    const { host, connector } = await aConnector([
      aLogCursor({ next: 5, open: [aHeldRange({ start: 0, end: 5 })] }),
      aCheckpointCursor(),
    ]);

    await deleteConnector(host, 'orders');

    expect(await readConnector(host, 'orders')).toBeNull();
    expect((await host.store.list(cursorPartition(connector.uid), { limit: 10 })).documents).toEqual([]);
  });

  test('is finished by the next try where it stopped half-way; until then the name is taken', async () => {
    const { host, connector } = await aConnector([aLogCursor(), aLogCursor()]);
    let deletions = 0;
    const dying = storeWith(host.store, {
      delete: (...deletion) => {
        deletions += 1;
        return deletions > 1 ? Promise.reject(storeUnavailable()) : host.store.delete(...deletion);
      },
    });
    await deleteConnector({ ...host, store: dying }, 'orders').catch(() => undefined);
    const taken = createConnector(host, { name: 'orders', config: CONFIG });
    await expect(taken).rejects.toMatchObject({ code: 'connector.exists' });

    await deleteConnector(host, 'orders');

    expect(await host.store.get(connectorKey('orders'))).toBeNull();
    expect((await host.store.list(cursorPartition(connector.uid), { limit: 10 })).documents).toEqual([]);
  });

  test('is gone also where a scheduler writes to its document meanwhile', async () => {
    const { host } = await aConnector([aLogCursor()]);
    const writtenTo = storeWith(host.store, {
      async get(key) {
        const document = await host.store.get(key);
        // As the topics whose records were moved are noted, right after the last look before the document is removed.
        if (key.sort === 'orders' && document !== null && decodeConnector(document.value, 'orders').targetState === 'deleted') {
          await host.store.put(key, document.value, { ifVersion: document.version });
        }
        return document;
      },
    });

    await deleteConnector({ ...host, store: writtenTo }, 'orders');

    expect(await host.store.get(connectorKey('orders'))).toBeNull();
  });

  test('closes every gate before it removes the first cursor (I9)', async () => {
    const { host, shards } = await aConnector([aLogCursor(), aLogCursor()]);
    const gates: unknown[] = [];
    const watching = storeWith(host.store, {
      delete: async (...deletion) => {
        if (gates.length === 0) gates.push(...(await cursorsOf(host, shards)).map((cursor) => cursor?.gate.state));
        return host.store.delete(...deletion);
      },
    });

    await deleteConnector({ ...host, store: watching }, 'orders');

    expect(gates).toEqual(['deleted', 'deleted']);
  });

  test('removes a cursor that nobody can read, and gives the name free', async () => {
    const { host, connector, shards } = await aConnector([aLogCursor(), aLogCursor()]);
    await makeUnreadable(host, shards[0] as ShardId);

    await deleteConnector(host, 'orders');

    expect(await readConnector(host, 'orders')).toBeNull();
    expect((await host.store.list(cursorPartition(connector.uid), { limit: 10 })).documents).toEqual([]);
  });

  test('gives up on a cursor that is written to all the time', async () => {
    const { host, connector } = await aConnector([aLogCursor()]);
    const busy = storeWith(host.store, {
      delete: async () => ({ conflict: true, current: { value: encodeCursor(aLogCursor()), version: 'another' } }),
    });

    const deleted = deleteConnector({ ...host, store: busy }, 'orders');

    await expect(deleted).rejects.toMatchObject({ code: 'store.unavailable' });
    expect(await readConnector(host, connector.name)).not.toBeNull();
  });

  test('removes cursors that are being written to', async () => {
    const { host, connector, shards } = await aConnector([aLogCursor()]);
    let conflicts = 0;
    const racing = storeWith(host.store, {
      delete: async (key, condition) => {
        if (conflicts < 3 && key.partition === cursorPartition(connector.uid)) {
          conflicts += 1;
          const current = await host.store.get(key);
          await host.store.put(key, encodeCursor(aLogCursor({ next: conflicts })), { ifVersion: current?.version ?? '' });
        }
        return host.store.delete(key, condition);
      },
    });

    await deleteConnector({ ...host, store: racing }, 'orders');

    expect(await cursorsOf(host, shards)).toEqual([undefined]);
  });

  test('refuses a name nobody has', async () => {
    await expect(deleteConnector(aHost(), 'nobody')).rejects.toMatchObject({ code: 'connector.not_found' });
  });
});
