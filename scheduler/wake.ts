/** Lets a loop sleep until somebody wakes it. A wake-up while it works is remembered: it does not sleep then. */
import type { Clock } from '../core/ports.ts';

/** A reason of its own spares each wake-up an exception with a stack. */
const WOKEN = 'woken';

export class Wake {
  readonly #clock: Clock;
  #isWoken = false;
  #sleep: AbortController | null = null;
  #withinAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#isWoken = true;
    this.#sleep?.abort(WOKEN);
  }

  /** Not at once: whatever else comes until then is done with it. */
  wakeWithin(ms: number): void {
    const atMs = this.#clock.monotonicMs() + ms;
    if (atMs >= this.#withinAtMs) return;
    this.#withinAtMs = atMs;
    // Whoever sleeps already sleeps anew, and not as long.
    this.#sleep?.abort(WOKEN);
  }

  async wait(maxMs: number): Promise<void> {
    for (const untilMs = this.#clock.monotonicMs() + maxMs; !this.#isWoken; ) {
      const now = this.#clock.monotonicMs();
      const wakeAtMs = Math.min(untilMs, this.#withinAtMs);
      if (wakeAtMs <= now) break;
      this.#sleep = new AbortController();
      await this.#clock.sleep(wakeAtMs - now, this.#sleep.signal);
      this.#sleep = null;
    }
    this.#isWoken = false;
    this.#withinAtMs = Number.POSITIVE_INFINITY;
  }
}
