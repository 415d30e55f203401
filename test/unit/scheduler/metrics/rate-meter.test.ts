import { describe, expect, test } from 'vitest';
import { RateMeter } from '../../../../scheduler/metrics/rate-meter.ts';

describe('RateMeter', () => {
  test('is of the last 30 to 60 seconds', () => {
    const meter = new RateMeter(0);
    meter.add(900, 10_000);

    const rates = [15_000, 45_000, 59_999, 60_000].map((atMs) => meter.perSecond(atMs));

    expect(rates).toEqual([20, 20, expect.closeTo(15, 3), 0]);
  });

  test('of a steady flow is that flow', () => {
    const meter = new RateMeter(0);
    for (let atMs = 0; atMs < 300_000; atMs += 1_000) meter.add(50, atMs);

    expect(meter.perSecond(300_000)).toBeCloseTo(50, 5);
  });

  test('is zero after a long silence', () => {
    const meter = new RateMeter(0);
    meter.add(1_000, 5_000);

    expect(meter.perSecond(3_600_000)).toBe(0);
  });
});
