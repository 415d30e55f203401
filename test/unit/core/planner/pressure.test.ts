import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eased, type Pressure, strained } from '../../../../core/planner/pressure.ts';
import { NOW_MS } from '../../../support/builders.ts';

const tasksMax = 10;

describe('strained', () => {
  test('halves what runs when trouble is met first', () => {
    expect(strained(null, { running: 9, nowMs: NOW_MS })).toEqual({ invocations: 4, halvedAtMs: NOW_MS, changedAtMs: NOW_MS });
  });

  test('halves once for the trouble that invocations side by side met together', () => {
    const first = strained(null, { running: 8, nowMs: NOW_MS });

    expect(strained(first, { running: 8, nowMs: NOW_MS + 1_999 })).toBe(first);
    expect(strained(first, { running: 8, nowMs: NOW_MS + 2_000 })).toEqual({
      invocations: 2,
      halvedAtMs: NOW_MS + 2_000,
      changedAtMs: NOW_MS + 2_000,
    });
  });

  test('halves though it was halved at a moment that is yet to come: the clock was put back', () => {
    const pressure: Pressure = { invocations: 8, halvedAtMs: NOW_MS + 300_000, changedAtMs: NOW_MS + 300_000 };

    expect(strained(pressure, { running: 8, nowMs: NOW_MS })).toEqual({
      invocations: 4,
      halvedAtMs: NOW_MS,
      changedAtMs: NOW_MS,
    });
  });

  test('halves what runs where that is less than what may', () => {
    const pressure: Pressure = { invocations: 8, halvedAtMs: 0, changedAtMs: NOW_MS - 10_000 };

    expect(strained(pressure, { running: 4, nowMs: NOW_MS }).invocations).toBe(2);
  });

  test('leaves one invocation at least', () => {
    expect(strained({ invocations: 1, halvedAtMs: 0, changedAtMs: 0 }, { running: 0, nowMs: NOW_MS }).invocations).toBe(1);
  });
});

describe('eased', () => {
  test('gives one more for each clean interval of five seconds', () => {
    const pressure: Pressure = { invocations: 2, halvedAtMs: 0, changedAtMs: NOW_MS };

    expect(eased(pressure, { tasksMax, nowMs: NOW_MS + 4_999 })).toBe(pressure);
    expect(eased(pressure, { tasksMax, nowMs: NOW_MS + 5_000 })).toEqual({
      invocations: 3,
      halvedAtMs: 0,
      changedAtMs: NOW_MS + 5_000,
    });
    expect(eased(pressure, { tasksMax, nowMs: NOW_MS + 14_000 })).toEqual({
      invocations: 4,
      halvedAtMs: 0,
      changedAtMs: NOW_MS + 10_000,
    });
  });

  test('counts from now where it was changed at a moment that is yet to come: the clock was put back', () => {
    const pressure: Pressure = { invocations: 2, halvedAtMs: 0, changedAtMs: NOW_MS + 300_000 };

    expect(eased(pressure, { tasksMax, nowMs: NOW_MS })).toEqual({ ...pressure, changedAtMs: NOW_MS });
  });

  test('ends when it allows tasks.max', () => {
    const pressure: Pressure = { invocations: 8, halvedAtMs: 0, changedAtMs: NOW_MS };

    expect(eased(pressure, { tasksMax, nowMs: NOW_MS + 5_000 })).not.toBeNull();
    expect(eased(pressure, { tasksMax, nowMs: NOW_MS + 10_000 })).toBeNull();
  });

  test('comes to the same however often it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20_000 }), { maxLength: 10 }), (pauses) => {
        const first: Pressure = { invocations: 1, halvedAtMs: 0, changedAtMs: NOW_MS };
        let nowMs = NOW_MS;
        let often: Pressure | null = first;
        for (const pauseMs of pauses) {
          nowMs += pauseMs;
          if (often !== null) often = eased(often, { tasksMax, nowMs });
        }

        expect(often).toEqual(eased(first, { tasksMax, nowMs }));
      }),
    );
  });
});
