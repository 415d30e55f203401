/** What several runs did together. */
import { type Measure, merged } from '../../core/measure.ts';
import { NO_COUNTS, type RunCounts, type RunMeasures, type RunRecord } from '../../core/offer.ts';

type Counts = { -readonly [Name in keyof RunCounts]: number };
type Measures = { -readonly [Name in keyof RunMeasures]: Measure };

export class RunSum {
  readonly counts: Counts = { ...NO_COUNTS };
  readonly measures: Measures = {};
  /** Records that failed their shard. */
  failures = 0;

  static of(sums: readonly RunSum[]): RunSum {
    const all = new RunSum();
    for (const { counts, measures, failures } of sums) all.#add(counts, measures, failures);
    return all;
  }

  add({ counts, measures = {}, error }: RunRecord): void {
    this.#add(counts, measures, error?.position === undefined ? 0 : 1);
  }

  /** Records that were refused: dead-lettered, dropped, or the one that failed the shard. */
  get refused(): number {
    return this.counts.deadLettered + this.counts.dropped + this.failures;
  }

  #add(counts: RunCounts, measures: RunMeasures, failures: number): void {
    for (const name of Object.keys(counts) as (keyof RunCounts)[]) this.counts[name] += counts[name];
    for (const name of Object.keys(measures) as (keyof RunMeasures)[]) {
      const measure = measures[name];
      if (measure !== undefined) this.measures[name] = merged(this.measures[name], measure);
    }
    this.failures += failures;
  }
}
