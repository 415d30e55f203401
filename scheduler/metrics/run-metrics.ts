/** Counters of invocations, all of them made from run records, so that a counter and history never say two things (I10). */
import type { Labels } from '../../core/metrics/metric.ts';
import type { CounterName } from '../../core/metrics/table.ts';
import type { RunRecord } from '../../core/offer.ts';
import type { Metrics } from '../../core/ports.ts';
import { queueOfShard } from '../../core/shard-id.ts';

/** What one run adds. */
type Counted = readonly [name: CounterName, of: (run: RunRecord) => number];

const sinkTask: readonly Counted[] = [
  ['kafka_connect_sink_task_metrics_sink_record_read_total', ({ counts }) => counts.read],
  ['kafka_connect_sink_task_metrics_sink_record_send_total', ({ counts }) => counts.delivered],
];

/** Also where a sink takes a source's records directly. */
const sourceTask: readonly Counted[] = [
  ['kafka_connect_source_task_metrics_source_record_poll_total', ({ counts }) => counts.read],
  ['kafka_connect_source_task_metrics_source_record_write_total', ({ counts }) => counts.delivered],
];

const anyTask: readonly Counted[] = [
  ['kafka_connect_task_error_metrics_total_record_errors', (run) => refusedOf(run)],
  ['kafka_connect_task_error_metrics_total_record_failures', ({ error }) => (error?.position === undefined ? 0 : 1)],
  ['kafka_connect_task_error_metrics_total_records_skipped', ({ counts }) => counts.deadLettered + counts.dropped],
  ['kafka_connect_task_error_metrics_total_retries', ({ counts }) => counts.retries],
  ['kafka_connect_task_error_metrics_deadletterqueue_produce_requests', ({ counts }) => counts.deadLettered],
];

const anyShard: readonly Counted[] = [
  ['sortie_slices_total', ({ counts }) => counts.slices],
  ['sortie_store_writes_total', ({ counts }) => counts.storeWrites],
  ['sortie_store_conflicts_total', ({ counts }) => counts.conflicts],
  ['sortie_puts_throttled_total', ({ counts }) => counts.throttled],
  ['sortie_records_filtered_total', ({ counts }) => counts.filtered],
  ['sortie_records_dropped_total', ({ counts }) => counts.dropped],
  ['sortie_records_stale_total', ({ counts }) => counts.stale],
  ['sortie_records_gap_total', ({ counts }) => counts.skipped],
];

/** Records that were refused: dead-lettered, dropped, or the one that failed the shard. */
export function refusedOf({ counts, error }: RunRecord): number {
  return counts.deadLettered + counts.dropped + (error?.position === undefined ? 0 : 1);
}

export interface CountedAs {
  /** `null` for a discovery, which is nobody's. */
  readonly task: number | null;
  /** The first run of its task: it brings all series, for only a counter that begins at zero shows its first increase. */
  readonly isFirst: boolean;
}

/** To be called once per run record. What a run added nothing to is not touched: a connector that is idle costs nothing here. */
export function countRun(metrics: Metrics, run: RunRecord, { task, isFirst }: CountedAs): void {
  const labels = { connector: run.connector };
  const add = (counted: readonly Counted[], of: Labels): void => {
    for (const [name, addedBy] of counted) {
      const added = addedBy(run);
      if (added > 0 || isFirst) metrics.count(name, of, added);
    }
  };
  if (task !== null) {
    const ofTask = { ...labels, task: String(task) };
    add(queueOfShard(run.shard) === undefined ? sourceTask : sinkTask, ofTask);
    add(anyTask, ofTask);
  }
  add(anyShard, labels);
  metrics.count('sortie_invocations_total', { ...labels, outcome: run.outcome ?? 'empty' });
  if (run.refusal !== undefined) metrics.count('sortie_claims_refused_total', { ...labels, reason: run.refusal });
  for (const ms of run.latenciesMs ?? []) metrics.observe('sortie_end_to_end_seconds', labels, ms / 1_000);
  // The wall clock may have jumped back meanwhile.
  metrics.observe('sortie_invocation_seconds', labels, Math.max(run.endedAtMs - run.startedAtMs, 0) / 1_000);
}
