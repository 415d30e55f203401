/** Measures what a record costs, smoothed over slices. */
import type { Pace } from '../core/cursor/cursor.ts';
import type { Clock } from '../core/ports.ts';

/** The newest slice counts for a third: a change of load shows after a few slices, one odd slice does not. */
const WEIGHT = 1 / 3;

export class PaceMeter {
  readonly #clock: Clock;
  #startedAtMs: number;
  #records = 0;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAtMs = clock.monotonicMs();
  }

  restart(): void {
    this.#startedAtMs = this.#clock.monotonicMs();
    this.#records = 0;
    this.#bytes = 0;
  }

  count(records: number, bytes: number): void {
    this.#records += records;
    this.#bytes += bytes;
  }

  /** `null` when nothing was counted. */
  measure(previous: Pace | null): Pace | null {
    if (this.#records === 0) return null;
    const usPerRecord = ((this.#clock.monotonicMs() - this.#startedAtMs) * 1_000) / this.#records;
    const bytesPerRecord = this.#bytes / this.#records;
    if (previous === null) return { usPerRecord, bytesPerRecord };
    return {
      usPerRecord: previous.usPerRecord + (usPerRecord - previous.usPerRecord) * WEIGHT,
      bytesPerRecord: previous.bytesPerRecord + (bytesPerRecord - previous.bytesPerRecord) * WEIGHT,
    };
  }
}
