/**
 * End to end: how old the first record of each commit was when it was committed. One look a batch and one number a commit, for a look at
 * each record would cost what a record costs.
 */
import type { Clock } from '../core/ports.ts';
import type { ConnectRecord } from '../core/record/connect-record.ts';

/** A tail commits every second and an invocation lasts for less than a minute; an odd one with more keeps every second of them. */
const SAMPLES_MAX = 64;

export class LatencyMeter {
  readonly #clock: Clock;
  #firstAtMs: number | null = null;
  #samples: number[] = [];
  #commits = 0;
  #everyCommits = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records that were delivered, in order. Since when the first of them was in the log, or in its source. */
  delivered([first]: readonly ConnectRecord[]): void {
    this.#firstAtMs ??= first?.log?.storedAtMs ?? first?.timestampMs ?? null;
  }

  /** Everything that was delivered is committed. */
  committed(): void {
    const atMs = this.#firstAtMs;
    this.#firstAtMs = null;
    if (atMs === null) return;
    // Another clock's time: it may be ahead.
    if (this.#commits % this.#everyCommits === 0) this.#add(Math.max(0, Math.round(this.#clock.nowMs() - atMs)));
    this.#commits += 1;
  }

  samplesMs(): readonly number[] {
    return this.#samples;
  }

  #add(ms: number): void {
    if (this.#samples.length === SAMPLES_MAX) {
      this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
      this.#everyCommits *= 2;
    }
    this.#samples.push(ms);
  }
}
