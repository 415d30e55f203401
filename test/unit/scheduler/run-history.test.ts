import { describe, expect, test } from 'vitest';
import { MemoryStateStore } from '../../../adapters/memory/memory-state-store.ts';
import { NO_COUNTS, type Offer, type RunRecord } from '../../../core/offer.ts';
import { shardId } from '../../../core/shard-id.ts';
import { RunHistory, readRuns } from '../../../scheduler/run-history.ts';
import { losingReplies, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { anOffer } from '../../support/hosts.ts';
import { RunningClock } from '../../support/running-clock.ts';

const offer: Offer = anOffer({ name: 'orders', uid: 'uid' }, shardId('uid', ['discovery']));

describe('RunHistory', () => {
  test('keeps runs that did something, the newest first', async () => {
    const clock = new RunningClock();
    const store = new MemoryStateStore({ clock });
    const history = new RunHistory({ store, clock });

    history.add(offer, aRun({ offerId: 'first' }));
    history.add(offer, aRun({ offerId: 'empty', outcome: null }));
    history.add(offer, aRun({ offerId: 'second' }));
    await clock.sleep(10_000);
    await history.flush();

    const runs = await readRuns(store, 'uid', { runsMax: 10 });
    expect(runs.map(({ offerId }) => offerId)).toEqual(['second', 'first']);
  });

  test('writes a hundred pages at once, the longest waiting first, and the rest with what came meanwhile', async () => {
    const clock = new RunningClock();
    const store = new MemoryStateStore({ clock });
    const history = new RunHistory({ store, clock });
    const storedOf = async (uid: string) => (await readRuns(store, uid, { runsMax: 10 })).length;

    for (let index = 0; index < 150; index += 1) history.add({ ...offer, uid: `uid-${index}` }, aRun({}));
    await clock.sleep(5_000);
    await history.flush();
    history.add({ ...offer, uid: 'uid-0' }, aRun({}));
    history.add({ ...offer, uid: 'uid-100' }, aRun({}));
    const first = [await storedOf('uid-0'), await storedOf('uid-99'), await storedOf('uid-100')];
    await history.flush();

    expect(first).toEqual([1, 1, 0]);
    expect([await storedOf('uid-0'), await storedOf('uid-100'), await storedOf('uid-149')]).toEqual([1, 2, 1]);
    expect(history.unwritten('uid-0')).toHaveLength(1);
  });

  test('writes one page for what comes together in a while', async () => {
    const { clock, store, history } = aHistory();

    history.add(offer, aRun({ offerId: 'first' }));
    await history.flush();
    history.add(offer, aRun({ offerId: 'second' }));
    await history.flush();
    const early = await readRuns(store, 'uid', { runsMax: 10 });
    const unwritten = history.unwritten('uid').map(({ offerId }) => offerId);
    await clock.sleep(5_000);
    await history.flush();

    expect(early).toEqual([]);
    expect(unwritten).toEqual(['second', 'first']);
    expect((await store.list('runs/uid', { limit: 10 })).documents).toHaveLength(1);
    expect(history.unwritten('uid')).toEqual([]);
  });

  test('keeps of a burst the newest, and failures before others', async () => {
    const { clock, store, history } = aHistory();

    history.add(offer, aRun({ offerId: 'failed', outcome: 'failed' }));
    for (let index = 0; index < 300; index += 1) history.add(offer, aRun({ offerId: String(index) }));
    await clock.sleep(5_000);
    await history.flush();

    const runs = await readRuns(store, 'uid', { runsMax: 1_000 });
    expect(runs).toHaveLength(100);
    expect([runs[0]?.offerId, runs.at(-1)?.offerId]).toEqual(['299', 'failed']);
  });

  test('answers no more than asked for', async () => {
    const { clock, store, history } = aHistory();
    for (let index = 0; index < 10; index += 1) history.add(offer, aRun({ offerId: String(index) }));
    await clock.sleep(5_000);
    await history.flush();

    expect(await readRuns(store, 'uid', { runsMax: 3 })).toHaveLength(3);
  });

  test('keeps a bounded number of pages, and drops the oldest', async () => {
    const { clock, store, history } = aHistory();

    for (let page = 0; page < 250; page += 1) {
      history.add(offer, aRun({ offerId: String(page), endedAtMs: 1_000 + page }));
      await clock.sleep(5_000);
      await history.flush();
    }

    const { documents } = await store.list('runs/uid', { limit: 1_000 });
    const runs = await readRuns(store, 'uid', { runsMax: 1 });
    expect(documents.length).toBeLessThanOrEqual(110);
    expect(runs[0]?.offerId).toBe('249');
  });

  test('forgets a page after a week', async () => {
    const { clock, store, history } = aHistory();
    history.add(offer, aRun({}));
    await clock.sleep(5_000);
    await history.flush();

    await clock.sleep(7 * 24 * 3_600_000);

    expect(await readRuns(store, 'uid', { runsMax: 1 })).toEqual([]);
  });

  test('writes later what the store did not take', async () => {
    const clock = new RunningClock();
    const memory = new MemoryStateStore({ clock });
    let isOut = true;
    const store = storeWith(memory, {
      put: (...write) => (isOut ? Promise.reject(storeUnavailable()) : memory.put(...write)),
    });
    const history = new RunHistory({ store, clock });
    history.add(offer, aRun({ offerId: 'first' }));
    await clock.sleep(5_000);
    await expect(history.flush()).rejects.toThrow('does not answer');

    isOut = false;
    await clock.sleep(5_000);
    await history.flush();

    expect(await readRuns(memory, 'uid', { runsMax: 1 })).toMatchObject([{ offerId: 'first' }]);
  });

  test('spreads runs that say a lot over pages that every store takes', async () => {
    const { clock, store, history } = aHistory();
    const error = { code: 'plugin.failed', stage: 'put', message: 'x'.repeat(3_000) } as const;
    for (let index = 0; index < 100; index += 1) history.add(offer, aRun({ offerId: String(index), endedAtMs: index, error }));
    await clock.sleep(5_000);

    for (let page = 0; page < 3; page += 1) {
      await history.flush();
      await clock.sleep(5_000);
    }

    const { documents } = await store.list('runs/uid', { limit: 10 });
    const runs = await readRuns(store, 'uid', { runsMax: 1_000 });
    expect(documents.map(({ value }) => value.length <= 131_072 + 100)).toEqual([true, true, true]);
    expect(runs.map(({ offerId }) => Number(offerId))).toEqual(Array.from({ length: 100 }, (_, index) => 99 - index));
  });

  test('stores a page once whose reply was lost, and what came since after it', async () => {
    const clock = new RunningClock();
    const memory = new MemoryStateStore({ clock });
    const history = new RunHistory({ store: losingReplies(memory, [1]), clock });
    history.add(offer, aRun({ offerId: 'first', endedAtMs: 1 }));
    await clock.sleep(5_000);
    await expect(history.flush()).rejects.toThrow('does not answer');
    history.add(offer, aRun({ offerId: 'second', endedAtMs: 2 }));
    const unwritten = history.unwritten('uid').map(({ offerId }) => offerId);

    for (let page = 0; page < 2; page += 1) {
      await clock.sleep(5_000);
      await history.flush();
    }

    const runs = await readRuns(memory, 'uid', { runsMax: 10 });
    expect(unwritten).toEqual(['second', 'first']);
    expect(runs.map(({ offerId }) => offerId)).toEqual(['second', 'first']);
  });

  test('goes on with the others where the pages of some are not taken', async () => {
    const clock = new RunningClock();
    const memory = new MemoryStateStore({ clock });
    const store = storeWith(memory, {
      put: (key, ...rest) =>
        key.partition.startsWith('runs/bad') ? Promise.reject(storeUnavailable()) : memory.put(key, ...rest),
    });
    const history = new RunHistory({ store, clock });
    for (let index = 0; index < 8; index += 1) history.add({ ...offer, uid: `bad-${index}` }, aRun({}));
    history.add({ ...offer, uid: 'good' }, aRun({}));
    await clock.sleep(5_000);

    await expect(history.flush()).rejects.toThrow('does not answer');
    await expect(history.flush()).rejects.toThrow('does not answer');
    await history.flush();

    expect(await readRuns(memory, 'good', { runsMax: 1 })).toHaveLength(1);
    expect(history.unwritten('bad-0')).toHaveLength(1);
  });

  test('gives up at the end what the store does not take in time, and says so', async () => {
    const clock = new RunningClock();
    const memory = new MemoryStateStore({ clock });
    const store = storeWith(memory, {
      put: async (...write) => {
        await clock.sleep(3_000);
        return memory.put(...write);
      },
    });
    const history = new RunHistory({ store, clock });
    for (let index = 0; index < 100; index += 1) history.add({ ...offer, uid: `uid-${index}` }, aRun({}));

    await expect(history.flushAll()).rejects.toMatchObject({ code: 'store.unavailable' });

    expect(clock.monotonicMs()).toBeLessThan(15_000);
    expect(await readRuns(memory, 'uid-0', { runsMax: 1 })).toHaveLength(1);
  });

  test.each([
    ['{"v":2,"pages":[]}', 'store.document_newer'],
    ['{"v":1}', 'store.document_corrupt'],
    ['not a page', 'store.document_corrupt'],
  ])('says what is wrong with a page that it cannot read: %s', async (value, code) => {
    const { store } = aHistory();
    await store.put({ partition: 'runs/uid', sort: '1' }, value, { ifAbsent: true });

    await expect(readRuns(store, 'uid', { runsMax: 1 })).rejects.toMatchObject({ code, message: expect.stringContaining('uid') });
  });

  test('writes at the end what would have waited, all of it', async () => {
    const { store, history } = aHistory();
    for (let index = 0; index < 150; index += 1) history.add({ ...offer, uid: `uid-${index}` }, aRun({}));
    const error = { code: 'plugin.failed', stage: 'put', message: 'x'.repeat(3_000) } as const;
    for (let index = 0; index < 100; index += 1) history.add(offer, aRun({ endedAtMs: index, error }));

    await history.flushAll();

    expect(await readRuns(store, 'uid-149', { runsMax: 10 })).toHaveLength(1);
    expect(await readRuns(store, 'uid', { runsMax: 1_000 })).toHaveLength(100);
    expect(history.unwritten('uid')).toEqual([]);
  });
});

function aHistory(): { clock: RunningClock; store: MemoryStateStore; history: RunHistory } {
  const clock = new RunningClock();
  const store = new MemoryStateStore({ clock });
  return { clock, store, history: new RunHistory({ store, clock }) };
}

function aRun(fields: Partial<RunRecord>): RunRecord {
  return {
    offerId: 'offer',
    owner: 'offer/me',
    connector: 'orders',
    shard: offer.shard,
    startedAtMs: 1,
    endedAtMs: 2,
    outcome: 'drained',
    counts: { ...NO_COUNTS, slices: 1, read: 1, delivered: 1, storeWrites: 1 },
    ...fields,
  };
}
