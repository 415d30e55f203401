import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newRamp, type Ramp, ramped, rampMax } from '../../../../core/planner/ramp.ts';

const terms = { burst: 100, perSecond: 10 };
const MINUTE_MS = 60_000;

/** What may run after each step: so much later, with so many running. */
function allowedAfter(steps: readonly { readonly ms: number; readonly running: number }[]): number {
  let nowMs = 0;
  let ramp: Ramp = newRamp(terms, nowMs);
  for (const { ms, running } of steps) {
    nowMs += ms;
    ramp = ramped(ramp, { running, terms, nowMs });
  }
  return rampMax(ramp);
}

describe('ramp', () => {
  test('lets a burst start at once', () => {
    expect(allowedAfter([])).toBe(100);
  });

  test('lets no more start once the burst is used', () => {
    expect(allowedAfter([{ ms: 0, running: 100 }])).toBe(100);
  });

  test('refills with time, up to the burst', () => {
    const used = { ms: 0, running: 100 };

    expect(allowedAfter([used, { ms: 1_500, running: 100 }])).toBe(115);
    expect(allowedAfter([used, { ms: MINUTE_MS, running: 100 }])).toBe(200);
  });

  test('starts nothing anew that ran lately', () => {
    const used = { ms: 0, running: 100 };

    expect(allowedAfter([used, { ms: 0, running: 0 }])).toBe(100);
    expect(allowedAfter([used, { ms: 0, running: 0 }, { ms: 0, running: 100 }, { ms: 0, running: 0 }])).toBe(100);
  });

  test('forgets what has not run for more than five minutes', () => {
    const used = { ms: 0, running: 100 };

    expect(allowedAfter([used, { ms: 5 * MINUTE_MS, running: 20 }])).toBe(200);
    expect(allowedAfter([used, { ms: 5 * MINUTE_MS + 1, running: 20 }])).toBe(120);
  });

  test('never lets more start than the burst and what was refilled since, whoever runs when', () => {
    const steps = fc.array(fc.record({ ms: fc.nat({ max: 400_000 }), share: fc.constantFrom(0, 0.3, 1, 1) }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (all) => {
        let nowMs = 0;
        let ramp = newRamp(terms, nowMs);
        let warm = 0;
        let started = 0;
        for (const { ms, share } of all) {
          nowMs += ms;
          ramp = ramped(ramp, { running: ramp.warm, terms, nowMs });
          const running = Math.floor(rampMax(ramp) * share);
          started += Math.max(0, running - warm);
          warm = Math.max(warm, running);
          ramp = ramped(ramp, { running, terms, nowMs });

          expect(started).toBeLessThanOrEqual(terms.burst + (terms.perSecond * nowMs) / 1_000);
        }
      }),
    );
  });
});
