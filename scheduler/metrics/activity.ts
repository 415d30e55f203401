/** What runs tell that is shown as a value of now: how fast records flow, and when the last error was. By connector and task. */
import type { RunRecord } from '../../core/offer.ts';
import type { Clock } from '../../core/ports.ts';
import { RateMeter } from './rate-meter.ts';
import { refusedOf } from './run-metrics.ts';

export interface TaskActivity {
  readonly readsPerSecond: number;
  readonly deliveriesPerSecond: number;
  /** Epoch ms; 0: never. */
  readonly lastErrorAtMs: number;
}

interface Meters {
  readonly reads: RateMeter;
  readonly deliveries: RateMeter;
  lastErrorAtMs: number;
}

const NONE: TaskActivity = { readsPerSecond: 0, deliveriesPerSecond: 0, lastErrorAtMs: 0 };

export class Activity {
  readonly #clock: Clock;
  readonly #byUid = new Map<string, Map<number | null, Meters>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `task`: `null` for a discovery. Answers whether it was the first one. */
  note(uid: string, task: number | null, run: RunRecord): boolean {
    const nowMs = this.#clock.monotonicMs();
    const isFirst = this.#byUid.get(uid)?.has(task) !== true;
    const meters = this.#metersOf(uid, task, nowMs);
    meters.reads.add(run.counts.read, nowMs);
    meters.deliveries.add(run.counts.delivered, nowMs);
    if (run.outcome === 'failed' || refusedOf(run) > 0) meters.lastErrorAtMs = run.endedAtMs;
    return isFirst;
  }

  of(uid: string, task: number): TaskActivity {
    const meters = this.#byUid.get(uid)?.get(task);
    if (meters === undefined) return NONE;
    const nowMs = this.#clock.monotonicMs();
    return {
      readsPerSecond: meters.reads.perSecond(nowMs),
      deliveriesPerSecond: meters.deliveries.perSecond(nowMs),
      lastErrorAtMs: meters.lastErrorAtMs,
    };
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }

  #metersOf(uid: string, task: number | null, nowMs: number): Meters {
    let tasks = this.#byUid.get(uid);
    if (tasks === undefined) {
      tasks = new Map();
      this.#byUid.set(uid, tasks);
    }
    let meters = tasks.get(task);
    if (meters === undefined) {
      meters = { reads: new RateMeter(nowMs), deliveries: new RateMeter(nowMs), lastErrorAtMs: 0 };
      tasks.set(task, meters);
    }
    return meters;
  }
}
