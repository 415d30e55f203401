/**
 * Kafka Connect's metrics as Prometheus users know them: the name of its JMX group, then that of the attribute, as the JMX
 * exporter joins them where no rule says otherwise. What is a text there is a label of a gauge that is 1. Those of workers are in
 * `kafka-connect-worker-metrics.ts`; what is nowhere, and why, in `left-out.ts`.
 */
import type { Counter, Gauge } from './metric.ts';

const TASK = ['connector', 'task'] as const;

/** Of a task, since the process began. */
const total = (unit: string, help: string) => ({ type: 'counter', labels: TASK, unit, help, from: 'runs' }) as const;
/** Of a task and the last seconds: an average, a bound, a share or a rate. */
const lately = (unit: string, help: string) => ({ type: 'gauge', labels: TASK, unit, help, from: 'lately' }) as const;
const now = <const Labels extends readonly string[]>(labels: Labels, unit: string, help: string) =>
  ({ type: 'gauge', labels, unit, help, from: 'scrape' }) as const;

const perSecond = 'records per second';
const NAN = 'NaN without any';

export const connectorMetrics = {
  kafka_connect_connector_metrics_connector_class: now(
    ['connector', 'connector_class'],
    '1',
    'The plugin that a connector names.',
  ),
  kafka_connect_connector_metrics_connector_type: now(['connector', 'connector_type'], '1', 'source, sink or unknown.'),
  kafka_connect_connector_metrics_connector_version: now(['connector', 'connector_version'], '1', 'The version of its plugin.'),
  kafka_connect_connector_metrics_status: now(
    ['connector', 'status'],
    '1',
    'The state of a connector as its status shows it: running, paused, stopped, failed or unassigned.',
  ),
} as const satisfies Record<string, Gauge>;

export const connectorTaskMetrics = {
  kafka_connect_connector_task_metrics_status: now(
    ['connector', 'task', 'status'],
    '1',
    'The state of a task as the status of its connector shows it: running, paused, failed or unassigned.',
  ),
  kafka_connect_connector_task_metrics_running_ratio: now(
    TASK,
    'ratio',
    '1 while the task is running, and 0 otherwise: a task is dealt anew when shards come or go, and has no beginning to count from.',
  ),
  kafka_connect_connector_task_metrics_pause_ratio: now(TASK, 'ratio', '1 while the task is paused, and 0 otherwise.'),
  kafka_connect_connector_task_metrics_batch_size_avg: lately(
    'records',
    `Of the batches that were read or polled, before transforms; ${NAN}.`,
  ),
  kafka_connect_connector_task_metrics_batch_size_max: lately('records', `The largest of them; ${NAN}.`),
  kafka_connect_connector_task_metrics_offset_commit_avg_time_ms: lately(
    'milliseconds',
    `The conditional write of a cursor that covers delivered records, its own retries included; ${NAN}.`,
  ),
  kafka_connect_connector_task_metrics_offset_commit_max_time_ms: lately('milliseconds', `The longest of them; ${NAN}.`),
  kafka_connect_connector_task_metrics_offset_commit_success_percentage: lately(
    'ratio',
    'Commits that landed, of those that landed or that the store did not take, from 0 to 1 as in Kafka Connect; 0 without any.',
  ),
  kafka_connect_connector_task_metrics_offset_commit_failure_percentage: lately('ratio', 'The others of them.'),
} as const satisfies Record<string, Gauge>;

export const sourceTaskMetrics = {
  kafka_connect_source_task_metrics_source_record_poll_total: total('records', 'Records polled from the source.'),
  kafka_connect_source_task_metrics_source_record_poll_rate: lately(perSecond, 'Records polled.'),
  kafka_connect_source_task_metrics_source_record_write_total: total('records', 'Records written to the log or the target.'),
  kafka_connect_source_task_metrics_source_record_write_rate: lately(perSecond, 'Records written.'),
  kafka_connect_source_task_metrics_poll_batch_avg_time_ms: lately(
    'milliseconds',
    `Polls that brought records, with what they waited for them; ${NAN}.`,
  ),
  kafka_connect_source_task_metrics_poll_batch_max_time_ms: lately('milliseconds', `The longest of them; ${NAN}.`),
  kafka_connect_source_task_metrics_source_record_active_count_avg: lately(
    'records',
    `Polled and not yet committed, after each batch; ${NAN}.`,
  ),
  kafka_connect_source_task_metrics_source_record_active_count_max: lately('records', `The most of them; ${NAN}.`),
  kafka_connect_source_task_metrics_transaction_size_avg: lately(
    'records',
    `Records that became final together, with the one commit of the checkpoint behind them; ${NAN}.`,
  ),
  kafka_connect_source_task_metrics_transaction_size_max: lately('records', `Those of the largest commit; ${NAN}.`),
  kafka_connect_source_task_metrics_transaction_size_min: lately('records', `Those of the smallest commit; ${NAN}.`),
} as const satisfies Record<string, Counter | Gauge>;

