/** Counters of invocations: each is one number of what their runs did together. */
import type { ScrapedName } from '../../core/metrics/table.ts';
import type { RunSum } from './run-sum.ts';

type Counted = Readonly<Partial<Record<ScrapedName, (sum: RunSum) => number>>>;

export const sinkTaskCounters = {
  kafka_connect_sink_task_metrics_sink_record_read_total: ({ counts }) => counts.read,
  kafka_connect_sink_task_metrics_sink_record_send_total: ({ counts }) => counts.delivered,
  kafka_connect_sink_task_metrics_offset_commit_seq_no: ({ counts }) =>
    counts.commits + counts.commitsFenced + counts.commitsFailed,
  kafka_connect_sink_task_metrics_offset_commit_completion_total: ({ counts }) => counts.commits,
  kafka_connect_sink_task_metrics_offset_commit_skip_total: ({ counts }) => counts.commitsFenced,
} as const satisfies Counted;

/** Also where a sink takes a source's records directly. */
export const sourceTaskCounters = {
  kafka_connect_source_task_metrics_source_record_poll_total: ({ counts }) => counts.read,
  kafka_connect_source_task_metrics_source_record_write_total: ({ counts }) => counts.delivered,
} as const satisfies Counted;

export const taskCounters = {
  kafka_connect_task_error_metrics_total_record_errors: ({ refused }) => refused,
  kafka_connect_task_error_metrics_total_record_failures: ({ failures }) => failures,
  kafka_connect_task_error_metrics_total_records_skipped: ({ counts }) => counts.deadLettered + counts.dropped,
  kafka_connect_task_error_metrics_total_retries: ({ counts }) => counts.retries,
  // A run that failed for a record is a line of the log.
  kafka_connect_task_error_metrics_total_errors_logged: ({ counts, failures }) => counts.errorsLogged + failures,
  kafka_connect_task_error_metrics_deadletterqueue_produce_requests: ({ counts }) =>
    counts.deadLettered + counts.deadLettersFailed,
  kafka_connect_task_error_metrics_deadletterqueue_produce_failures: ({ counts }) => counts.deadLettersFailed,
} as const satisfies Counted;

export const connectorCounters = {
  sortie_slices_total: ({ counts }) => counts.slices,
  sortie_store_reads_total: ({ counts }) => counts.storeReads,
  sortie_store_writes_total: ({ counts }) => counts.storeWrites,
  sortie_store_conflicts_total: ({ counts }) => counts.conflicts,
  sortie_puts_throttled_total: ({ counts }) => counts.throttled,
  sortie_records_filtered_total: ({ counts }) => counts.filtered,
  sortie_records_dropped_total: ({ counts }) => counts.dropped,
  sortie_records_stale_total: ({ counts }) => counts.stale,
  sortie_records_gap_total: ({ counts }) => counts.skipped,
} as const satisfies Counted;
