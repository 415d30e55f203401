import type { CancelSignal } from '../../core/ports.ts';

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** Who sleeps on a clock that a test controls; the soonest to wake comes first, of equals the one that lay down first. */
export class Sleepers {
  #sleepers: readonly Sleeper[] = [];

  get first(): Sleeper | undefined {
    return this.#sleepers[0];
  }

  sleep(wakeAtMs: number, signal?: CancelSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        wakeAtMs,
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

  wakeUntil(nowMs: number): void {
    for (const { wakeAtMs, wake } of this.#sleepers) if (wakeAtMs <= nowMs) wake();
  }
}
