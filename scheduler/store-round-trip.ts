/** What a call of the store takes, measured at the scheduler's own reads and smoothed. */
import type { Clock, StateStore } from '../core/ports.ts';

/** The newest call counts for a tenth: one that waited for a lock says little. */
const WEIGHT = 0.1;

export class StoreRoundTrip {
  readonly store: StateStore;
  readonly #clock: Clock;
  #measured: number | null = null;

  constructor({ store, clock }: { readonly store: StateStore; readonly clock: Clock }) {
    this.#clock = clock;
    this.store = {
      get: (key) => this.#timed(() => store.get(key)),
      put: (key, value, condition, options) => this.#timed(() => store.put(key, value, condition, options)),
      delete: (key, condition) => store.delete(key, condition),
      list: (partition, page) => store.list(partition, page),
    };
  }

  /** Smoothed, ms; 1 before the first call. */
  get ms(): number {
    return this.#measured ?? 1;
  }

  async #timed<T>(call: () => Promise<T>): Promise<T> {
    const startedAtMs = this.#clock.monotonicMs();
    const answer = await call();
    const tookMs = this.#clock.monotonicMs() - startedAtMs;
    this.#measured = this.#measured === null ? tookMs : this.#measured + (tookMs - this.#measured) * WEIGHT;
    return answer;
  }
}
