/** Kafka Connect's metrics of a worker: here of a scheduler, for there are no workers that own tasks. */
import type { Counter, Gauge } from './metric.ts';

const CONNECTOR = ['connector'] as const;

const now = <const Labels extends readonly string[]>(labels: Labels, unit: string, help: string) =>
  ({ type: 'gauge', labels, unit, help, from: 'scrape' }) as const;

const startups = (from: 'configurations' | 'runs', unit: string, help: string) =>
  ({ type: 'counter', labels: [], unit, help, from }) as const;
const share = (help: string) => ({ type: 'gauge', labels: [], unit: 'ratio', help, from: 'lately' }) as const;

export const connectWorkerMetrics = {
  kafka_connect_connect_worker_metrics_connector_count: now([], 'connectors', 'Connectors, whatever their state.'),
  kafka_connect_connect_worker_metrics_task_count: now([], 'tasks', 'Tasks of all connectors.'),
  kafka_connect_connect_worker_metrics_connector_startup_attempts_total: startups(
    'configurations',
    'revisions',
    'Revisions of connectors that the scheduler took up; one that could not be used counts again once it can.',
  ),
  kafka_connect_connect_worker_metrics_connector_startup_success_total: startups(
    'configurations',
    'revisions',
    'Those that can be used.',
  ),
  kafka_connect_connect_worker_metrics_connector_startup_failure_total: startups(
    'configurations',
    'revisions',
    'Those that cannot: a key is wrong, or a plugin does not load.',
  ),
  kafka_connect_connect_worker_metrics_connector_startup_success_percentage: share(
    'Those that can be used, from 0 to 1 as in Kafka Connect; 0 without any.',
  ),
  kafka_connect_connect_worker_metrics_connector_startup_failure_percentage: share('Those that cannot.'),
  kafka_connect_connect_worker_metrics_task_startup_attempts_total: startups(
    'runs',
    'invocations',
    'Invocations that had a slice to begin: each opens the reader and the writer of its shard, or finds them still open.',
  ),
  kafka_connect_connect_worker_metrics_task_startup_success_total: startups('runs', 'invocations', 'Those that began a slice.'),
  kafka_connect_connect_worker_metrics_task_startup_failure_total: startups(
    'runs',
    'invocations',
    'Those that failed before they began one: the reader or the writer could not be opened.',
  ),
  kafka_connect_connect_worker_metrics_task_startup_success_percentage: share(
    'Those that began a slice, from 0 to 1 as in Kafka Connect; 0 without any.',
  ),
  kafka_connect_connect_worker_metrics_task_startup_failure_percentage: share('Those that failed before.'),
  kafka_connect_connect_worker_metrics_connector_total_task_count: now(CONNECTOR, 'tasks', 'Tasks of the connector.'),
  kafka_connect_connect_worker_metrics_connector_running_task_count: now(CONNECTOR, 'tasks', 'Those that are running.'),
  kafka_connect_connect_worker_metrics_connector_paused_task_count: now(CONNECTOR, 'tasks', 'Those that are paused.'),
  kafka_connect_connect_worker_metrics_connector_failed_task_count: now(CONNECTOR, 'tasks', 'Those that have failed.'),
  kafka_connect_connect_worker_metrics_connector_unassigned_task_count: now(
    CONNECTOR,
    'tasks',
    'Those that no invocation has looked at yet, or whose queues are gone.',
  ),
  kafka_connect_connect_worker_metrics_connector_restarting_task_count: {
    ...{ type: 'gauge', labels: CONNECTOR, unit: 'tasks', from: 'nothing' },
    help: '0: a restart is one write, after which the task has not failed any more.',
  },
  kafka_connect_connect_worker_metrics_connector_destroyed_task_count: {
    ...{ type: 'gauge', labels: CONNECTOR, unit: 'tasks', from: 'nothing' },
    help: '0: a task that goes leaves nothing behind that could be shown.',
  },
} as const satisfies Record<string, Counter | Gauge>;

const never = (unit: string, help: string) => ({ type: 'gauge', labels: [], unit, help, from: 'nothing' }) as const;

/** Nothing is rebalanced: these say so to boards and alerts. */
export const connectWorkerRebalanceMetrics = {
  kafka_connect_connect_worker_rebalance_metrics_completed_rebalances_total: {
    ...{ type: 'counter', labels: [], unit: 'rebalances', from: 'nothing' },
    help: '0: there are none.',
  },
  kafka_connect_connect_worker_rebalance_metrics_rebalancing: never('1', '0: never.'),
  kafka_connect_connect_worker_rebalance_metrics_rebalance_avg_time_ms: never('milliseconds', 'NaN, as before the first one.'),
  kafka_connect_connect_worker_rebalance_metrics_rebalance_max_time_ms: never('milliseconds', 'NaN, as before the first one.'),
  kafka_connect_connect_worker_rebalance_metrics_time_since_last_rebalance_ms: never(
    'milliseconds',
    'Infinite, as before the first one.',
  ),
  kafka_connect_connect_worker_rebalance_metrics_epoch: never('1', '0: no group of workers was ever formed.'),
  kafka_connect_connect_worker_rebalance_metrics_leader_name: {
    ...{ type: 'gauge', labels: ['leader_name'], unit: '1', from: 'nothing' },
    help: 'none: no group has one. Which scheduler does the work tells sortie_scheduler_leads.',
  },
  kafka_connect_connect_worker_rebalance_metrics_connect_protocol: {
    ...{ type: 'gauge', labels: ['connect_protocol'], unit: '1', from: 'nothing' },
    help: 'none: schedulers and hosts share nothing but the store.',
  },
} as const satisfies Record<string, Counter | Gauge>;
