/** What is said of the runs of the last seconds: averages, bounds, shares and rates. */
import type { Measure } from '../../core/measure.ts';
import type { ScrapedName } from '../../core/metrics/table.ts';
import type { TaskActivity } from './activity.ts';
import { RunSum } from './run-sum.ts';

export interface Lately {
  readonly sum: RunSum;
  /** How long it took to come together. */
  readonly seconds: number;
}

type Told = Readonly<Partial<Record<ScrapedName, (lately: Lately) => number>>>;

const NOTHING: Lately = { sum: new RunSum(), seconds: 1 };

export function latelyOf(activity: TaskActivity | undefined, nowMs: number): Lately {
  const { sums, seconds } = activity?.lately.seen(nowMs) ?? { sums: [], seconds: 1 };
  return sums.length === 0 ? NOTHING : { sum: RunSum.of(sums), seconds };
}

export const latelyOfTasks = {
  kafka_connect_connector_task_metrics_batch_size_avg: ({ sum }) => average(sum.measures.batchRecords),
  kafka_connect_connector_task_metrics_batch_size_max: ({ sum }) => most(sum.measures.batchRecords),
  kafka_connect_connector_task_metrics_offset_commit_avg_time_ms: ({ sum }) => average(sum.measures.commitMs),
  kafka_connect_connector_task_metrics_offset_commit_max_time_ms: ({ sum }) => most(sum.measures.commitMs),
  kafka_connect_connector_task_metrics_offset_commit_success_percentage: ({ sum: { counts } }) =>
    share(counts.commits, counts.commits + counts.commitsFailed),
  kafka_connect_connector_task_metrics_offset_commit_failure_percentage: ({ sum: { counts } }) =>
    share(counts.commitsFailed, counts.commits + counts.commitsFailed),
} as const satisfies Told;

export const latelyOfSourceTasks = {
  kafka_connect_source_task_metrics_source_record_poll_rate: ({ sum, seconds }) => sum.counts.read / seconds,
  kafka_connect_source_task_metrics_source_record_write_rate: ({ sum, seconds }) => sum.counts.delivered / seconds,
  kafka_connect_source_task_metrics_poll_batch_avg_time_ms: ({ sum }) => average(sum.measures.pollMs),
  kafka_connect_source_task_metrics_poll_batch_max_time_ms: ({ sum }) => most(sum.measures.pollMs),
  kafka_connect_source_task_metrics_source_record_active_count_avg: ({ sum }) => average(sum.measures.activeRecords),
  kafka_connect_source_task_metrics_source_record_active_count_max: ({ sum }) => most(sum.measures.activeRecords),
  kafka_connect_source_task_metrics_transaction_size_avg: ({ sum }) => average(sum.measures.commitRecords),
  kafka_connect_source_task_metrics_transaction_size_max: ({ sum }) => most(sum.measures.commitRecords),
  kafka_connect_source_task_metrics_transaction_size_min: ({ sum }) => sum.measures.commitRecords?.min ?? Number.NaN,
} as const satisfies Told;

export const latelyOfSinkTasks = {
  kafka_connect_sink_task_metrics_sink_record_read_rate: ({ sum, seconds }) => sum.counts.read / seconds,
  kafka_connect_sink_task_metrics_sink_record_send_rate: ({ sum, seconds }) => sum.counts.delivered / seconds,
  kafka_connect_sink_task_metrics_put_batch_avg_time_ms: ({ sum }) => average(sum.measures.putMs),
  kafka_connect_sink_task_metrics_put_batch_max_time_ms: ({ sum }) => most(sum.measures.putMs),
  kafka_connect_sink_task_metrics_sink_record_active_count_avg: ({ sum }) => average(sum.measures.activeRecords),
  kafka_connect_sink_task_metrics_sink_record_active_count_max: ({ sum }) => most(sum.measures.activeRecords),
  kafka_connect_sink_task_metrics_offset_commit_completion_rate: ({ sum, seconds }) => sum.counts.commits / seconds,
  kafka_connect_sink_task_metrics_offset_commit_skip_rate: ({ sum, seconds }) => sum.counts.commitsFenced / seconds,
} as const satisfies Told;

function average(measure: Measure | undefined): number {
  return measure === undefined ? Number.NaN : measure.sum / measure.count;
}

function most(measure: Measure | undefined): number {
  return measure?.max ?? Number.NaN;
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
