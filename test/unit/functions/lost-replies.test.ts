import { describe, expect, test } from 'vitest';
import type { StateStore } from '../../../core/ports.ts';
import { losingReplies, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, valuesIn } from '../../support/sink-shard.ts';
import { aSourceShard, valuesOf } from '../../support/source-shard.ts';

const LOOP = { slice: { records: 2 }, quantumMs: 5_000 };
const TAIL = { mode: 'tail', slice: { durationMs: 60_000 } } as const;
const VALUES = numbered(6);

/** Answers nothing from the write on whose turn it is, whether that landed or not. */
function goneFrom(turn: number): (store: StateStore) => StateStore {
  return (store) => {
    let writes = 0;
    return storeWith(store, {
      put: async (...write) => {
        writes += 1;
        return writes >= turn ? Promise.reject(storeUnavailable()) : store.put(...write);
      },
    });
  };
}

describe('runInvocation whose store loses a reply', () => {
  // The cursor's creation, the claim, and three commits that are claims too; the last one finds nothing to claim.
  test.each([2, 3, 4, 5])('neither skips nor repeats a record of a loop when that of write %i is lost', async (write) => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: VALUES, store: (store) => losingReplies(store, [write]) });

    const { run } = await sink.run(LOOP);

    expect(valuesIn(target)).toEqual(VALUES);
    expect(run).toMatchObject({ outcome: 'drained', counts: { slices: 3, delivered: 6, conflicts: 1 } });
    expect(await sink.cursor()).toMatchObject({ next: 6n, open: [] });
  });

  test('neither skips nor repeats a record when every other reply is lost', async () => {
    const target = memoryTarget('append');
    const lost = [2, 4, 6, 8, 10, 12];
    const sink = await aSinkShard({ target, values: VALUES, store: (store) => losingReplies(store, lost) });

    await sink.run(LOOP);

    expect(valuesIn(target)).toEqual(VALUES);
    expect(await sink.cursor()).toMatchObject({ next: 6n, open: [] });
  });

  test('creates its cursor once, where that reply is lost', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: VALUES, store: (store) => losingReplies(store, [1]) });

    const first = await sink.run();
    await sink.run();

    expect(first.run).toMatchObject({ outcome: 'failed', error: { code: 'store.unavailable' } });
    expect(valuesIn(target)).toEqual(VALUES);
  });

  test.each([3, 4])('gives back once what is left of a slice when the reply of write %i is lost', async (write) => {
    const target = memoryTarget('append');
    const config = { 'consumer.override.max.poll.records': '2' };
    const sink = await aSinkShard({ target, values: VALUES, config, store: (store) => losingReplies(store, [write]) });
    target.beforeWrite = () => sink.host.clock.sleep(400);

    for (let round = 0; round < 4; round += 1) await sink.run({ slice: { durationMs: 700 } });

    expect(valuesIn(target)).toEqual(VALUES);
    expect(await sink.cursor()).toMatchObject({ next: 6n, open: [] });
  });

  test.each([2, 3, 4])('neither skips nor repeats a record of a tail when that of write %i is lost', async (write) => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(3), store: (store) => losingReplies(store, [write]) });

    const running = sink.run(TAIL);
    await sink.host.clock.sleep(2_000);
    await sink.send(...numbered(3, 3));
    await running;

    expect(valuesIn(target)).toEqual(VALUES);
    expect(await sink.cursor()).toMatchObject({ next: 6n, open: [] });
  });

  test('counts one failure once, where its reply is lost', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = () => Promise.reject(new Error('who knows'));
    const sink = await aSinkShard({ target, values: VALUES, store: (store) => losingReplies(store, [3]) });

    await sink.run();

    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', attempts: 1 }] });
  });

  test.each([2, 3, 4, 5])('neither skips nor repeats a row of a source when that of write %i is lost', async (write) => {
    const system = memorySystem({ rows: rows(6) });
    const source = await aSourceShard({ system, store: (store) => losingReplies(store, [write]) });

    const { run } = await source.run(LOOP);

    expect(valuesOf(await source.sent())).toEqual(VALUES);
    expect(run.outcome).toBe('drained');
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 6 } }, holder: null, clean: true });
  });

  test.each([2, 3, 4, 5, 6])(
    'neither skips nor repeats a row of an exactly-once source when that of write %i is lost',
    async (write) => {
      const system = memorySystem({ rows: rows(6) });
      const source = await aSourceShard({ system, exactlyOnce: true, store: (store) => losingReplies(store, [write]) });

      const { run } = await source.run(LOOP);

      expect(valuesOf(await source.sent())).toEqual(VALUES);
      expect(run.outcome).toBe('drained');
      expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 6 } }, holder: null, clean: true });
    },
  );

  test('is done once, where that reply is lost', async () => {
    const system = memorySystem({ rows: rows(2), finite: true });
    const source = await aSourceShard({ system, store: (store) => losingReplies(store, [3]) });

    await source.run();

    expect(await source.cursor()).toMatchObject({ status: { state: 'done' }, checkpoint: { p: { row: 2 } } });
  });
});

describe('runInvocation whose store is away', () => {
  test('claims nothing, and gives up within the time of a claim', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: VALUES, store: goneFrom(2) });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'store.unavailable' } });
    expect(run.endedAtMs - run.startedAtMs).toBeLessThanOrEqual(20_000);
    expect(valuesIn(target)).toEqual([]);
  });

  test('cannot even read its cursor', async () => {
    const sink = await aSinkShard({
      values: VALUES,
      store: (store) => storeWith(store, { get: () => Promise.reject(storeUnavailable()) }),
    });

    const { run, cursor } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'store.unavailable' } });
    expect(cursor).toBeNull();
  });

  test('delivers at least once what it could not commit', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2), store: goneFrom(3) });

    const { run } = await sink.run();
    const held = await sink.cursor();
    await sink.host.clock.sleep(30_000);
    await sink.run({}, { on: { ...sink.anotherHost(), store: sink.store } });

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'store.unavailable', stage: 'commit' } });
    expect(held).toMatchObject({ open: [{ kind: 'held', start: 0n, end: 2n }] });
    expect(valuesIn(target)).toEqual(['0', '1', '0', '1']);
    expect(await sink.cursor()).toMatchObject({ next: 2n, open: [] });
  });

  test('delivers once to a transactional target what it could not commit', async () => {
    const target = memoryTarget('transactional');
    const sink = await aSinkShard({ target, values: numbered(2), store: goneFrom(3) });

    await sink.run();
    await sink.host.clock.sleep(30_000);
    await sink.run({}, { on: { ...sink.anotherHost(), store: sink.store } });

    expect(valuesIn(target)).toEqual(['0', '1']);
    expect(await sink.cursor()).toMatchObject({ next: 2n, open: [] });
  });
});
