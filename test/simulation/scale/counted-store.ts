/** The store as its callers meet it: a round trip for each call, and each call counted. */
import { MemoryStateStore } from '../../../adapters/memory/memory-state-store.ts';
import type { Clock, StateStore } from '../../../core/ports.ts';
import type { SeededRandom } from '../world/seeded-random.ts';
import type { VirtualTime } from '../world/virtual-time.ts';

export interface StoreCounts {
  reads: number;
  writes: number;
  conflicts: number;
}

export class CountedStore {
  /** Without a round trip and uncounted, for what is there before the scenario begins. */
  readonly documents: MemoryStateStore;
  readonly counts: StoreCounts = { reads: 0, writes: 0, conflicts: 0 };
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #roundTripMs: number;

  constructor({
    time,
    clock,
    random,
    roundTripMs,
  }: { readonly time: VirtualTime; readonly clock: Clock; readonly random: SeededRandom; readonly roundTripMs: number }) {
    this.documents = new MemoryStateStore({ clock });
    this.#time = time;
    this.#random = random;
    this.#roundTripMs = roundTripMs;
  }

  /** A way to the store whose calls are also counted in `counts`. */
  countedBy(counts: StoreCounts): StateStore {
    const { documents } = this;
    const count = (what: keyof StoreCounts): void => {
      counts[what] += 1;
      this.counts[what] += 1;
    };
    return {
      get: (key) => {
        count('reads');
        return this.#travel(() => documents.get(key));
      },
      list: (partition, page) => {
        count('reads');
        return this.#travel(() => documents.list(partition, page));
      },
      put: async (key, value, condition, options) => {
        count('writes');
        const result = await this.#travel(() => documents.put(key, value, condition, options));
        if ('conflict' in result) count('conflicts');
        return result;
      },
      delete: (key, condition) => {
        count('writes');
        return this.#travel(() => documents.delete(key, condition));
      },
    };
  }

  async #travel<T>(operation: () => Promise<T>): Promise<T> {
    const wayMs = (this.#roundTripMs / 2) * this.#random.between(0.7, 1.3);
    await this.#time.delay(wayMs);
    const answer = await operation();
    await this.#time.delay(wayMs);
    return answer;
  }
}

export function noCounts(): StoreCounts {
  return { reads: 0, writes: 0, conflicts: 0 };
}
