/** Values as they are now, from what the scheduler remembers: asked for when somebody looks, and kept nowhere. */
import { type Cursor, heldRanges, holdersOf } from '../../core/cursor/cursor.ts';
import type { Labels } from '../../core/metrics/metric.ts';
import type { GaugeName, Sample } from '../../core/metrics/table.ts';
import { recordsBetween } from '../../core/offset.ts';
import type { Clock } from '../../core/ports.ts';
import type { ConnectorCatalog } from '../connector-catalog.ts';
import type { KnownConnector } from '../known-connector.ts';
import type { ShardState } from '../shard-state.ts';
import type { ShardTable } from '../shard-table.ts';
import { type ConnectorStatus, dealt, statusOf, type TaskStatus } from '../status.ts';
import type { Activity, TaskActivity } from './activity.ts';

export interface Remembered {
  readonly clock: Clock;
  readonly table: ShardTable;
  readonly catalog: Pick<ConnectorCatalog, 'all' | 'isListed'>;
  readonly activity: Activity;
}

interface Subject {
  readonly known: KnownConnector;
  readonly shards: readonly ShardState[];
  readonly status: ConnectorStatus;
}

export function* samplesOf(remembered: Remembered): Generator<Sample> {
  const { catalog, table } = remembered;
  let connectors = 0;
  let tasks = 0;
  for (const known of catalog.all()) {
    const { uid, targetState } = known.connector;
    // What has not been read yet would look like a connector without work.
    if (targetState === 'deleted' || !catalog.isListed(uid)) continue;
    const shards = [...table.ofConnector(uid)];
    // No worker owns anything, and no metric names one.
    const subject = { known, shards, status: statusOf(known, shards, '') };
    connectors += 1;
    tasks += subject.status.tasks.length;
    yield* connectorSamples(subject);
    yield* taskSamples(subject, remembered.activity);
    yield* shardSamples(subject, remembered);
  }
  yield sample('kafka_connect_connect_worker_metrics_connector_count', {}, connectors);
  yield sample('kafka_connect_connect_worker_metrics_task_count', {}, tasks);
}

function* connectorSamples({ known: { connector, pluginVersion }, status }: Subject): Generator<Sample> {
  const labels = { connector: connector.name };
  const connectorClass = connector.config['connector.class'] ?? '';
  const state = status.connector.state.toLowerCase();
  yield sample('kafka_connect_connector_metrics_connector_class', { ...labels, connector_class: connectorClass }, 1);
  yield sample('kafka_connect_connector_metrics_connector_type', { ...labels, connector_type: status.type }, 1);
  if (pluginVersion !== null)
    yield sample('kafka_connect_connector_metrics_connector_version', { ...labels, connector_version: pluginVersion }, 1);
  yield sample('kafka_connect_connector_metrics_status', { ...labels, status: state }, 1);
  const count = (wanted: TaskStatus['state']): number => status.tasks.filter((task) => task.state === wanted).length;
  yield sample('kafka_connect_connect_worker_metrics_connector_total_task_count', labels, status.tasks.length);
  yield sample('kafka_connect_connect_worker_metrics_connector_running_task_count', labels, count('RUNNING'));
  yield sample('kafka_connect_connect_worker_metrics_connector_paused_task_count', labels, count('PAUSED'));
  yield sample('kafka_connect_connect_worker_metrics_connector_failed_task_count', labels, count('FAILED'));
  yield sample('kafka_connect_connect_worker_metrics_connector_unassigned_task_count', labels, count('UNASSIGNED'));
}

function* taskSamples({ known, shards, status }: Subject, activity: Activity): Generator<Sample> {
  const { name, uid } = known.connector;
  const shardsOf = dealt(known, shards);
  for (const { id, state } of status.tasks) {
    const labels = { connector: name, task: String(id) };
    const active = activity.of(uid, id);
    yield sample('kafka_connect_connector_task_metrics_status', { ...labels, status: state.toLowerCase() }, 1);
    yield sample('kafka_connect_connector_task_metrics_running_ratio', labels, state === 'RUNNING' ? 1 : 0);
    yield sample('kafka_connect_connector_task_metrics_pause_ratio', labels, state === 'PAUSED' ? 1 : 0);
    yield sample('kafka_connect_task_error_metrics_last_error_timestamp', labels, active.lastErrorAtMs);
    if (status.type === 'sink') yield* sinkTaskSamples(labels, shardsOf[id] ?? [], active);
    else if (status.type === 'source') yield* sourceTaskSamples(labels, active);
  }
}

function* sourceTaskSamples(labels: Labels, active: TaskActivity): Generator<Sample> {
  yield sample('kafka_connect_source_task_metrics_source_record_poll_rate', labels, active.readsPerSecond);
  yield sample('kafka_connect_source_task_metrics_source_record_write_rate', labels, active.deliveriesPerSecond);
}

function* sinkTaskSamples(labels: Labels, shards: readonly ShardState[], active: TaskActivity): Generator<Sample> {
  const lagMax = shards.reduce((max, { backlogRecords }) => Math.max(max, backlogRecords ?? 0), 0);
  const held = shards.reduce((sum, { cursor }) => sum + recordsHeld(cursor), 0);
  yield sample('kafka_connect_sink_task_metrics_sink_record_read_rate', labels, active.readsPerSecond);
  yield sample('kafka_connect_sink_task_metrics_sink_record_send_rate', labels, active.deliveriesPerSecond);
  yield sample('kafka_connect_sink_task_metrics_partition_count', labels, shards.length);
  yield sample('kafka_connect_sink_task_metrics_sink_record_lag_max', labels, lagMax);
  yield sample('kafka_connect_sink_task_metrics_sink_record_active_count', labels, held);
}

function* shardSamples({ known: { connector }, shards }: Subject, { table, clock }: Remembered): Generator<Sample> {
  const labels = { connector: connector.name };
  const backlogs = shards.flatMap(({ backlogRecords }) => backlogRecords ?? []);
  // A source does not say how much it has.
  if (backlogs.length > 0) {
    const nowMs = clock.nowMs();
    const behindMs = shards.reduce((max, state) => Math.max(max, state.behindMs(nowMs)), 0);
    yield sample(
      'sortie_backlog_records',
      labels,
      backlogs.reduce((sum, records) => sum + records),
    );
    yield sample('sortie_backlog_seconds', labels, behindMs / 1_000);
  }
  const held = shards.reduce((sum, { cursor }) => sum + (cursor === null ? 0 : holdersOf(cursor).length), 0);
  yield sample('sortie_invocations_running', labels, table.running.byConnector.get(connector.uid) ?? 0);
  yield sample('sortie_slices_held', labels, held);
  for (const [reason, count] of countByReason(shards)) yield sample('sortie_shards', { ...labels, reason }, count);
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
  return heldRanges(cursor).reduce((sum, { start, end }) => sum + (end === null ? 0 : recordsBetween(start, end)), 0);
}

function sample(name: GaugeName, labels: Labels, value: number): Sample {
  return { name, labels, value };
}
