import { describe, expect, test } from 'vitest';
import { LeaderLock } from '../../../scheduler/leader-lock.ts';
import { storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { aHost } from '../../support/hosts.ts';

const KEY = { partition: 'scheduler', sort: 'leader' };

describe('LeaderLock', () => {
  test('is held by one of two', async () => {
    const host = aHost();
    const [first, second] = [new LeaderLock(host), new LeaderLock(host)];

    expect([await first.hold(), await second.hold()]).toEqual([true, false]);
    expect([await first.hold(), await second.hold()]).toEqual([true, false]);
  });

  test('is renewed for as long as its holder comes back in time', async () => {
    const host = aHost();
    const [first, second] = [new LeaderLock(host), new LeaderLock(host)];

    await first.hold();
    for (let round = 0; round < 10; round += 1) {
      await host.clock.sleep(6_000);
      expect([await first.hold(), await second.hold()]).toEqual([true, false]);
    }
  });

  test('goes to another one once its holder was away for longer than it lasts', async () => {
    const host = aHost();
    const [first, second] = [new LeaderLock(host), new LeaderLock(host)];
    await first.hold();

    await host.clock.sleep(14_000);
    const early = await second.hold();
    await host.clock.sleep(2_000);
    const late = await second.hold();

    expect([early, late]).toEqual([false, true]);
    expect([first.isHeld, await first.hold()]).toEqual([false, false]);
  });

  test('goes to another one at once when it is given back', async () => {
    const host = aHost();
    const [first, second] = [new LeaderLock(host), new LeaderLock(host)];
    await first.hold();

    await first.release();

    expect([first.isHeld, await second.hold()]).toEqual([false, true]);
  });

  test('is not taken from another one by giving back what was lost long ago', async () => {
    const host = aHost();
    const [first, second] = [new LeaderLock(host), new LeaderLock(host)];
    await first.hold();
    host.clock.jump(20_000);
    await second.hold();

    await first.release();

    expect(await first.hold()).toBe(false);
  });

  test('is held on to while the store does not answer, until it has run out', async () => {
    const host = aHost();
    let isOut = false;
    const store = storeWith(host.store, {
      get: (key) => (isOut ? Promise.reject(storeUnavailable()) : host.store.get(key)),
    });
    const lock = new LeaderLock({ ...host, store });
    await lock.hold();
    isOut = true;

    await host.clock.sleep(10_000);
    const early = await lock.hold();
    await host.clock.sleep(6_000);
    const late = await lock.hold();

    expect([early, late]).toEqual([true, false]);
  });

  test.each(['{"v":2,"leader":"x"}', 'null', 'not JSON'])('counts a document as free that says %s', async (text) => {
    const host = aHost();
    await host.store.put(KEY, text, { ifAbsent: true });

    expect(await new LeaderLock(host).hold()).toBe(true);
  });
});
