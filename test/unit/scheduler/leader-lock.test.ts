import { describe, expect, test } from 'vitest';
import { MemoryTelemetry } from '../../../adapters/memory/memory-telemetry.ts';
import { LeaderLock } from '../../../scheduler/leader-lock.ts';
import { storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { aHost, type TestHost } from '../../support/hosts.ts';

const KEY = { partition: 'scheduler', sort: 'leader' };

const aLock = (host: TestHost): LeaderLock => new LeaderLock({ ...host, skewMaxMs: 5_000, offers: 'mine' });

/** Of a process on one machine; those whose mark says `killed` have ended, with all they started unless that is frozen. */
function aLockOf(
  host: TestHost,
  { own, offers = 'mine', frozen = new Set() }: { own: string; offers?: string; frozen?: ReadonlySet<string> },
): LeaderLock {
  const hasEnded = (mark: string): boolean => mark.startsWith('killed');
  const hasEndedWithHosts = (mark: string): boolean => hasEnded(mark) && !frozen.has(mark);
  return new LeaderLock({ ...host, skewMaxMs: 5_000, offers, processes: { own, hasEnded, hasEndedWithHosts } });
}

describe('LeaderLock', () => {
  test('is held by one of two', async () => {
    const host = aHost();
    const [first, second] = [aLock(host), aLock(host)];

    expect([await first.hold(), await second.hold()]).toEqual([true, false]);
    expect([await first.hold(), await second.hold()]).toEqual([true, false]);
  });

  test('is renewed for as long as its holder comes back in time', async () => {
    const host = aHost();
    const [first, second] = [aLock(host), aLock(host)];

    await first.hold();
    for (let round = 0; round < 10; round += 1) {
      await host.clock.sleep(6_000);
      expect([await first.hold(), await second.hold()]).toEqual([true, false]);
    }
  });

  test('goes to another one once its holder was away for longer than it lasts', async () => {
    const host = aHost();
    const [first, second] = [aLock(host), aLock(host)];
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
    const [first, second] = [aLock(host), aLock(host)];
    await first.hold();

    await first.release();

    expect([first.isHeld, await second.hold()]).toEqual([false, true]);
  });

  test('is not taken from another one by giving back what was lost long ago', async () => {
    const host = aHost();
    const [first, second] = [aLock(host), aLock(host)];
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
    const lock = aLock({ ...host, store });
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

    expect(await aLock(host).hold()).toBe(true);
  });

  test('is free where a clock that wrote it is further ahead than any may be', async () => {
    const host = aHost();
    const lockUntil = (untilMs: number): string => JSON.stringify({ v: 1, owner: 'fast', untilMs });
    const nowMs = host.clock.nowMs();
    await host.store.put(KEY, lockUntil(nowMs + 19_000), { ifAbsent: true });
    const withinSkew = await aLock(host).hold();
    const version = (await host.store.get(KEY))?.version ?? '';
    await host.store.put(KEY, lockUntil(nowMs + 3_600_000), { ifVersion: version });

    expect([withinSkew, await aLock(host).hold()]).toEqual([false, true]);
  });

  test('goes to another one at once where its process was killed on the same machine', async () => {
    const host = aHost();
    const marked = (own: string): LeaderLock => aLockOf(host, { own });
    const [alive, other] = [marked('alive'), marked('killed')];

    await alive.hold();
    const beside = await other.hold();
    await alive.release();
    await other.hold();

    expect([beside, await marked('next').hold()]).toEqual([false, true]);
  });

  test('knows the offers whose invocations ended with the processes of those that led before', async () => {
    const host = aHost();
    await aLockOf(host, { own: 'killed 1', offers: 'one' }).hold();
    await aLockOf(host, { own: 'killed 2', offers: 'two' }).hold();
    const third = aLockOf(host, { own: 'alive', offers: 'three' });

    await third.hold();
    const ended = third.endedOffers();
    host.clock.jump(20_000);
    const fourth = aLockOf(host, { own: 'alive too', offers: 'four' });
    await fourth.hold();

    expect([ended, fourth.endedOffers()]).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
  });

  test('learns only later that invocations have ended which outlived the process of the one that led before', async () => {
    const host = aHost();
    const frozen = new Set(['killed 1']);
    await aLockOf(host, { own: 'killed 1', offers: 'one' }).hold();
    await aLockOf(host, { own: 'killed 2', offers: 'two' }).hold();
    const next = aLockOf(host, { own: 'alive', frozen });
    await next.hold();
    const atFirst = next.endedOffers();
    const again = next.endedOffers();

    frozen.clear();

    expect([next.isHeld, atFirst, next.endedOffers()]).toEqual([true, ['two'], ['two', 'one']]);
    expect(again).toBe(atFirst);
  });

  test('is given back without a word where the store does not answer', async () => {
    const host = aHost();
    let isOut = false;
    const store = storeWith(host.store, {
      get: (key) => (isOut ? Promise.reject(storeUnavailable()) : host.store.get(key)),
    });
    const lock = aLock({ ...host, store });
    await lock.hold();
    isOut = true;

    await expect(lock.release()).resolves.toBeUndefined();

    expect(lock.isHeld).toBe(false);
  });

  test('has another term once somebody else may have done the work, and not before', async () => {
    const host = aHost();
    const [first, second] = [aLock(host), aLock(host)];
    await first.hold();
    const terms = [first.term];

    host.clock.jump(20_000);
    await first.hold();
    terms.push(first.term);
    host.clock.jump(20_000);
    await second.hold();
    host.clock.jump(20_000);
    await first.hold();

    expect([...terms, first.term]).toEqual([1, 1, 2]);
  });

  test('has another term where it took it from another one without hearing so', async () => {
    const host = aHost();
    let isLost = false;
    const store = storeWith(host.store, {
      put: async (...write) => {
        const answer = await host.store.put(...write);
        if (isLost) throw storeUnavailable();
        return answer;
      },
    });
    const [first, second] = [aLock({ ...host, store }), aLock(host)];
    await first.hold();
    host.clock.jump(20_000);
    await second.hold();
    host.clock.jump(20_000);

    isLost = true;
    await first.hold();
    isLost = false;
    await first.hold();

    expect([first.isHeld, first.term]).toEqual([true, 2]);
  });

  test('says once who leads, and until when it waits for one that may be gone', async () => {
    const host = aHost();
    const gone = aLock({ ...host, telemetry: new MemoryTelemetry() });
    await gone.hold();
    const untilMs = host.clock.nowMs() + 15_000;

    const lock = aLock(host);
    for (let second = 0; second < 20; second += 1) {
      await lock.hold();
      await host.clock.sleep(1_000);
    }

    expect(host.telemetry.logs).toMatchObject([
      { level: 'info', message: expect.stringContaining(new Date(untilMs).toISOString()) },
      { level: 'info', message: 'this scheduler leads: the one that did gave no sign any more' },
    ]);
  });

  test('says once that the store is away, and that it leads when it is back', async () => {
    const host = aHost();
    let isOut = true;
    const store = storeWith(host.store, {
      get: (key) => (isOut ? Promise.reject(storeUnavailable()) : host.store.get(key)),
    });
    const lock = aLock({ ...host, store });

    for (let round = 0; round < 3; round += 1) await lock.hold();
    isOut = false;
    for (let round = 0; round < 3; round += 1) await lock.hold();

    expect(host.telemetry.logs).toMatchObject([
      {
        level: 'warn',
        message: expect.stringContaining('this scheduler does not lead: '),
        fields: { code: 'store.unavailable' },
      },
      { level: 'info', message: 'this scheduler leads: no other one did' },
    ]);
  });
});
