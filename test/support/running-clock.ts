import type { CancelSignal, Clock } from '../../core/ports.ts';
import { Sleepers } from './sleepers.ts';

/** Some moment that looks like one; nothing depends on which. */
const STARTED_AT_MS = Date.UTC(2026, 0, 1);

/**
 * Passes by itself, as fast as it can: once nothing is left to run, it jumps to the moment of the next sleeper. What is slept
 * for takes no time, and the same sleeps give the same order.
 */
export class RunningClock implements Clock {
  #elapsedMs = 0;
  readonly #sleepers = new Sleepers();
  #isTurning = false;

  nowMs(): number {
    return STARTED_AT_MS + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(durationMs: number, signal?: CancelSignal): Promise<void> {
    const slept = this.#sleepers.sleep(this.#elapsedMs + durationMs, signal);
    this.#turn();
    return slept;
  }

  /** Time during which nobody ran: a frozen process finds itself so much later. */
  jump(durationMs: number): void {
    this.#elapsedMs += durationMs;
  }

  /** Every promise reaction that is due runs before an immediate does. */
  #turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => {
      this.#isTurning = false;
      const { first } = this.#sleepers;
      if (first === undefined) return;
      this.#elapsedMs = Math.max(this.#elapsedMs, first.wakeAtMs);
      first.wake();
      if (this.#sleepers.first !== undefined) this.#turn();
    });
  }
}
