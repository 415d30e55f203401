/** How often something was started, and failed at that. */
import { Windows } from './windows.ts';

interface Ends {
  successes: number;
  failures: number;
}

const none = (): Ends => ({ successes: 0, failures: 0 });

export class Startups {
  readonly total: Readonly<Ends>;
  readonly #total = none();
  readonly #lately: Windows<Ends>;

  /** Times are monotonic. */
  constructor(nowMs: number) {
    this.#lately = new Windows(nowMs, none);
    this.total = this.#total;
  }

  note(end: keyof Ends, nowMs: number): void {
    this.#total[end] += 1;
    this.#lately.current(nowMs)[end] += 1;
  }

  get attempts(): number {
    return this.#total.successes + this.#total.failures;
  }

  /** Of those of late, from 0 to 1; 0 without any. */
  share(end: keyof Ends, nowMs: number): number {
    const { sums } = this.#lately.seen(nowMs);
    const of = (which: keyof Ends): number => sums.reduce((sum, ends) => sum + ends[which], 0);
    const attempts = of('successes') + of('failures');
    return attempts === 0 ? 0 : of(end) / attempts;
  }
}
