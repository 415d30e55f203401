/**
 * Kafka Connect's metrics as Prometheus users know them: the name of its JMX group, then that of the attribute, as the JMX
 * exporter joins them where no rule says otherwise. What is a text there is a label of a gauge that is 1.
 */
import type { Counter, Gauge } from './metric.ts';

const CONNECTOR = ['connector'] as const;
const TASK = ['connector', 'task'] as const;

const perTask = (unit: string, help: string) => ({ type: 'counter', labels: TASK, unit, help, from: 'runs' }) as const;
const now = <const Labels extends readonly string[]>(labels: Labels, unit: string, help: string) =>
  ({ type: 'gauge', labels, unit, help, from: 'scrape' }) as const;

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
  kafka_connect_connector_task_metrics_running_ratio: now(TASK, 'ratio', '1 while the task is running, and 0 otherwise.'),
  kafka_connect_connector_task_metrics_pause_ratio: now(TASK, 'ratio', '1 while the task is paused, and 0 otherwise.'),
} as const satisfies Record<string, Gauge>;

export const sourceTaskMetrics = {
  kafka_connect_source_task_metrics_source_record_poll_total: perTask('records', 'Records polled from the source.'),
  kafka_connect_source_task_metrics_source_record_poll_rate: now(TASK, 'records per second', 'Of the last minute.'),
  kafka_connect_source_task_metrics_source_record_write_total: perTask('records', 'Records written to the log or the target.'),
  kafka_connect_source_task_metrics_source_record_write_rate: now(TASK, 'records per second', 'Of the last minute.'),
} as const satisfies Record<string, Counter | Gauge>;

export const sinkTaskMetrics = {
  kafka_connect_sink_task_metrics_sink_record_read_total: perTask('records', 'Records read from the log.'),
  kafka_connect_sink_task_metrics_sink_record_read_rate: now(TASK, 'records per second', 'Of the last minute.'),
  kafka_connect_sink_task_metrics_sink_record_send_total: perTask('records', 'Records the target took.'),
  kafka_connect_sink_task_metrics_sink_record_send_rate: now(TASK, 'records per second', 'Of the last minute.'),
  kafka_connect_sink_task_metrics_partition_count: now(TASK, 'queues', 'Message queues dealt to the task.'),
  kafka_connect_sink_task_metrics_sink_record_lag_max: now(
    TASK,
    'records',
    'The largest backlog of a queue of the task. In Kafka Connect it is what the task has read and not yet put.',
  ),
  kafka_connect_sink_task_metrics_sink_record_active_count: now(
    TASK,
    'records',
    'Records in slices that invocations hold. A tail has no end, and counts nothing.',
  ),
} as const satisfies Record<string, Counter | Gauge>;

export const taskErrorMetrics = {
  kafka_connect_task_error_metrics_total_record_errors: perTask(
    'records',
    'Records refused: dead-lettered, dropped, or the one that failed its shard.',
  ),
  kafka_connect_task_error_metrics_total_record_failures: perTask('records', 'Records that failed their shard.'),
  kafka_connect_task_error_metrics_total_records_skipped: perTask(
    'records',
    'Records refused and passed over by errors.tolerance=all: dead-lettered or dropped.',
  ),
  kafka_connect_task_error_metrics_total_retries: perTask('puts', 'Puts made again within their slice.'),
  kafka_connect_task_error_metrics_deadletterqueue_produce_requests: perTask(
    'records',
    'Records that are durable in the dead-letter queue.',
  ),
  kafka_connect_task_error_metrics_last_error_timestamp: now(
    TASK,
    'milliseconds since 1970',
    'When the last invocation ended that refused a record or failed; 0 while none did.',
  ),
} as const satisfies Record<string, Counter | Gauge>;

export const connectWorkerMetrics = {
  kafka_connect_connect_worker_metrics_connector_count: now([], 'connectors', 'Connectors, whatever their state.'),
  kafka_connect_connect_worker_metrics_task_count: now([], 'tasks', 'Tasks of all connectors.'),
  kafka_connect_connect_worker_metrics_connector_total_task_count: now(CONNECTOR, 'tasks', 'Tasks of the connector.'),
  kafka_connect_connect_worker_metrics_connector_running_task_count: now(CONNECTOR, 'tasks', 'Those that are running.'),
  kafka_connect_connect_worker_metrics_connector_paused_task_count: now(CONNECTOR, 'tasks', 'Those that are paused.'),
  kafka_connect_connect_worker_metrics_connector_failed_task_count: now(CONNECTOR, 'tasks', 'Those that have failed.'),
  kafka_connect_connect_worker_metrics_connector_unassigned_task_count: now(
    CONNECTOR,
    'tasks',
    'Those that no invocation has looked at yet, or whose queues are gone.',
  ),
} as const satisfies Record<string, Gauge>;
