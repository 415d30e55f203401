/** A target that takes so many puts at once and turns the others away at once (429). */
import type { VirtualTime } from '../world/virtual-time.ts';

const REFUSAL_MS = 20;

export class ModelledTarget {
  readonly #time: VirtualTime;
  readonly #putsMax: number;
  #puts = 0;
  refusals = 0;

  constructor(time: VirtualTime, { putsMax }: { readonly putsMax: number }) {
    this.#time = time;
    this.#putsMax = putsMax;
  }

  /** Whether it was taken. */
  async put(tookMs: number): Promise<boolean> {
    if (this.#puts >= this.#putsMax) {
      this.refusals += 1;
      await this.#time.delay(REFUSAL_MS);
      return false;
    }
    this.#puts += 1;
    await this.#time.delay(tookMs);
    this.#puts -= 1;
    return true;
  }
}