export const sinkTaskMetrics = {
  kafka_connect_sink_task_metrics_sink_record_read_total: total('records', 'Records read from the log.'),
  kafka_connect_sink_task_metrics_sink_record_read_rate: lately(perSecond, 'Records read.'),
  kafka_connect_sink_task_metrics_sink_record_send_total: total('records', 'Records the target took.'),
  kafka_connect_sink_task_metrics_sink_record_send_rate: lately(perSecond, 'Records taken.'),
  kafka_connect_sink_task_metrics_put_batch_avg_time_ms: lately('milliseconds', `Puts that the target answered; ${NAN}.`),
  kafka_connect_sink_task_metrics_put_batch_max_time_ms: lately('milliseconds', `The longest of them; ${NAN}.`),
  kafka_connect_sink_task_metrics_partition_count: now(TASK, 'queues', 'Message queues dealt to the task.'),
  kafka_connect_sink_task_metrics_sink_record_lag_max: now(
    TASK,
    'records',
    'The largest backlog of a queue of the task. In Kafka Connect it is what the task has read and not yet put.',
  ),
  kafka_connect_sink_task_metrics_sink_record_active_count: now(
    TASK,
    'records',
    'Records in slices that invocations hold, read already or not. A tail has no end, and counts nothing.',
  ),
  kafka_connect_sink_task_metrics_sink_record_active_count_avg: lately(
    'records',
    `Read and not yet committed, after each batch, tails included; ${NAN}.`,
  ),
  kafka_connect_sink_task_metrics_sink_record_active_count_max: lately('records', `The most of them; ${NAN}.`),
  kafka_connect_sink_task_metrics_offset_commit_seq_no: {
    ...{ type: 'gauge', labels: TASK, unit: 'commits', from: 'runs' },
    help: 'Commits that were tried, whatever became of them.',
  },
  kafka_connect_sink_task_metrics_offset_commit_completion_total: total('commits', 'Commits that landed.'),
  kafka_connect_sink_task_metrics_offset_commit_completion_rate: lately('commits per second', 'Those that landed.'),
  kafka_connect_sink_task_metrics_offset_commit_skip_total: total(
    'commits',
    'Commits that came too late: somebody else had claimed the range by then, and nothing was changed.',
  ),
  kafka_connect_sink_task_metrics_offset_commit_skip_rate: lately('commits per second', 'Those that came too late.'),
} as const satisfies Record<string, Counter | Gauge>;

export const taskErrorMetrics = {
  kafka_connect_task_error_metrics_total_record_errors: total(
    'records',
    'Records refused: dead-lettered, dropped, or the one that failed its shard.',
  ),
  kafka_connect_task_error_metrics_total_record_failures: total('records', 'Records that failed their shard.'),
  kafka_connect_task_error_metrics_total_records_skipped: total(
    'records',
    'Records refused and passed over by errors.tolerance=all: dead-lettered or dropped.',
  ),
  kafka_connect_task_error_metrics_total_retries: total('puts', 'Puts made again within their slice.'),
  kafka_connect_task_error_metrics_total_errors_logged: total(
    'records',
    'Records refused of which the log was told: with errors.log.enable, dropped ones always, and those that failed their shard.',
  ),
  kafka_connect_task_error_metrics_deadletterqueue_produce_requests: total(
    'records',
    'Records sent to the dead-letter queue, whatever became of them.',
  ),
  kafka_connect_task_error_metrics_deadletterqueue_produce_failures: total(
    'records',
    'Those that were not acknowledged, or were sent together with one that was not. They are sent again with the next slice.',
  ),
  kafka_connect_task_error_metrics_last_error_timestamp: {
    ...{ type: 'gauge', labels: TASK, unit: 'milliseconds since 1970', from: 'runs' },
    help: 'When the last invocation ended that refused a record or failed; 0 while none did.',
  },
} as const satisfies Record<string, Counter | Gauge>;
