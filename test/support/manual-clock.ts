import type { CancelSignal, Clock } from '../../core/ports.ts';
import { Sleepers } from './sleepers.ts';

/** Some moment that looks like one; nothing depends on which. */
const STARTED_AT_MS = Date.UTC(2026, 0, 1);

/** Stands still until it is told to move. Sleepers wake in the order of their times. */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  readonly #sleepers = new Sleepers();

  nowMs(): number {
    return STARTED_AT_MS + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(durationMs: number, signal?: CancelSignal): Promise<void> {
    return this.#sleepers.sleep(this.#elapsedMs + durationMs, signal);
  }

  advance(durationMs: number): void {
    this.#elapsedMs += durationMs;
    this.#sleepers.wakeUntil(this.#elapsedMs);
  }
}
