import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Alarm } from '../../../../clients/rocketmq/alarm.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

/** `rangAtMs`: when it went off. `atRing`: done while it does. */
function anAlarm({ atRing = () => undefined }: { readonly atRing?: (alarm: Alarm) => void } = {}) {
  const clock = new ManualClock();
  const rangAtMs: number[] = [];
  const alarm: Alarm = new Alarm(clock, () => {
    rangAtMs.push(clock.monotonicMs());
    atRing(alarm);
  });
  const passUntil = async (atMs: number): Promise<void> => {
    while (clock.monotonicMs() < atMs) {
      clock.advance(1);
      await turn();
    }
  };
  return { alarm, rangAtMs, passUntil };
}

describe('Alarm', () => {
  test('goes off once, when its time has come', async () => {
    const { alarm, rangAtMs, passUntil } = anAlarm();

    alarm.set(3);
    await passUntil(10);

    expect(rangAtMs).toEqual([3]);
  });

  test('goes off at an earlier time in the place of a later one', async () => {
    const { alarm, rangAtMs, passUntil } = anAlarm();

    alarm.set(7);
    alarm.set(3);
    await passUntil(10);

    expect(rangAtMs).toEqual([3]);
  });

  test('does not go off at a later time in the place of an earlier one', async () => {
    const { alarm, rangAtMs, passUntil } = anAlarm();

    alarm.set(3);
    alarm.set(7);
    await passUntil(10);

    expect(rangAtMs).toEqual([3]);
  });

  test('does not go off while it is off, and can be set to a later time then', async () => {
    const { alarm, rangAtMs, passUntil } = anAlarm();

    alarm.set(3);
    alarm.off();
    await passUntil(5);
    alarm.set(7);
    await passUntil(10);

    expect(rangAtMs).toEqual([7]);
  });

  test('does not go off where it is put off in the turn in which its time came', async () => {
    const clock = new ManualClock();
    let rings = 0;
    const alarm = new Alarm(clock, () => {
      rings += 1;
    });

    alarm.set(3);
    clock.advance(3);
    alarm.off();
    await turn();

    expect(rings).toBe(0);
  });

  test('can be set again while it goes off', async () => {
    const { alarm, rangAtMs, passUntil } = anAlarm({ atRing: (it) => it.set((rangAtMs.at(-1) ?? 0) + 3) });

    alarm.set(3);
    await passUntil(10);

    expect(rangAtMs).toEqual([3, 6, 9]);
  });
});
