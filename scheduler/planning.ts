/** One plan: what each shard that changed deserves, and offers for those who get something. Synchronous, without I/O. */
import { allot, type LimitReason, limitOf } from '../core/planner/allot.ts';
import { type Demand, type DemandReason, demandOf } from '../core/planner/demand.ts';
import { newRamp, nextStartInMs, type Ramp, ramped, rampMax } from '../core/planner/ramp.ts';
import type { PlannerLimits } from '../core/planner/view.ts';
import type { Clock } from '../core/ports.ts';
import type { ShardId } from '../core/shard-id.ts';
import type { Backlog } from './backlog.ts';
import { type ConnectorCatalog, isRead } from './connector-catalog.ts';
import type { Dispatch } from './dispatch.ts';
import type { SchedulerSettings } from './settings.ts';
import type { ShardState } from './shard-state.ts';
import type { ShardTable } from './shard-table.ts';
import type { StoreRoundTrip } from './store-round-trip.ts';

/** What the scheduler thinks of a shard; `reason` is `null` where there is nothing it could think of. */
export interface ShardReason {
  readonly shard: ShardId;
  readonly reason: DemandReason | null;
  /** The limit that keeps it from getting all it deserves. */
  readonly withheld: LimitReason | null;
  readonly problem: string | null;
  /** Offers under way for it. */
  readonly offers: number;
}

export interface PlanningParts {
  readonly clock: Clock;
  readonly settings: SchedulerSettings;
  readonly table: ShardTable;
  readonly catalog: ConnectorCatalog;
  readonly backlog: Backlog;
  readonly dispatch: Dispatch;
  readonly roundTrip: StoreRoundTrip;
}

/** As long as the longest pause before an automatic restart. */
const PEERS_COMMIT_WITHIN_MS = 30 * 60_000;

/** Starts that the ramp allows within so long go out together: each is not worth a plan. */
const START_TOGETHER_MS = 20;

/** A clock that is put back by less makes a pause only so much longer. */
const CLOCK_STEP_MS = 1_000;

export class Planning {
  readonly #parts: PlanningParts;
  #ramp: Ramp;
  /** How far the wall clock was ahead of the monotonic one at the last plan. */
  #aheadMs: number;

  constructor(parts: PlanningParts) {
    this.#parts = parts;
    this.#ramp = newRamp(parts.settings.ramp, parts.clock.monotonicMs());
    this.#aheadMs = aheadMs(parts.clock);
  }

  plan(): void {
    const { clock, settings, table, catalog, dispatch } = this.#parts;
    this.#followClock();
    const nowMs = clock.nowMs();
    for (const state of table.takeDue(nowMs)) table.note(state, this.#demandOf(state, nowMs), nowMs);
    const running = { ...table.running, tails: dispatch.tails };
    this.#ramp = ramped(this.#ramp, { running: running.total, terms: settings.ramp, nowMs: clock.monotonicMs() });
    if (!table.isAnyWanting) return;
    for (const allotment of allot(table.wanting(), catalog.planned, running, this.#limits(), nowMs)) {
      const state = table.get(allotment.shard);
      const connector = catalog.get(allotment.uid);
      if (state === undefined || connector === undefined) continue;
      dispatch.send(allotment, { connector, state, peersCommit: this.#peersCommit(state, nowMs) });
      // It was sent for: what it wants beyond that, it waits for from now on.
      state.waitingSinceMs = null;
      state.isTriggered = false;
      table.note(state, this.#demandOf(state, nowMs), nowMs);
    }
  }

  /** How long until the ramp lets another one start; infinite where it keeps nobody waiting. */
  nextStartInMs(): number {
    const { table, settings } = this.#parts;
    const max = rampMax(this.#ramp);
    const keepsWaiting = table.isAnyWanting && max < settings.invocationsMax && table.running.total >= max;
    return keepsWaiting ? Math.max(START_TOGETHER_MS, nextStartInMs(this.#ramp, settings.ramp)) : Number.POSITIVE_INFINITY;
  }

  /** Why each shard of a connector gets what it gets. */
  why(uid: string): readonly ShardReason[] {
    const { table, catalog } = this.#parts;
    const limit = this.#limitOf(uid);
    return Array.from(table.ofConnector(uid), ({ shard, demand, problem, offers }) => ({
      shard,
      reason: demand?.reason ?? null,
      withheld: demand !== null && demand.slots > 0 ? limit : null,
      problem: problem?.message ?? catalog.get(uid)?.problem ?? null,
      offers: offers.size,
    }));
  }

  /** Moments are remembered by the wall clock, as cursors have them. Put back, it would make a pause last until it has caught up. */
  #followClock(): void {
    const { clock, table } = this.#parts;
    const before = this.#aheadMs;
    this.#aheadMs = aheadMs(clock);
    const byMs = before - this.#aheadMs;
    if (byMs >= CLOCK_STEP_MS) table.clockPutBack(byMs);
  }

  #limits(): PlannerLimits {
    const { settings, dispatch } = this.#parts;
    return { invocationsMax: settings.invocationsMax, rampMax: rampMax(this.#ramp), freeSlots: dispatch.freeSlots() };
  }

  #limitOf(uid: string): LimitReason | null {
    const { catalog, table } = this.#parts;
    const connector = catalog.planned.get(uid);
    const { total, byConnector } = table.running;
    return connector === undefined ? null : limitOf(connector, { runs: byConnector.get(uid) ?? 0, total }, this.#limits());
  }

  #demandOf(state: ShardState, nowMs: number): Demand | null {
    const { catalog, backlog, settings, roundTrip } = this.#parts;
    const known = catalog.get(state.uid);
    if (known === undefined || !catalog.isListed(state.uid) || state.problem !== null || !isRead(known, state)) {
      backlog.unfollow(state);
      return null;
    }
    const terms = { sliceTargetMs: settings.sliceTargetMs, storeRoundTripMs: roundTrip.ms };
    const demand = demandOf(known.planned, state, terms, nowMs);
    backlog.follow(state, demand, known.planned);
    return demand;
  }

  /** Whether another shard of the connector moves: then a record is deadly, and not the environment. */
  #peersCommit(state: ShardState, nowMs: number): boolean {
    if (!state.isDeadly) return false;
    for (const peer of this.#parts.table.ofConnector(state.uid)) {
      if (peer !== state && peer.movedAtMs !== null && nowMs - peer.movedAtMs < PEERS_COMMIT_WITHIN_MS) return true;
    }
    return false;
  }
}

function aheadMs(clock: Clock): number {
  return clock.nowMs() - clock.monotonicMs();
}
