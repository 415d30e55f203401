import { describe, expect, test } from 'vitest';
import { Windows } from '../../../../scheduler/metrics/windows.ts';

interface Count {
  records: number;
}

function aCounter(nowMs: number) {
  const windows = new Windows<Count>(nowMs, () => ({ records: 0 }));
  const add = (records: number, atMs: number): void => {
    windows.current(atMs).records += records;
  };
  const perSecond = (atMs: number): number => {
    const { sums, seconds } = windows.seen(atMs);
    return sums.reduce((sum, { records }) => sum + records, 0) / seconds;
  };
  return { windows, add, perSecond };
}

describe('Windows', () => {
  test('are of the last 30 to 60 seconds', () => {
    const { add, perSecond } = aCounter(0);
    add(900, 10_000);

    const rates = [15_000, 45_000, 59_999, 60_000].map(perSecond);

    expect(rates).toEqual([20, 20, expect.closeTo(15, 3), 0]);
  });

  test('of a steady flow show that flow', () => {
    const { add, perSecond } = aCounter(0);
    for (let atMs = 0; atMs < 300_000; atMs += 1_000) add(50, atMs);

    expect(perSecond(300_000)).toBeCloseTo(50, 5);
  });

  test('hold nothing after a long silence', () => {
    const { windows, add } = aCounter(0);
    add(1_000, 5_000);

    expect(windows.seen(3_600_000).sums).toEqual([]);
  });
});
