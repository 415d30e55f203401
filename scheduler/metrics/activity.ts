/** What the invocations of each connector and task did, from their run records alone, so that a counter and history never say two things (I10). */
import type { RunRecord } from '../../core/offer.ts';
import type { Clock } from '../../core/ports.ts';
import { queueOfShard } from '../../core/shard-id.ts';
import { RunSum } from './run-sum.ts';
import { Windows } from './windows.ts';

/** Compact, for there may be thousands, most of them idle. */
export interface TaskActivity {
  /** Or a source's. */
  readonly isSink: boolean;
  /** Since the process began. */
  readonly total: RunSum;
  readonly lately: Windows<RunSum>;
  /** Epoch ms; 0: never. */
  lastErrorAtMs: number;
}

export interface ConnectorActivity {
  readonly connector: string;
  /** `null` for discoveries. */
  readonly tasks: ReadonlyMap<number | null, TaskActivity>;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly refusals: ReadonlyMap<string, number>;
}

export class Activity {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #byUid = new Map<string, Connector>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** To be called once per run record. `task`: `null` for a discovery, which is nobody's. */
  note(uid: string, task: number | null, run: RunRecord): void {
    let connector = this.#byUid.get(uid);
    if (connector === undefined) {
      connector = { connector: run.connector, tasks: new Map(), outcomes: new Map(), refusals: new Map() };
      this.#byUid.set(uid, connector);
    }
    raise(connector.outcomes, run.outcome ?? 'empty');
    if (run.refusal !== undefined) raise(connector.refusals, run.refusal);
    this.#noteTask(connector, task, run);
  }

  all(): Iterable<ConnectorActivity> {
    return this.#byUid.values();
  }

  of(uid: string, task: number): TaskActivity | undefined {
    return this.#byUid.get(uid)?.tasks.get(task);
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }

  #noteTask({ tasks }: Connector, task: number | null, run: RunRecord): void {
    const nowMs = this.#clock.monotonicMs();
    const isSink = queueOfShard(run.shard) !== undefined;
    let activity = tasks.get(task);
    // A connector that was given a plugin of the other kind begins anew.
    if (activity?.isSink !== isSink) {
      activity = { isSink, total: new RunSum(), lately: new Windows(nowMs, newSum), lastErrorAtMs: 0 };
      tasks.set(task, activity);
    }
    const { refused } = activity.total;
    activity.total.add(run);
    activity.lately.current(nowMs).add(run);
    if (run.outcome === 'failed' || activity.total.refused > refused) activity.lastErrorAtMs = run.endedAtMs;
  }
}

interface Connector extends ConnectorActivity {
  readonly tasks: Map<number | null, TaskActivity>;
  readonly outcomes: Map<string, number>;
  readonly refusals: Map<string, number>;
}

function newSum(): RunSum {
  return new RunSum();
}

function raise(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
