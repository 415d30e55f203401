/** Metrics of what only Sortie has. Base units, and no label that grows with shards: which one it was stands in the run record. */
import type { Metric } from './metric.ts';

const CONNECTOR = ['connector'] as const;

const perRun = (unit: string, help: string) => ({ type: 'counter', labels: CONNECTOR, unit, help, from: 'runs' }) as const;

/** From a commit that follows its record at once to a backlog of hours. */
const AGE_BUCKETS_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200] as const;
/** No invocation is let run for much longer than the last of them. */
const RUN_BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60] as const;
/** A call that takes longer than ten seconds has failed. */
const CALL_BUCKETS_SECONDS = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export const sortieConnectorMetrics = {
  sortie_backlog_records: {
    type: 'gauge',
    labels: CONNECTOR,
    unit: 'records',
    help: "Records that wait in a sink's queues, or are being moved, as last seen: some seconds ago while invocations run.",
    from: 'scrape',
  },
  sortie_backlog_seconds: {
    type: 'gauge',
    labels: CONNECTOR,
    unit: 'seconds',
    help: 'At most so old is the oldest record that is not finished; 0 without a backlog. Before a queue has finished any, since when the scheduler has seen it wait.',
    from: 'scrape',
  },
  sortie_end_to_end_seconds: {
    type: 'histogram',
    labels: CONNECTOR,
    unit: 'seconds',
    help: 'From when a record was stored in the log, or made in its source, to its commit: the first record of each commit, for at most 64 commits of an invocation.',
    from: 'runs',
    buckets: AGE_BUCKETS_SECONDS,
  },
  sortie_offers_total: {
    type: 'counter',
    labels: CONNECTOR,
    unit: 'offers',
    help: 'Offers sent.',
    from: 'offers',
  },
  sortie_offers_ended_total: {
    type: 'counter',
    labels: ['connector', 'end'],
    unit: 'offers',
    help: 'Offers by how they ended: completed; died with its host; lost without a word; refused for want of a slot.',
    from: 'offers',
  },
  sortie_invocations_total: {
    type: 'counter',
    labels: ['connector', 'outcome'],
    unit: 'invocations',
    help: 'Invocations that ended and could say so, by outcome: drained, yielded, failed, fenced (somebody else held the slice), or empty (it claimed nothing).',
    from: 'runs',
  },
  sortie_invocation_seconds: {
    type: 'histogram',
    labels: CONNECTOR,
    unit: 'seconds',
    help: 'How long invocations took.',
    from: 'runs',
    buckets: RUN_BUCKETS_SECONDS,
  },
  sortie_invocations_running: {
    type: 'gauge',
    labels: CONNECTOR,
    unit: 'invocations',
    help: 'Invocations that run or are on their way.',
    from: 'scrape',
  },
  sortie_slices_total: perRun('slices', 'Slices begun, each with a claim, but for the stretches of a source, which share one.'),
  sortie_slices_held: {
    type: 'gauge',
    labels: CONNECTOR,
    unit: 'slices',
    help: 'Slices that an invocation has claimed and not given back.',
    from: 'scrape',
  },
  sortie_claims_refused_total: {
    type: 'counter',
    labels: ['connector', 'reason'],
    unit: 'claims',
    help: 'Invocations that claimed nothing, by reason.',
    from: 'runs',
  },
  sortie_shards: {
    type: 'gauge',
    labels: ['connector', 'reason'],
    unit: 'shards',
    help: 'Shards by why they get an invocation or none; unusable: what is stored of the shard or its connector cannot be read; unknown: not looked at yet.',
    from: 'scrape',
  },
  sortie_store_reads_total: perRun('reads', "Reads of a cursor and of the connector's document by invocations."),
  sortie_store_writes_total: perRun('writes', 'Conditional writes of a cursor by invocations, those in vain included.'),
  sortie_store_conflicts_total: perRun('writes', 'Writes of a cursor in vain, for somebody else had written meanwhile.'),
  sortie_puts_throttled_total: perRun('puts', 'Puts that the target turned away for being too many, or did not answer in time.'),
  sortie_records_filtered_total: perRun('records', 'Records that a transform dropped.'),
  sortie_records_dropped_total: perRun('records', 'Records refused and dropped by errors.tolerance=all, without a dead letter.'),
  sortie_records_stale_total: perRun('records', 'Records older than what a versioned target already held.'),
  sortie_records_gap_total: perRun(
    'records',
    'Records that retention removed before they were read, passed over by log.gap.policy=skip.',
  ),
  sortie_plugin_events_total: {
    type: 'counter',
    labels: ['connector', 'event'],
    unit: 'as the plugin says',
    help: 'Whatever a plugin counts, by its name for it.',
    from: 'plugins',
  },
} as const satisfies Record<string, Metric>;

export const schedulerMetrics = {
  sortie_scheduler_leads: {
    type: 'gauge',
    labels: [],
    unit: '1',
    help: '1 for the scheduler that does the work, and 0 for one that waits to take over.',
    from: 'scrape',
  },
  sortie_host_slots_free: {
    type: 'gauge',
    labels: [],
    unit: 'invocations',
    help: 'Invocations that could start now without waiting.',
    from: 'scrape',
  },
  sortie_scheduler_store_seconds: {
    type: 'histogram',
    labels: ['operation'],
    unit: 'seconds',
    help: 'How long the store took to answer: get, put, delete, list.',
    from: 'store',
    buckets: CALL_BUCKETS_SECONDS,
  },
  sortie_scheduler_store_failures_total: {
    type: 'counter',
    labels: ['operation'],
    unit: 'calls',
    help: 'Calls that the store did not answer.',
    from: 'store',
  },
} as const satisfies Record<string, Metric>;
