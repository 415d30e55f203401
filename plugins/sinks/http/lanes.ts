/** Runs steps side by side, as many at once as there are lanes, and those for one key one after the other. */
import type { ConnectRecord } from '../../../core/record/connect-record.ts';

export class Lanes {
  readonly #count: number;
  readonly #running = new Map<unknown, Promise<void>>();
  #thrown: { readonly error: unknown } | null = null;
  /** One character a byte, so that any two keys stay two. */
  readonly #decoder = new TextDecoder('latin1');

  constructor(count: number) {
    this.#count = count;
  }

  /** Whether a step threw, which is said in the end. */
  get isBroken(): boolean {
    return this.#thrown !== null;
  }

  /** Resolves when a step for this record may start. */
  async untilFree(record: ConnectRecord): Promise<void> {
    const key = this.#keyOf(record);
    // Each turn waits for a step to end, and none starts meanwhile.
    for (;;) {
      const same = this.#running.get(key);
      if (same === undefined && this.#running.size < this.#count) return;
      await (same ?? Promise.race(this.#running.values()));
    }
  }

  start(record: ConnectRecord, step: () => Promise<void>): void {
    const key = this.#keyOf(record);
    const ended = step()
      .catch((error: unknown) => {
        this.#thrown ??= { error };
      })
      .then(() => void this.#running.delete(key));
    this.#running.set(key, ended);
  }

  /** @throws what a step threw. */
  async untilEmpty(): Promise<void> {
    await Promise.all(this.#running.values());
    if (this.#thrown !== null) throw this.#thrown.error;
  }

  /** A record without a key waits for no other. */
  #keyOf(record: ConnectRecord): unknown {
    if (this.#count === 1) return null;
    const { bytes } = record.keyDatum;
    return bytes == null ? record : this.#decoder.decode(bytes);
  }
}
