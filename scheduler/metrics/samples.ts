/** Where each metric comes from that is asked for when somebody looks: nothing of it is kept between two looks. */
import { type Cursor, heldRanges, holdersOf } from '../../core/cursor/cursor.ts';
import type { Labels } from '../../core/metrics/metric.ts';
import type { Sample, Scrape, ScrapedName } from '../../core/metrics/table.ts';
import { recordsBetween } from '../../core/offset.ts';
import type { ShardState } from '../shard-state.ts';
import { connectorCounters, sinkTaskCounters, sourceTaskCounters, taskCounters } from './counters.ts';
import { type Lately, latelyOfSinkTasks, latelyOfSourceTasks, latelyOfTasks } from './lately.ts';
import type { RunSum } from './run-sum.ts';
import { type ConnectorView, type Leading, look, type Remembered, type Seen, type TaskView } from './views.ts';

export function scrapeOf(remembered: Remembered, leading: Leading): Scrape {
  const seen = look(remembered, leading);
  return (name) => sources[name](seen);
}

type Source = (seen: Seen) => Iterable<Sample>;

/** `null`: there is nothing to say. */
type NumberOf<Of> = (of: Of) => number | null;

const sources: { readonly [Name in ScrapedName]: Source } = {
  kafka_connect_connector_metrics_connector_class: textOfConnectors('connector_class', ({ known }) => {
    return known.connector.config['connector.class'] ?? '';
  }),
  kafka_connect_connector_metrics_connector_type: textOfConnectors('connector_type', ({ type }) => type),
  kafka_connect_connector_metrics_connector_version: textOfConnectors('connector_version', ({ known }) => known.pluginVersion),
  kafka_connect_connector_metrics_status: textOfConnectors('status', ({ state }) => state.toLowerCase()),

  *kafka_connect_connector_task_metrics_status({ connectors }) {
    for (const { tasks } of connectors)
      for (const { labels, state } of tasks) yield { labels: { ...labels, status: state.toLowerCase() }, value: 1 };
  },
  kafka_connect_connector_task_metrics_running_ratio: ofTasks('any', ({ state }) => (state === 'RUNNING' ? 1 : 0)),
  kafka_connect_connector_task_metrics_pause_ratio: ofTasks('any', ({ state }) => (state === 'PAUSED' ? 1 : 0)),
  kafka_connect_sink_task_metrics_partition_count: ofTasks('sink', ({ shards }) => shards.length),
  kafka_connect_sink_task_metrics_sink_record_lag_max: ofTasks('sink', ({ shards }) =>
    shards.reduce((max, { backlogRecords }) => Math.max(max, backlogRecords ?? 0), 0),
  ),
  kafka_connect_sink_task_metrics_sink_record_active_count: ofTasks('sink', ({ shards }) =>
    sumOf(shards, ({ cursor }) => recordsHeld(cursor)),
  ),
  kafka_connect_task_error_metrics_last_error_timestamp: ofTasks('any', ({ lastErrorAtMs }) => lastErrorAtMs),
  ...each(latelyOfTasks, (numberOf) => ofLately('any', numberOf)),
  ...each(latelyOfSinkTasks, (numberOf) => ofLately('sink', numberOf)),
  ...each(latelyOfSourceTasks, (numberOf) => ofLately('source', numberOf)),
  ...each(taskCounters, (numberOf) => totalsOf('any', numberOf)),
  ...each(sinkTaskCounters, (numberOf) => totalsOf('sink', numberOf)),
  ...each(sourceTaskCounters, (numberOf) => totalsOf('source', numberOf)),

  kafka_connect_connect_worker_metrics_connector_count: single(({ connectors }) => connectors.length),
  kafka_connect_connect_worker_metrics_task_count: single(({ connectors }) => sumOf(connectors, ({ tasks }) => tasks.length)),
  kafka_connect_connect_worker_metrics_connector_startup_attempts_total: single(({ configurations }) => configurations.attempts),
  kafka_connect_connect_worker_metrics_connector_startup_success_total: single(
    ({ configurations: { total } }) => total.successes,
  ),
  kafka_connect_connect_worker_metrics_connector_startup_failure_total: single(({ configurations: { total } }) => total.failures),
  kafka_connect_connect_worker_metrics_connector_startup_success_percentage: single(({ configurations, monotonicMs }) =>
    configurations.share('successes', monotonicMs),
  ),
  kafka_connect_connect_worker_metrics_connector_startup_failure_percentage: single(({ configurations, monotonicMs }) =>
    configurations.share('failures', monotonicMs),
  ),
  kafka_connect_connect_worker_metrics_task_startup_attempts_total: single(({ openings }) => openings.attempts),
  kafka_connect_connect_worker_metrics_task_startup_success_total: single(({ openings: { total } }) => total.successes),
  kafka_connect_connect_worker_metrics_task_startup_failure_total: single(({ openings: { total } }) => total.failures),
  kafka_connect_connect_worker_metrics_task_startup_success_percentage: single(({ openings, monotonicMs }) =>
    openings.share('successes', monotonicMs),
  ),
  kafka_connect_connect_worker_metrics_task_startup_failure_percentage: single(({ openings, monotonicMs }) =>
    openings.share('failures', monotonicMs),
  ),
  kafka_connect_connect_worker_metrics_connector_total_task_count: ofConnectors(({ tasks }) => tasks.length),
  kafka_connect_connect_worker_metrics_connector_running_task_count: tasksThatAre('RUNNING'),
  kafka_connect_connect_worker_metrics_connector_paused_task_count: tasksThatAre('PAUSED'),
  kafka_connect_connect_worker_metrics_connector_failed_task_count: tasksThatAre('FAILED'),
  kafka_connect_connect_worker_metrics_connector_unassigned_task_count: tasksThatAre('UNASSIGNED'),
  kafka_connect_connect_worker_metrics_connector_restarting_task_count: ofConnectors(() => 0),
  kafka_connect_connect_worker_metrics_connector_destroyed_task_count: ofConnectors(() => 0),

  kafka_connect_connect_worker_rebalance_metrics_completed_rebalances_total: single(() => 0),
  kafka_connect_connect_worker_rebalance_metrics_rebalancing: single(() => 0),
  kafka_connect_connect_worker_rebalance_metrics_rebalance_avg_time_ms: single(() => Number.NaN),
  kafka_connect_connect_worker_rebalance_metrics_rebalance_max_time_ms: single(() => Number.NaN),
  kafka_connect_connect_worker_rebalance_metrics_time_since_last_rebalance_ms: single(() => Number.POSITIVE_INFINITY),
  kafka_connect_connect_worker_rebalance_metrics_epoch: single(() => 0),
  kafka_connect_connect_worker_rebalance_metrics_leader_name: () => [{ labels: { leader_name: 'none' }, value: 1 }],
  kafka_connect_connect_worker_rebalance_metrics_connect_protocol: () => [{ labels: { connect_protocol: 'none' }, value: 1 }],

  sortie_backlog_records: ofConnectors(({ shards }) => backlogOf(shards)),
  *sortie_backlog_seconds({ connectors, nowMs }) {
    for (const { labels, shards } of connectors) {
      if (backlogOf(shards) === null) continue;
      yield { labels, value: shards.reduce((max, shard) => Math.max(max, shard.behindMs(nowMs)), 0) / 1_000 };
    }
  },
  sortie_invocations_running: ofConnectors(({ running }) => running),
  sortie_slices_held: ofConnectors(({ shards }) => {
    return sumOf(shards, ({ cursor }) => (cursor === null ? 0 : holdersOf(cursor).length));
  }),
  *sortie_shards({ connectors }) {
    for (const { labels, shards } of connectors) yield* counted(labels, 'reason', countByReason(shards));
  },
  *sortie_invocations_total({ runs }) {
    for (const { labels, outcomes } of runs) yield* counted(labels, 'outcome', outcomes);
  },
  *sortie_claims_refused_total({ runs }) {
    for (const { labels, refusals } of runs) yield* counted(labels, 'reason', refusals);
  },
  ...each(
    connectorCounters,
    (numberOf: (sum: RunSum) => number): Source =>
      function* ({ runs }) {
        for (const { labels, sum } of runs) yield { labels, value: numberOf(sum) };
      },
  ),
  sortie_scheduler_leads: single(({ leads }) => (leads ? 1 : 0)),
  sortie_host_slots_free: single(({ leads, freeSlots }) => (leads ? freeSlots : 0)),
};

