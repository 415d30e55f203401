/** What a scrape looks at, put together once: connectors and their tasks as they are now, and what their invocations did. */
import type { Labels } from '../../core/metrics/metric.ts';
import type { Clock } from '../../core/ports.ts';
import type { ConnectorCatalog } from '../connector-catalog.ts';
import type { KnownConnector } from '../known-connector.ts';
import type { ShardState } from '../shard-state.ts';
import type { ShardTable } from '../shard-table.ts';
import { type ConnectorStatus, dealt, statusOf, type TaskStatus } from '../status.ts';
import type { Activity, ConnectorActivity } from './activity.ts';
import { type Lately, latelyOf } from './lately.ts';
import { RunSum } from './run-sum.ts';
import type { Startups } from './startups.ts';

export interface Remembered {
  readonly clock: Clock;
  readonly table: ShardTable;
  readonly catalog: Pick<ConnectorCatalog, 'all' | 'isListed'>;
  readonly activity: Activity;
  /** Configurations that were taken up. */
  readonly configurations: Startups;
  /** Invocations that had something to claim. */
  readonly openings: Startups;
}

/** What only the scheduler itself can say. */
export interface Leading {
  readonly leads: boolean;
  readonly freeSlots: number;
}

export interface TaskView {
  readonly labels: Labels;
  readonly state: TaskStatus['state'];
  readonly type: ConnectorStatus['type'];
  readonly shards: readonly ShardState[];
  readonly lately: Lately;
  readonly lastErrorAtMs: number;
}

export interface ConnectorView {
  readonly labels: Labels;
  readonly known: KnownConnector;
  readonly state: ConnectorStatus['connector']['state'];
  readonly type: ConnectorStatus['type'];
  readonly shards: readonly ShardState[];
  readonly tasks: readonly TaskView[];
  readonly running: number;
}

/** Of a connector that ran. */
export interface RunsView extends Pick<ConnectorActivity, 'tasks' | 'outcomes' | 'refusals'> {
  readonly labels: Labels;
  readonly sum: RunSum;
}

export interface Seen extends Leading, Pick<Remembered, 'configurations' | 'openings'> {
  readonly nowMs: number;
  readonly monotonicMs: number;
  /** Empty where another scheduler leads: what this one remembers it may have changed since. */
  readonly connectors: readonly ConnectorView[];
  readonly runs: readonly RunsView[];
}

export function look(remembered: Remembered, { leads, freeSlots }: Leading): Seen {
  const { clock, activity, configurations, openings } = remembered;
  return {
    ...{ leads, freeSlots, configurations, openings },
    nowMs: clock.nowMs(),
    monotonicMs: clock.monotonicMs(),
    connectors: leads ? [...connectorViews(remembered)] : [],
    runs: [...activity.all()].map(({ connector, tasks, ...counts }) => ({
      ...counts,
      tasks,
      labels: { connector },
      sum: RunSum.of([...tasks.values()].map(({ total }) => total)),
    })),
  };
}

function* connectorViews(remembered: Remembered): Generator<ConnectorView> {
  const { catalog, table } = remembered;
  for (const known of catalog.all()) {
    const { uid, targetState, name } = known.connector;
    // What has not been read yet would look like a connector without work.
    if (targetState === 'deleted' || !catalog.isListed(uid)) continue;
    const shards = [...table.ofConnector(uid)];
    // No worker owns anything, and no metric names one.
    const status = statusOf(known, shards, '');
    yield {
      ...{ known, shards, type: status.type },
      labels: { connector: name },
      state: status.connector.state,
      tasks: taskViews(status, { known, shards, remembered }),
      running: table.running.byConnector.get(uid) ?? 0,
    };
  }
}

function taskViews(
  { tasks, type }: ConnectorStatus,
  {
    known,
    shards,
    remembered: { activity, clock },
  }: { readonly known: KnownConnector; readonly shards: readonly ShardState[]; readonly remembered: Remembered },
): readonly TaskView[] {
  const { name, uid } = known.connector;
  const shardsOf = dealt(known, shards);
  return tasks.map(({ id, state }) => {
    const runs = activity.of(uid, id);
    return {
      ...{ state, type },
      labels: { connector: name, task: String(id) },
      shards: shardsOf[id] ?? [],
      lately: latelyOf(runs, clock.monotonicMs()),
      lastErrorAtMs: runs?.lastErrorAtMs ?? 0,
    };
  });
}
