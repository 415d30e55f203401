import { describe, expect, test } from 'vitest';
import { ChangeNotes, noteChange, noteTrigger } from '../../../scheduler/change-notes.ts';
import { storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { aHost } from '../../support/hosts.ts';
import { RunningClock } from '../../support/running-clock.ts';

describe('ChangeNotes', () => {
  test('tells each reader of each change once', async () => {
    const host = aHost();
    const [first, second] = [new ChangeNotes(host), new ChangeNotes(host)];

    await noteChange(host, 'a');
    const heard = [await first.read(), await first.read(), await second.read()];
    await noteChange(host, 'a');
    await noteChange(host, 'b');

    expect(heard.map(({ changed }) => [...changed])).toEqual([['a'], [], ['a']]);
    expect([...(await first.read()).changed]).toEqual(['a', 'b']);
  });

  test('tells apart what was changed and what is to start now', async () => {
    const host = aHost();
    const notes = new ChangeNotes(host);

    await noteChange(host, 'orders-sink');
    await noteTrigger(host, 'uid-1');
    const { changed, triggered } = await notes.read();
    const again = await notes.read();

    expect([[...changed], [...triggered]]).toEqual([['orders-sink'], ['uid-1']]);
    expect(again.triggered.size).toBe(0);
  });

  test('forgets a change that everybody had time to hear of', async () => {
    const host = aHost();
    await noteChange(host, 'a');

    await host.clock.sleep(60_000);

    expect([...(await new ChangeNotes(host).read()).changed]).toEqual([]);
  });

  test('hears of a trigger where the clock of its writer is behind', async () => {
    const host = aHost();
    const behind = Object.assign(new RunningClock(), { nowMs: () => host.clock.nowMs() - 5_000 });

    await noteTrigger({ ...host, clock: behind }, 'uid-1');
    await host.clock.sleep(1_000);

    expect([...(await new ChangeNotes(host).read()).triggered]).toEqual(['uid-1']);
  });

  test('hears of a trigger after a round that took its time', async () => {
    const host = aHost();

    await noteTrigger(host, 'uid-1');
    await host.clock.sleep(20_000);

    expect([...(await new ChangeNotes(host).read()).triggered]).toEqual(['uid-1']);
  });

  test('tells of thousands of changes at once', async () => {
    const host = aHost();
    for (let index = 0; index < 2_500; index += 1) await noteChange(host, `sink-${index}`);

    const { changed } = await new ChangeNotes(host).read();

    expect(changed.size).toBe(2_500);
  });

  test('a note that the store does not take costs time, and fails nothing', async () => {
    const host = aHost();
    const store = storeWith(host.store, { put: () => Promise.reject(storeUnavailable()) });

    await expect(noteChange({ ...host, store }, 'a')).resolves.toBeUndefined();
  });
});