// ---------------------------------------------------------------------------------------------------------------------

/** The source of each metric of a table, by the number it makes of its subject. */
function each<Name extends ScrapedName, Of>(
  table: Readonly<Record<Name, (of: Of) => number>>,
  sourceOf: (numberOf: (of: Of) => number) => Source,
): Readonly<Record<Name, Source>> {
  const entries = Object.entries<(of: Of) => number>(table).map(([name, numberOf]) => [name, sourceOf(numberOf)]);
  return Object.fromEntries(entries) as Readonly<Record<Name, Source>>;
}

function single(numberOf: (seen: Seen) => number): Source {
  return (seen) => [{ labels: {}, value: numberOf(seen) }];
}

function textOfConnectors(label: string, textOf: (connector: ConnectorView) => string | null): Source {
  return function* ({ connectors }) {
    for (const connector of connectors) {
      const text = textOf(connector);
      if (text !== null) yield { labels: { ...connector.labels, [label]: text }, value: 1 };
    }
  };
}

function ofConnectors(numberOf: NumberOf<ConnectorView>): Source {
  return function* ({ connectors }) {
    for (const connector of connectors) {
      const value = numberOf(connector);
      if (value !== null) yield { labels: connector.labels, value };
    }
  };
}

function tasksThatAre(state: TaskView['state']): Source {
  return ofConnectors(({ tasks }) => tasks.filter((task) => task.state === state).length);
}

