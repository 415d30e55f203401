import type { CancelSignal, Clock } from '../../../core/ports.ts';

/**
 * Lets so many records through per second, counted from when it was made. The first is due at once: a reader that is opened
 * anew for each poll gets one each time and never waits for ever.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #startedAtMs: number;
  #taken = 0;

  constructor({ perSecond, clock }: { readonly perSecond: number; readonly clock: Clock }) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#startedAtMs = clock.monotonicMs();
  }

  /** Up to `wanted`; waits up to `waitMs` for the first. */
  async take(wanted: number, { waitMs, signal }: { readonly waitMs: number; readonly signal: CancelSignal }): Promise<number> {
    if (this.#due() === 0 && waitMs > 0) await this.#clock.sleep(Math.min(waitMs, this.nextInMs()), signal);
    const count = Math.min(wanted, this.#due());
    this.#taken += count;
    return count;
  }

  /** Until the next one is due; rounded up, so that a fraction lost in the division cannot wake somebody too early again and again. */
  nextInMs(): number {
    return Math.max(1, Math.ceil((this.#taken * 1_000) / this.#perSecond - this.#elapsedMs()));
  }

  #due(): number {
    return Math.max(0, 1 + Math.floor((this.#elapsedMs() * this.#perSecond) / 1_000) - this.#taken);
  }

  #elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedAtMs;
  }
}
