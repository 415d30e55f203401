import type { CancelSignal, Clock } from '../core/ports.ts';

/** A reason of its own spares each wake-up an exception with a stack. */
const OVER = 'over';

export interface Wait {
  readonly keys: readonly string[];
  /** Absent: as long as it takes. */
  readonly durationMs?: number;
  readonly signal?: CancelSignal | undefined;
}

/**
 * Lets waiters sleep until something happens to one of their keys. A wake-up is not remembered: whoever waits looks first
 * and waits in the same turn, so that nothing falls between. Waiters wake in the order in which they began to wait.
 */
export class WakeUps {
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(key: string): void {
    for (const waiter of [...(this.#waiters.get(key) ?? [])]) waiter();
  }

  /** Resolves at a wake-up, at the end of the duration, or as soon as `signal` aborts. */
  wait({ keys, durationMs, signal }: Wait): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timeout = new AbortController();
      const waiter = (): void => {
        this.#remove(keys, waiter);
        signal?.removeEventListener('abort', waiter);
        timeout.abort(OVER);
        resolve();
      };
      for (const key of keys) this.#add(key, waiter);
      signal?.addEventListener('abort', waiter, { once: true });
      if (durationMs !== undefined) void this.#clock.sleep(durationMs, timeout.signal).then(waiter);
    });
  }

  #add(key: string, waiter: () => void): void {
    const waiters = this.#waiters.get(key);
    if (waiters === undefined) this.#waiters.set(key, new Set([waiter]));
    else waiters.add(waiter);
  }

  #remove(keys: readonly string[], waiter: () => void): void {
    for (const key of keys) {
      const waiters = this.#waiters.get(key);
      if (waiters?.delete(waiter) && waiters.size === 0) this.#waiters.delete(key);
    }
  }
}
