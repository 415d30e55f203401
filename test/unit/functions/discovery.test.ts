import { describe, expect, test } from 'vitest';
import { AssertionError, assert } from '../../../core/assert.ts';
import type { CheckpointCursor } from '../../../core/cursor/cursor.ts';
import { cursorPartition, StoredCursor } from '../../../core/cursor/stored-cursor.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import type { InvocationResult } from '../../../core/offer.ts';
import { discoveryShardId, sourceShardId } from '../../../core/shard-id.ts';
import { deleteConnector, restartShards, setTargetState } from '../../../scheduler/connector-actions.ts';
import { sweepDeleted } from '../../../scheduler/deleted-connectors.ts';
import { storeWith } from '../../support/faulty-ports.ts';
import { type MemorySystem, memorySource, memorySystem, rows } from '../../support/memory-source.ts';
import { aSourceShard, type SourceShard } from '../../support/source-shard.ts';

function discover(source: SourceShard): Promise<InvocationResult> {
  return source.run({ shard: discoveryShardId(source.connector.uid) });
}

async function discoveryCursor({ store, host, connector }: SourceShard): Promise<CheckpointCursor> {
  return (await StoredCursor.read({ ...host, store }, discoveryShardId(connector.uid)))?.cursor as CheckpointCursor;
}

async function shardsOf({ store, connector }: SourceShard): Promise<readonly string[]> {
  const { documents } = await store.list(cursorPartition(connector.uid), { limit: 100 });
  return documents.map(({ key }) => key.sort);
}

function systemOf(...names: string[]): MemorySystem {
  return memorySystem({ shards: new Map(names.map((name) => [name, rows(1)])) });
}

