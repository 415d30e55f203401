/** Real time, chance and web: the one file of the product that asks the machine for them. */
import { randomBytes } from 'node:crypto';
import type { CancelSignal, Clock, Random } from '../core/ports.ts';

/** `setTimeout` takes a signed 32-bit number and fires at once beyond it. https://nodejs.org/api/timers.html, read 2026-11-22 */
const TIMER_MS_MAX = 2 ** 31 - 1;
const ID_BYTES = 16;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep,
};

export const systemRandom: Random = {
  next: () => Math.random(),
  /** base64url: 22 characters that need no escape in keys, paths and topics, and are the shortest such text. */
  id: () => randomBytes(ID_BYTES).toString('base64url'),
};

/** Called as the platform's own, for some refuse to be called as a method of anything else. */
export function systemFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/**
 * The timer keeps the process alive (it is not unref'd): somebody awaits it, and a process that ended in the middle of an
 * await would drop work without a word. Who wants to shut down aborts the signal.
 */
function sleep(durationMs: number, signal?: CancelSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    if (durationMs <= 0) {
      // A timer would take a millisecond.
      setImmediate(resolve);
      return;
    }
    const wakeAtMs = performance.now() + durationMs;
    let timer = arm();
    signal?.addEventListener('abort', finish, { once: true });

    function arm(): NodeJS.Timeout {
      const restMs = Math.ceil(wakeAtMs - performance.now());
      return setTimeout(onTimer, Math.min(Math.max(restMs, 0), TIMER_MS_MAX));
    }

    /** Timers may fire a fraction of a millisecond early, and long sleeps take several. */
    function onTimer(): void {
      if (performance.now() >= wakeAtMs) finish();
      else timer = arm();
    }

    function finish(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    }
  });
}
