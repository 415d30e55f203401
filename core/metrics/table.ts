/** Every metric there is, by name. `/metrics` shows nothing else, and `docs/metrics.md` and the dashboard are checked against it. */
import {
  connectorMetrics,
  connectorTaskMetrics,
  sinkTaskMetrics,
  sourceTaskMetrics,
  taskErrorMetrics,
} from './kafka-connect-metrics.ts';
import { connectWorkerMetrics, connectWorkerRebalanceMetrics } from './kafka-connect-worker-metrics.ts';
import type { Labels, Metric, TOLD } from './metric.ts';
import { schedulerMetrics, sortieConnectorMetrics } from './sortie-metrics.ts';

export const metrics = {
  ...connectorMetrics,
  ...connectorTaskMetrics,
  ...sourceTaskMetrics,
  ...sinkTaskMetrics,
  ...taskErrorMetrics,
  ...connectWorkerMetrics,
  ...connectWorkerRebalanceMetrics,
  ...sortieConnectorMetrics,
  ...schedulerMetrics,
} as const satisfies Record<string, Metric>;

type Table = typeof metrics;

export type HistogramName = { [Name in keyof Table]: Table[Name]['type'] extends 'histogram' ? Name : never }[keyof Table];
export type CounterName = Exclude<
  { [Name in keyof Table]: Table[Name]['from'] extends (typeof TOLD)[number] ? Name : never }[keyof Table],
  HistogramName
>;
export type ScrapedName = Exclude<keyof Table, CounterName | HistogramName>;

/** One series of a metric. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** What is to be shown of a metric now. */
export type Scrape = (name: ScrapedName) => Iterable<Sample>;