describe('runInvocation of a discovery', () => {
  test('gives a cursor to each shard it finds', async () => {
    const source = await aSourceShard({ system: systemOf('a', 'b') });
    const { uid } = source.connector;

    const { run } = await discover(source);

    expect(run.outcome).toBe('drained');
    expect(await shardsOf(source)).toEqual([discoveryShardId(uid), sourceShardId(uid, ['a']), sourceShardId(uid, ['b'])]);
  });

  test('comes back within a day to a source that names no time', async () => {
    const plugin = { ...memorySource(systemOf('a')), discoverEveryMs: Number.POSITIVE_INFINITY };
    const source = await aSourceShard({ plugin });

    await discover(source);

    expect((await discoveryCursor(source)).pollAtMs).toBe(source.host.clock.nowMs() + 24 * 60 * 60_000);
  });

  test('finds shards that came later, and leaves the others as they are', async () => {
    const system = systemOf('0');
    const source = await aSourceShard({ system });
    await discover(source);
    await source.run();

    system.shards.set('1', rows(1));
    await discover(source);

    expect(await shardsOf(source)).toHaveLength(3);
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 1 } } });
  });

  test('lets a shard begin where its plugin says, the first time it is found', async () => {
    let row = 1;
    const discovered = async () => [{ names: ['0'], finite: false, checkpoint: { row: row++ } }];
    const source = await aSourceShard({ plugin: { ...memorySource(systemOf('0')), discover: discovered } });

    await discover(source);
    await discover(source);

    expect(row).toBe(3);
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 1 } } });
  });

  test('shows a plugin the shards that were found before, and which of them are done', async () => {
    const seen: unknown[] = [];
    const memory = memorySource({ ...systemOf('0', '1'), finite: true });
    const source = await aSourceShard({
      plugin: {
        ...memory,
        discover: async (config, context) => {
          seen.push(await context.shards());
          return memory.discover(config, context);
        },
      },
    });
    await discover(source);
    await source.run();

    await discover(source);

    expect(seen).toEqual([
      [],
      [
        { names: ['0'], checkpoint: { row: 1 }, isDone: true },
        { names: ['1'], checkpoint: null, isDone: false },
      ],
    ]);
  });

  test('keeps shards that are no longer listed', async () => {
    const system = systemOf('0', '1');
    const source = await aSourceShard({ system });
    await discover(source);

    system.shards.delete('1');
    await discover(source);

    expect(await shardsOf(source)).toHaveLength(3);
  });

  test('says when it wants to look again', async () => {
    const source = await aSourceShard({ system: systemOf('a') });

    await discover(source);

    expect(await discoveryCursor(source)).toMatchObject({ pollAtMs: source.host.clock.nowMs() + 60_000, holder: null });
  });

  test.each(['ends', 'dies'])('leaves no cursor behind of a connector that is deleted meanwhile, and then %s', async (how) => {
    let made = 0;
    const source = await aSourceShard({
      system: systemOf('a', 'b', 'c'),
      store: (store) =>
        storeWith(store, {
          put: async (key, ...write) => {
            if (key.sort.includes('/source/')) made += 1;
            if (made === 2) await deleteConnector({ ...source.host, store }, 'rows-source').catch(() => undefined);
            assert(made < 3 || how === 'ends', 'died after a cursor was created');
            return store.put(key, ...write);
          },
        }),
    });

    await discover(source).catch(() => undefined);
    const left = await shardsOf(source);
    await source.host.clock.sleep(24 * 3_600_000);
    await sweepDeleted(source.host);

    expect(left.length).toBeGreaterThan(0);
    expect(await shardsOf(source)).toEqual([]);
  });

  test('of a connector that is deleted meanwhile is fenced', async () => {
    const source = await aSourceShard({
      plugin: {
        ...memorySource(systemOf('a')),
        discover: async () => {
          await deleteConnector(source.host, 'rows-source');
          return [];
        },
      },
    });

    const { run } = await discover(source);

    expect(run.outcome).toBe('fenced');
  });

  test('does not run twice at once', async () => {
    const system = systemOf('a');
    const second: (string | undefined)[] = [];
    const plugin = {
      ...memorySource(system),
      discover: async () => {
        if (second.length === 0) {
          second.push('');
          second[0] = (await discover(source)).run.refusal;
        }
        return [];
      },
    };
    const source = await aSourceShard({ plugin });

    await discover(source);

    expect(second).toEqual(['held']);
  });

  test('of a paused connector does nothing (I9)', async () => {
    const source = await aSourceShard({ system: systemOf('a') });
    await setTargetState(source.host, 'rows-source', 'paused');

    const { run } = await discover(source);

    expect(run).toMatchObject({ outcome: null, refusal: 'gate-closed' });
    expect(await shardsOf(source)).toHaveLength(1);
  });

  test('that fails is tried again after a pause that grows', async () => {
    const plugin = { ...memorySource(systemOf('a')), discover: () => Promise.reject(new Error('out of reach')) };
    const source = await aSourceShard({ plugin });

    const { run } = await discover(source);
    const { retryAtMs } = await discoveryCursor(source);
    const pauseMs = retryAtMs - source.host.clock.nowMs();
    await source.host.clock.sleep(pauseMs);
    await discover(source);

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'plugin.failed', stage: 'poll', message: 'out of reach' } });
    const second = await discoveryCursor(source);
    expect(second).toMatchObject({ holder: null, attempts: 2, error: 'plugin.failed' });
    expect(second.retryAtMs - source.host.clock.nowMs()).toBe(2 * pauseMs);
  });

  test('forgets earlier failures once it succeeds', async () => {
    let isUp = false;
    const plugin = {
      ...memorySource(systemOf('a')),
      discover: () => (isUp ? Promise.resolve([]) : Promise.reject(new Error('out of reach'))),
    };
    const source = await aSourceShard({ plugin });
    await discover(source);

    isUp = true;
    await source.host.clock.sleep(1_000);
    await discover(source);

    expect(await discoveryCursor(source)).toMatchObject({ attempts: 0, error: null });
  });

  test('that fails for good shows in its status, until somebody acts (I10)', async () => {
    let isFixed = false;
    const plugin = {
      ...memorySource(systemOf('a')),
      discover: () => (isFixed ? Promise.resolve([]) : Promise.reject(new FatalTaskError('wrong password'))),
    };
    const source = await aSourceShard({ plugin, config: { 'auto.restart.max.attempts': '0' } });

    await discover(source);
    const failed = await discoveryCursor(source);
    isFixed = true;
    const refused = await discover(source);
    await restartShards(source.host, source.connector);
    const { run } = await discover(source);

    expect(failed.status).toEqual({ state: 'failed', code: 'task.failed', retryAtMs: null, restarts: 0 });
    expect(refused.run.refusal).toBe('failed');
    expect(run.outcome).toBe('drained');
  });

  test('that never answers gives up within its claim', async () => {
    const plugin = { ...memorySource(systemOf('a')), discover: () => new Promise<never>(() => undefined) };
    const source = await aSourceShard({ plugin });

    const { run } = await discover(source);

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'source.unavailable' } });
    expect(run.endedAtMs - run.startedAtMs).toBeLessThanOrEqual(20_000);
    expect(await discoveryCursor(source)).toMatchObject({ holder: null });
  });

  test('that no invocation survives fails its shard, and does not go on in silence (I10)', async () => {
    let calls = 0;
    const discoverNothing = async (): Promise<never> => {
      calls += 1;
      throw new AssertionError('the process died');
    };
    const plugin = { ...memorySource(systemOf('a')), discover: discoverNothing };
    const source = await aSourceShard({ plugin, config: { 'auto.restart.max.attempts': '0' } });

    for (let death = 0; death < 7; death += 1) {
      await discover(source).catch(() => undefined);
      await source.host.clock.sleep(60_000);
    }

    expect(calls).toBe(5);
    expect(await discoveryCursor(source)).toMatchObject({ status: { state: 'failed', code: 'source.deadly' }, holder: null });
    expect(source.host.telemetry.runs.at(-1)?.refusal).toBe('failed');
  });

  test('that finds more shards than one claim has time for goes on where it stopped (I6)', async () => {
    const names = Array.from({ length: 40 }, (_, index) => String(index).padStart(2, '0'));
    const source = await aSourceShard({
      system: systemOf(...names),
      store: (store) =>
        storeWith(store, {
          put: async (key, ...write) => {
            if (key.sort.includes('/source/')) await source.host.clock.sleep(1_000);
            return store.put(key, ...write);
          },
        }),
    });
    const ends: unknown[] = [];

    for (let run = 0; run < 3; run += 1) {
      const result = await discover(source);
      const { pollAtMs, holder } = await discoveryCursor(source);
      const afterMs = pollAtMs === 0 ? null : pollAtMs - result.run.endedAtMs;
      ends.push([result.run.outcome, (await shardsOf(source)).length - 1, afterMs, holder]);
      expect(result.run.endedAtMs - result.run.startedAtMs).toBeLessThan(20_000);
    }

    expect(ends).toEqual([
      ['yielded', 18, null, null],
      ['yielded', 36, null, null],
      ['drained', 40, 60_000, null],
    ]);
  });
});
