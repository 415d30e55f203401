/**
 * Gives others in this thread their turn. Where source, store and target answer without waiting for anything outside, an invocation
 * goes on from one promise reaction to the next, and no timer or reply of its neighbours, their commits and looks at gates
 * included, would be heard until it ends.
 */
import type { Clock } from '../core/ports.ts';

/** Well below the second within which a gate is looked at, and long enough that a turn costs nothing beside it. */
const EVERY_MS = 20;

export class Turns {
  readonly #clock: Clock;
  #givenAtMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#givenAtMs = clock.monotonicMs();
  }

  async give(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#givenAtMs < EVERY_MS) return;
    await this.#clock.sleep(0);
    this.#givenAtMs = this.#clock.monotonicMs();
  }
}
