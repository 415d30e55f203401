import type { Clock } from '../../core/ports.ts';

/** More than goes by between two looks while this process does anything at all. */
const LOOK_MAX_MS = 1_000;

/**
 * Time as far as this process was there to see it go by, told by looks at its clock. One that was stopped, or whose machine slept,
 * finds that every host of its own was silent and is long past its limits, which says nothing of them: they were stopped, too.
 */
export class WakingTime {
  readonly #clock: Clock;
  #lookedAtMs: number;
  #nowMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lookedAtMs = clock.monotonicMs();
  }

  /** As of the last look. */
  get nowMs(): number {
    return this.#nowMs;
  }

  look(): void {
    const atMs = this.#clock.monotonicMs();
    this.#nowMs += Math.min(atMs - this.#lookedAtMs, LOOK_MAX_MS);
    this.#lookedAtMs = atMs;
  }
}
