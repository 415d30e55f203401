/** What is said of a metric wherever it is named: in the table, on `/metrics`, in `docs/metrics.md`. */

/** What its numbers are made from. All of it passes through the process of a scheduler, which is where `/metrics` is served. */
export const origins = {
  runs: 'run records, each counted when its invocation ends',
  offers: 'offers, as they are sent and as they end',
  store: "the scheduler's own calls of the store",
  plugins: 'what a plugin counts',
  scrape: 'what the scheduler remembers at the time of the scrape',
} as const;

export type Labels = Readonly<Record<string, string>>;

interface Described {
  readonly labels: readonly string[];
  readonly unit: string;
  readonly help: string;
  readonly from: keyof typeof origins;
}

/** Never falls, unless its connector is deleted or its process ends. */
export interface Counter extends Described {
  readonly type: 'counter';
}

export interface Gauge extends Described {
  readonly type: 'gauge';
  readonly from: 'scrape';
}

export interface Histogram extends Described {
  readonly type: 'histogram';
  /** Upper bounds, ascending, in its unit. */
  readonly buckets: readonly number[];
}

export type Metric = Counter | Gauge | Histogram;
