import { describe, expect, test } from 'vitest';
import { MemoryStateStore } from '../../../adapters/memory/memory-state-store.ts';
import type { Offer, RunRecord } from '../../../core/offer.ts';
import { shardId } from '../../../core/shard-id.ts';
import { RunHistory, readRuns } from '../../../scheduler/run-history.ts';
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
});

function aRun(fields: Partial<RunRecord>): RunRecord {
  const counts = { slices: 1, read: 1, filtered: 0, delivered: 1, deadLettered: 0, dropped: 0, skipped: 0, stale: 0, retries: 0 };
  return {
    offerId: 'offer',
    owner: 'offer/me',
    connector: 'orders',
    shard: offer.shard,
    startedAtMs: 1,
    endedAtMs: 2,
    outcome: 'drained',
    counts: { ...counts, throttled: 0, storeWrites: 1, conflicts: 0 },
    ...fields,
  };
}
