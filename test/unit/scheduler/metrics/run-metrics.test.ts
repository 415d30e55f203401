import { describe, expect, test } from 'vitest';
import { MemoryTelemetry } from '../../../../adapters/memory/memory-telemetry.ts';
import { metrics } from '../../../../core/metrics/table.ts';
import { NO_COUNTS, type RunCounts, type RunRecord } from '../../../../core/offer.ts';
import { discoveryShardId, queueShardId, sourceShardId } from '../../../../core/shard-id.ts';
import { countRun } from '../../../../scheduler/metrics/run-metrics.ts';

const QUEUE = queueShardId('uid', { topic: 'orders', brokerName: 'b', queueId: 0 });

function aRun({
  counts,
  ...fields
}: Partial<Omit<RunRecord, 'counts'>> & { readonly counts?: Partial<RunCounts> } = {}): RunRecord {
  return {
    offerId: 'offer',
    owner: 'owner',
    connector: 'orders',
    shard: QUEUE,
    startedAtMs: 1_000,
    endedAtMs: 1_250,
    outcome: 'drained',
    ...fields,
    counts: { ...NO_COUNTS, ...counts },
  };
}

/** Every counter that the runs of task 1 raised, Kafka Connect's without their group. */
function countersOf(...runs: readonly RunRecord[]): Record<string, number> {
  const telemetry = new MemoryTelemetry();
  for (const run of runs) countRun(telemetry, run, { task: 1, isFirst: false });
  const counted = Object.entries(metrics).map(([name, { labels }]): [string, number] => {
    const task = labels.some((label) => label === 'task') ? { task: '1' } : {};
    return [name.replace(/^kafka_connect_.*_metrics_/, ''), telemetry.counter(name, { connector: 'orders', ...task })];
  });
  return Object.fromEntries(counted.filter(([, count]) => count !== 0));
}

describe('countRun', () => {
  test('turns each count of a run record into a counter (I10)', () => {
    const counts: RunCounts = {
      slices: 2,
      read: 100,
      filtered: 20,
      delivered: 60,
      deadLettered: 5,
      dropped: 3,
      skipped: 7,
      stale: 12,
      retries: 4,
      throttled: 2,
      storeWrites: 6,
      conflicts: 1,
    };

    expect(countersOf(aRun({ counts }))).toEqual({
      sink_record_read_total: 100,
      sink_record_send_total: 60,
      total_record_errors: 8,
      total_records_skipped: 8,
      deadletterqueue_produce_requests: 5,
      total_retries: 4,
      sortie_invocations_total: 1,
      sortie_puts_throttled_total: 2,
      sortie_records_dropped_total: 3,
      sortie_records_filtered_total: 20,
      sortie_records_gap_total: 7,
      sortie_records_stale_total: 12,
      sortie_slices_total: 2,
      sortie_store_conflicts_total: 1,
      sortie_store_writes_total: 6,
    });
  });

  test('counts how invocations ended, and which of them failed for a record', () => {
    const telemetry = new MemoryTelemetry();
    const ends = [
      aRun(),
      aRun({ outcome: null, refusal: 'held' }),
      aRun({ outcome: 'fenced' }),
      aRun({ outcome: 'failed', error: { code: 'record.rejected', stage: 'put', message: 'no', position: 'orders/b/0@7' } }),
      aRun({ outcome: 'failed', error: { code: 'target.unavailable', stage: 'put', message: 'busy' } }),
    ];

    for (const run of ends) countRun(telemetry, run, { task: 0, isFirst: false });

    const outcomes = ['drained', 'empty', 'fenced', 'failed', 'yielded'];
    expect(outcomes.map((outcome) => telemetry.counter('sortie_invocations_total', { outcome }))).toEqual([1, 1, 1, 2, 0]);
    expect(telemetry.counter('sortie_claims_refused_total', { connector: 'orders', reason: 'held' })).toBe(1);
    expect(telemetry.counter('kafka_connect_task_error_metrics_total_record_errors')).toBe(1);
    expect(telemetry.counter('kafka_connect_task_error_metrics_total_record_failures')).toBe(1);
  });

  test('names what a source did as Kafka Connect does', () => {
    const run = aRun({ shard: sourceShardId('uid', ['table']), counts: { read: 10, delivered: 9 } });

    expect(countersOf(run)).toEqual({ source_record_poll_total: 10, source_record_write_total: 9, sortie_invocations_total: 1 });
  });

  test('brings all series of a task with its first run, so that the first increase of each can be seen', () => {
    const told: string[] = [];
    const note = (name: string): void => void told.push(name);

    countRun({ count: note, observe: note, forget: note }, aRun(), { task: 0, isFirst: true });

    expect(told).toContain('kafka_connect_task_error_metrics_deadletterqueue_produce_requests');
    expect(told).toContain('sortie_records_gap_total');
  });

  test('counts a discovery for its connector, and for no task', () => {
    const telemetry = new MemoryTelemetry();

    countRun(telemetry, aRun({ shard: discoveryShardId('uid'), counts: { storeWrites: 2 } }), { task: null, isFirst: true });

    expect(telemetry.counter('sortie_store_writes_total', { connector: 'orders' })).toBe(2);
    expect(telemetry.counter('sortie_invocations_total', { connector: 'orders', outcome: 'drained' })).toBe(1);
    expect(telemetry.counter('kafka_connect_source_task_metrics_source_record_poll_total')).toBe(0);
  });

  test('observes how long an invocation took, also where the clock jumped back', () => {
    const telemetry = new MemoryTelemetry();

    countRun(telemetry, aRun(), { task: 0, isFirst: false });
    countRun(telemetry, aRun({ endedAtMs: 900 }), { task: 0, isFirst: false });

    expect(telemetry.observations('sortie_invocation_seconds', { connector: 'orders' })).toEqual([0.25, 0]);
  });
});
