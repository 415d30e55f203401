/** What is said of a metric wherever it is named: in the table, on `/metrics`, in `docs/metrics.md`. */

/** What its numbers are made from. All of it passes through the process of a scheduler, which is where `/metrics` is served. */
export const origins = {
  runs: 'run records, each counted when its invocation ends',
  lately: 'run records of the last 30 to 60 seconds, as Kafka Connect looks at its last two windows of 30 seconds',
  configurations: 'revisions of connectors, each when the scheduler that leads takes it up',
  offers: 'offers, as they are sent and as they end',
  store: "the scheduler's own calls of the store",
  plugins: 'what a plugin counts',
  scrape: 'what the scheduler remembers at the time of the scrape',
  nothing: 'it is always the same',
} as const;

export type Origin = keyof typeof origins;

/** What is told as it happens. All else is asked for when somebody looks, and nobody keeps it meanwhile. */
export const TOLD = ['offers', 'store', 'plugins'] as const satisfies readonly Origin[];

export type Labels = Readonly<Record<string, string>>;

interface Described {
  readonly labels: readonly string[];
  readonly unit: string;
  readonly help: string;
  readonly from: Origin;
}

/** Never falls, unless its connector is deleted or its process ends. */
export interface Counter extends Described {
  readonly type: 'counter';
  readonly from: Exclude<Origin, 'lately' | 'scrape'>;
}

export interface Gauge extends Described {
  readonly type: 'gauge';
  readonly from: 'runs' | 'lately' | 'configurations' | 'scrape' | 'nothing';
}

export interface Histogram extends Described {
  readonly type: 'histogram';
  /** Upper bounds, ascending, in its unit. */
  readonly buckets: readonly number[];
}

export type Metric = Counter | Gauge | Histogram;