type Kind = 'sink' | 'source' | 'any';

function ofTasks(kind: Kind, numberOf: (task: TaskView) => number): Source {
  return function* ({ connectors }) {
    for (const { type, tasks } of connectors) {
      if (kind !== 'any' && kind !== type) continue;
      for (const task of tasks) yield { labels: task.labels, value: numberOf(task) };
    }
  };
}

function ofLately(kind: Kind, numberOf: (lately: Lately) => number): Source {
  return ofTasks(kind, ({ lately }) => numberOf(lately));
}

/** Of all tasks that ran, also of those that are dealt no shards any more: what counts never falls. */
function totalsOf(kind: Kind, numberOf: (sum: RunSum) => number): Source {
  return function* ({ runs }) {
    for (const { labels, tasks } of runs) {
      for (const [task, { isSink, total }] of tasks) {
        if (task === null || (kind !== 'any' && isSink !== (kind === 'sink'))) continue;
        yield { labels: { ...labels, task: String(task) }, value: numberOf(total) };
      }
    }
  };
}

function* counted(labels: Labels, label: string, counts: ReadonlyMap<string, number>): Generator<Sample> {
  for (const [what, value] of counts) yield { labels: { ...labels, [label]: what }, value };
}

/** `null`: a source does not say how much it has. */
function backlogOf(shards: readonly ShardState[]): number | null {
  const known = shards.flatMap(({ backlogRecords }) => backlogRecords ?? []);
  return known.length === 0 ? null : sumOf(known, (records) => records);
}

function countByReason(shards: readonly ShardState[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { demand, problem } of shards) {
    const reason = problem === null ? (demand?.reason ?? 'unknown') : 'unusable';
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}

function recordsHeld(cursor: Cursor | null): number {
  if (cursor?.kind !== 'log') return 0;
  return sumOf(heldRanges(cursor), ({ start, end }) => (end === null ? 0 : recordsBetween(start, end)));
}

function sumOf<Item>(items: readonly Item[], numberOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + numberOf(item), 0);
}
