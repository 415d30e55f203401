/** What a call of the store takes, measured at the scheduler's own reads and smoothed. */
import type { Clock, StateStore } from '../core/ports.ts';

/**
 * What the newest call counts for at least; the first fifty are averaged. One alone, that waited for a lock say, tells little, and the
 * slices of half a minute are sized by what is known when they are offered.
 */
const WEIGHT_MIN = 1 / 50;

/** A list of so few documents takes no longer than one of them. */
const FEW_DOCUMENTS = 10;

export class StoreRoundTrip {
  readonly store: StateStore;
  readonly #clock: Clock;
  #measured = 1;
  #calls = 0;

  constructor({ store, clock }: { readonly store: StateStore; readonly clock: Clock }) {
    this.#clock = clock;
    this.store = {
      get: (key) => this.#timed(() => store.get(key)),
      put: (key, value, condition, options) => this.#timed(() => store.put(key, value, condition, options)),
      delete: (key, condition) => store.delete(key, condition),
      list: (partition, page) =>
        this.#timed(
          () => store.list(partition, page),
          ({ documents }) => documents.length <= FEW_DOCUMENTS,
        ),
    };
  }

  /** Smoothed, ms; 1 before the first call. */
  get ms(): number {
    return this.#measured;
  }

  async #timed<T>(call: () => Promise<T>, tells: (answer: T) => boolean = () => true): Promise<T> {
    const startedAtMs = this.#clock.monotonicMs();
    const answer = await call();
    const tookMs = this.#clock.monotonicMs() - startedAtMs;
    if (tells(answer)) this.#note(tookMs);
    return answer;
  }

  #note(tookMs: number): void {
    this.#calls += 1;
    this.#measured += (tookMs - this.#measured) * Math.max(WEIGHT_MIN, 1 / this.#calls);
  }
}
