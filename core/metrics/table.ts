/** Every metric there is, by name. `/metrics` shows nothing else, and `docs/metrics.md` and the dashboard are checked against it. */
import {
  connectorMetrics,
  connectorTaskMetrics,
  connectWorkerMetrics,
  sinkTaskMetrics,
  sourceTaskMetrics,
  taskErrorMetrics,
} from './kafka-connect-metrics.ts';
import type { Labels, Metric } from './metric.ts';
import { schedulerMetrics, sortieConnectorMetrics } from './sortie-metrics.ts';

export const metrics = {
  ...connectorMetrics,
  ...connectorTaskMetrics,
  ...sourceTaskMetrics,
  ...sinkTaskMetrics,
  ...taskErrorMetrics,
  ...connectWorkerMetrics,
  ...sortieConnectorMetrics,
  ...schedulerMetrics,
} as const satisfies Record<string, Metric>;

type NameOf<Type extends Metric['type']> = {
  [Name in keyof typeof metrics]: (typeof metrics)[Name]['type'] extends Type ? Name : never;
}[keyof typeof metrics];

export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;
export type HistogramName = NameOf<'histogram'>;

/** A value as it is now. */
export interface Sample {
  readonly name: GaugeName;
  readonly labels: Labels;
  readonly value: number;
}
