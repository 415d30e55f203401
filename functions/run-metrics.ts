/**
 * Metrics of invocations, all of them made from run records, so that a counter and history never say two things (I10).
 *
 * Named as Kafka Connect names its task's metrics where it has them, so that boards can be carried over. One label, the
 * connector: shards are as many as queues, and which one it was stands in the run record.
 */
import type { RunRecord } from '../core/offer.ts';
import type { Telemetry } from '../core/ports.ts';
import { queueOfShard } from '../core/shard-id.ts';

interface RunMetric {
  readonly name: string;
  readonly meaning: string;
  /** What one run adds. */
  readonly of: (run: RunRecord) => number;
}

export const INVOCATION_TIME = 'invocation-time-ms';

/** Of runs of a sink's queue. */
export const sinkMetrics: readonly RunMetric[] = [
  { name: 'sink-record-read-total', meaning: 'Records read from the log.', of: ({ counts }) => counts.read },
  { name: 'sink-record-send-total', meaning: 'Records the target took.', of: ({ counts }) => counts.delivered },
];

/** Of runs of a source's shard, also where a sink takes its records directly. */
export const sourceMetrics: readonly RunMetric[] = [
  { name: 'source-record-poll-total', meaning: 'Records polled from the source.', of: ({ counts }) => counts.read },
  {
    name: 'source-record-write-total',
    meaning: 'Records written to the log or the target.',
    of: ({ counts }) => counts.delivered,
  },
];

export const commonMetrics: readonly RunMetric[] = [
  {
    name: 'total-record-errors',
    meaning: 'Records refused: dead-lettered, dropped, or the one that failed its shard.',
    of: ({ counts, error }) => counts.deadLettered + counts.dropped + (error?.position === undefined ? 0 : 1),
  },
  {
    name: 'total-records-skipped',
    meaning: 'Records refused and passed over by errors.tolerance=all: dead-lettered or dropped.',
    of: ({ counts }) => counts.deadLettered + counts.dropped,
  },
  {
    name: 'deadletterqueue-produce-requests',
    meaning: 'Records that are durable in the dead-letter queue.',
    of: ({ counts }) => counts.deadLettered,
  },
  { name: 'total-retries', meaning: 'Puts made again within their slice.', of: ({ counts }) => counts.retries },
  {
    name: 'puts-throttled-total',
    meaning: 'Puts that the target turned away for being too many, or did not answer in time.',
    of: ({ counts }) => counts.throttled,
  },
  { name: 'records-filtered-total', meaning: 'Records that a transform dropped.', of: ({ counts }) => counts.filtered },
  {
    name: 'records-stale-total',
    meaning: 'Records older than what a versioned target already held.',
    of: ({ counts }) => counts.stale,
  },
  {
    name: 'records-gap-total',
    meaning: 'Records that retention removed before they were read, passed over by log.gap.policy=skip.',
    of: ({ counts }) => counts.skipped,
  },
  { name: 'slices-total', meaning: 'Slices begun.', of: ({ counts }) => counts.slices },
  { name: 'invocations-total', meaning: 'Invocations that ended and could say so.', of: () => 1 },
  {
    name: 'invocations-empty-total',
    meaning: 'Invocations that found nothing to claim.',
    of: ({ outcome }) => (outcome === null ? 1 : 0),
  },
  {
    name: 'invocations-failed-total',
    meaning: 'Invocations that ended with an error; the run record says which.',
    of: ({ outcome }) => (outcome === 'failed' ? 1 : 0),
  },
  {
    name: 'invocations-fenced-total',
    meaning: 'Invocations that ended because somebody else held their slice.',
    of: ({ outcome }) => (outcome === 'fenced' ? 1 : 0),
  },
  {
    name: 'store-writes-total',
    meaning: 'Conditional writes of a cursor, those in vain included.',
    of: ({ counts }) => counts.storeWrites,
  },
  {
    name: 'store-conflicts-total',
    meaning: 'Writes of a cursor in vain, for somebody else had written meanwhile.',
    of: ({ counts }) => counts.conflicts,
  },
];

/** To be called once per run record. What a run added nothing to is not touched: a connector that is idle costs nothing here. */
export function countRun(telemetry: Telemetry, run: RunRecord): void {
  const labels = { connector: run.connector };
  const own = queueOfShard(run.shard) === undefined ? sourceMetrics : sinkMetrics;
  for (const metrics of [own, commonMetrics]) {
    for (const { name, of } of metrics) {
      const added = of(run);
      if (added > 0) telemetry.count(name, labels, added);
    }
  }
  // The wall clock may have jumped back meanwhile.
  telemetry.observe(INVOCATION_TIME, labels, Math.max(run.endedAtMs - run.startedAtMs, 0));
}
