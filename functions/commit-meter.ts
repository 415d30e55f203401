/**
 * Counts and times the commits of one invocation: the writes of a cursor that cover delivered records. One that covers none, such
 * as that of a tail that found nothing, is no commit. Three numbers move as the three places of `Work` do: read, delivered, safe.
 */
import { FencedError } from '../core/errors.ts';
import type { RunMeasures } from '../core/offer.ts';
import type { Clock } from '../core/ports.ts';

/** Where it tells of them. */
interface Tally {
  readonly counts: { commits: number; commitsFenced: number; commitsFailed: number };
  measure(what: keyof RunMeasures, value: number): void;
}

export class CommitMeter {
  readonly #clock: Clock;
  readonly #tally: Tally;
  /** Records since the last commit. */
  #read = 0;
  #delivered = 0;
  #safe = 0;

  constructor(clock: Clock, tally: Tally) {
    this.#clock = clock;
    this.#tally = tally;
  }

  read(records: number): void {
    this.#read += records;
    this.#tally.measure('activeRecords', this.#read);
  }

  delivered(records: number): void {
    this.#delivered += records;
  }

  flushed(): void {
    this.#safe = this.#delivered;
  }

  /** Whatever `write` answers or throws. */
  async commit<T>(write: () => Promise<T>): Promise<T> {
    const covered = this.#safe;
    if (covered === 0) return write();
    const startedAtMs = this.#clock.monotonicMs();
    try {
      const written = await write();
      this.#landed(covered, this.#clock.monotonicMs() - startedAtMs);
      return written;
    } catch (error) {
      this.#tally.counts[error instanceof FencedError ? 'commitsFenced' : 'commitsFailed'] += 1;
      throw error;
    }
  }

  #landed(records: number, tookMs: number): void {
    this.#read -= records;
    this.#delivered -= records;
    this.#safe -= records;
    this.#tally.counts.commits += 1;
    this.#tally.measure('commitMs', tookMs);
    this.#tally.measure('commitRecords', records);
  }
}
