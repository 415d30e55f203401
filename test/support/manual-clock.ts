import type { CancelSignal, Clock } from '../../core/ports.ts';

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** Some moment that looks like one; nothing depends on which. */
const STARTED_AT_MS = Date.UTC(2026, 0, 1);

/** Stands still until it is told to move. Sleepers wake in the order of their times. */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  #sleepers: readonly Sleeper[] = [];

  nowMs(): number {
    return STARTED_AT_MS + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(durationMs: number, signal?: CancelSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        wakeAtMs: this.#elapsedMs + durationMs,
        wake: () => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers = [...this.#sleepers, sleeper].sort((a, b) => a.wakeAtMs - b.wakeAtMs);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  advance(durationMs: number): void {
    this.#elapsedMs += durationMs;
    for (const { wakeAtMs, wake } of this.#sleepers) if (wakeAtMs <= this.#elapsedMs) wake();
  }
}
