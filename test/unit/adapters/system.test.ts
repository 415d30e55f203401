import { describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../../adapters/system.ts';

const HOUR_MS = 3_600_000;

describe('systemClock', () => {
  test('a sleep lasts at least its time', async () => {
    const startedAtMs = systemClock.monotonicMs();

    await systemClock.sleep(1.5);

    expect(systemClock.monotonicMs() - startedAtMs).toBeGreaterThanOrEqual(1.5);
  });

  test('a sleep ends without an error when its signal aborts', async () => {
    const controller = new AbortController();
    const sleep = systemClock.sleep(HOUR_MS, controller.signal);

    controller.abort();

    await expect(sleep).resolves.toBeUndefined();
  });

  test('a sleep whose signal has aborted before ends at once', async () => {
    await expect(systemClock.sleep(HOUR_MS, AbortSignal.abort())).resolves.toBeUndefined();
  });

  test('a sleep longer than a timer can be does not end at once', async () => {
    const controller = new AbortController();
    let awake = false;
    const sleep = systemClock.sleep(2 ** 40, controller.signal).then(() => {
      awake = true;
    });

    await systemClock.sleep(5);

    expect(awake).toBe(false);
    controller.abort();
    await sleep;
  });
});

describe('systemRandom', () => {
  test('ids are 128 bits in characters that need no escape', () => {
    const ids = Array.from({ length: 1_000 }, () => systemRandom.id());

    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[\w-]{22}$/.test(id))).toEqual([]);
  });
});
