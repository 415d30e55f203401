/**
 * The scheduler as a daemon: gives each shard the invocations it deserves. It reserves nothing and holds no truth; it may run
 * twice, be killed, or be absent, and nothing is lost but time.
 *
 * Its loops share what is remembered (`ShardTable`, `ConnectorCatalog`). None waits for another one, so that a log, a store or a
 * single connector that takes its time keeps up only what it is needed for:
 * - `#lead`: keeps the lock (`leader-lock`); the others do nothing without it;
 * - `#learn`: reads what was changed (`learning`);
 * - `#seek`: looks for the `holders` of overdue offers;
 * - `#look`: looks at topics (`backlog`);
 * - `#tell`: tells the broker how far its consumers have come (`group-notes`);
 * - `#tidy`: finishes what operators left half done (`heal`), writes history, removes what deletions left behind;
 * - `#planLoop`, whenever something was learnt, synchronous: `planning` asks `core/planner` what each shard that changed deserves
 *   and who gets it, and `dispatch` sends the offers. Their outcomes come back here.
 *
 * A step of a loop that fails keeps none of its others from being taken, and what a step does for many it does for a bounded
 * time, or ends where the scheduler is stopped: what is left over comes first in the next round.
 */
import { ConnectError, messageOf } from '../core/errors.ts';
import type { Scrape } from '../core/metrics/table.ts';
import { newOfferPrefix } from '../core/owner.ts';
import type { Clock, Invoker, LogBroker, Metrics, Random, StateStore, Telemetry } from '../core/ports.ts';
import type { Registry } from '../plugins/api/registry.ts';
import { Backlog } from './backlog.ts';
import { ChangeNotes, noteTrigger } from './change-notes.ts';
import { ConnectorCatalog } from './connector-catalog.ts';
import { sweepDeleted } from './deleted-connectors.ts';
import { Dispatch } from './dispatch.ts';
import { Endings } from './endings.ts';
import { Events } from './events.ts';
import { GroupNotes } from './group-notes.ts';
import { Healing } from './heal.ts';
import { Holders } from './holders.ts';
import { inTurn } from './in-turn.ts';
import { LeaderLock, type ProcessMarks } from './leader-lock.ts';
import { Learning } from './learning.ts';
import { meteredStore } from './metrics/metered-store.ts';
import { SchedulerMetrics } from './metrics/scheduler-metrics.ts';
import { Planning, type ShardReason } from './planning.ts';
import { PressureNotes } from './pressure-notes.ts';
import type { RunHistory } from './run-history.ts';
import type { SchedulerSettings } from './settings.ts';
import { ShardTable } from './shard-table.ts';
import { StoreRoundTrip } from './store-round-trip.ts';
import { TopicNotes } from './topic-notes.ts';
import { Wake } from './wake.ts';

export interface SchedulerDeps {
  readonly store: StateStore;
  readonly broker: LogBroker;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly metrics: Metrics;
  readonly registry: Registry;
  readonly invoker: Invoker;
  readonly history: RunHistory;
  readonly settings: SchedulerSettings;
  /** Where schedulers of one machine share the store. */
  readonly processes?: ProcessMarks;
}

/** Each loop goes round so often, unless it is woken. */
const ROUND_EVERY_MS = 1_000;

/** What is not urgent is learnt together with whatever comes until then. */
const SOON_MS = 250;

/** It goes through all that is paused or stopped, shard by shard: 8 ms of 10,000 connectors with eight each. */
const HEAL_EVERY_MS = 5_000;

/** What deletions leave behind harms nobody. */
const SWEEP_DELETED_EVERY_MS = 60_000;

/** A plan takes at most this share of the time: with thousands of shards waiting for slots, each slot is not worth a plan. */
const PLAN_SHARE = 1 / 5;
/** A plan that was kept from the processor took no time of its own. */
const PLAN_PAUSE_MAX_MS = 100;

export class Scheduler {
  /** What it does, as it does it. */
  readonly events: Events;
  readonly #deps: SchedulerDeps;
  readonly #table = new ShardTable((state) => this.#backlog.unfollow(state));
  readonly #catalog: ConnectorCatalog;
  readonly #backlog: Backlog;
  readonly #dispatch: Dispatch;
  readonly #planning: Planning;
  readonly #lock: LeaderLock;
  readonly #learning: Learning;
  readonly #healing: Healing;
  readonly #holders: Holders;
  readonly #groups: GroupNotes;
  readonly #endings: Endings;
  readonly #metrics: SchedulerMetrics;
  readonly #leadWake: Wake;
  readonly #learnWake: Wake;
  readonly #seekWake: Wake;
  readonly #lookWake: Wake;
  readonly #tellWake: Wake;
  readonly #tidyWake: Wake;
  readonly #planWake: Wake;
  #healedAtMs = Number.NEGATIVE_INFINITY;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  readonly #stopping = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(unmetered: SchedulerDeps) {
    const deps = { ...unmetered, store: meteredStore(unmetered.store, unmetered) };
    this.#deps = deps;
    const { clock, settings } = deps;
    const table = this.#table;
    const events = new Events(clock);
    this.events = events;
    const roundTrip = new StoreRoundTrip(deps);
    const measured = { ...deps, ...settings, store: roundTrip.store, offers: newOfferPrefix(deps.random) };
    this.#leadWake = new Wake(clock);
    this.#learnWake = new Wake(clock);
    this.#seekWake = new Wake(clock);
    this.#lookWake = new Wake(clock);
    this.#tellWake = new Wake(clock);
    this.#tidyWake = new Wake(clock);
    this.#planWake = new Wake(clock);
    this.#lock = new LeaderLock(measured);
    const catalog = new ConnectorCatalog(
      {
        ...measured,
        configured: (known) => this.#metrics.configured(known),
        forgotten: (known) => this.#metrics.forget(known),
      },
      table,
    );
    this.#metrics = new SchedulerMetrics({ ...deps, table, catalog });
    const backlog = new Backlog(
      {
        ...measured,
        wanted: (when) => wakeFor(this.#lookWake, when),
        changed: () => this.#planWake.wake(),
      },
      { table, catalog },
    );
    const dispatch = new Dispatch({
      ...measured,
      invoker: events.watched(this.#metrics.metered(deps.invoker)),
      ended: (flight, end) => {
        this.#endings.note(flight, end);
        this.#planWake.wake();
      },
    });
    const pressure = new PressureNotes(measured);
    const topics = new TopicNotes({ store: roundTrip.store, clock, catalog });
    this.#learning = new Learning({
      ...{ clock, notes: new ChangeNotes(measured), catalog, pressure, topics, events },
      triggered: (uid) => this.#startNow(uid),
      learnt: () => {
        for (const wake of [this.#lookWake, this.#planWake]) wake.wake();
      },
    });
    this.#catalog = catalog;
    this.#backlog = backlog;
    this.#dispatch = dispatch;
    this.#healing = new Healing(deps, { catalog, table });
    this.#holders = new Holders({ clock, table, catalog, dispatch });
    this.#groups = new GroupNotes({ broker: deps.broker, clock, table, catalog });
    this.#endings = new Endings({
      ...{ clock, table, history: deps.history, holders: this.#holders, pressure, topics },
      changed: (name) => this.#learning.changed(name),
      wanted: (when) => {
        for (const wake of [this.#learnWake, this.#seekWake]) wakeFor(wake, when);
      },
    });
    this.#planning = new Planning({ clock, settings, table, catalog, backlog, dispatch, roundTrip });
  }

  /**
   * What a loop throws that is not a `ConnectError` is a fault of the program. Nobody awaits the loops until `stop`, so it is an
   * unhandled rejection and ends the process: whoever starts it again gets a whole scheduler, and not what is left of one.
   */
  start(): void {
    this.#loops = Promise.all([
      this.#loop(this.#leadWake, () => this.#lead()),
      this.#loop(this.#learnWake, () => this.#learn()),
      this.#loop(this.#seekWake, () => this.#seek()),
      this.#loop(this.#lookWake, () => this.#look()),
      this.#loop(this.#tellWake, () => this.#tell()),
      this.#loop(this.#tidyWake, () => this.#tidy()),
      this.#planLoop(),
    ]);
  }

  /** One look at everything there is, and one plan: for whoever calls in turn, and lets no loops run. */
  async tick(): Promise<void> {
    await this.#lead();
    do await this.#learn();
    while (this.leads && this.#catalog.isAnyUnlisted);
    await this.#seek();
    await this.#look();
    await this.#tell();
    await this.#tidy();
    if (this.#hasLearnt) this.#planning.plan();
  }

  /** Resolves when nothing more is sent; invocations under way go on. What history holds by then is for its `flushAll`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.events.close();
    this.#backlog.close();
    const wakes = [
      this.#leadWake,
      this.#learnWake,
      this.#seekWake,
      this.#lookWake,
      this.#tellWake,
      this.#tidyWake,
      this.#planWake,
    ];
    for (const wake of wakes) wake.wake();
    await this.#loops;
    await this.#lock.release();
  }

  /** Another part of this process changed the connector, or wants its work looked at now. */
  connectorChanged(name: string): void {
    this.#learning.changed(name);
    this.#learnWake.wake();
  }

  /** Work that would wait for its time, a poll or a pause, is to start now, whichever scheduler leads. */
  async trigger(uid: string): Promise<void> {
    if (this.leads) this.#startNow(uid);
    else await noteTrigger(this.#deps, uid);
  }

  /** Why each shard of a connector gets what it gets. */
  why(uid: string): readonly ShardReason[] {
    return this.#planning.why(uid);
  }

  /** Aborts when it is to stop: then nobody waits for its work any more. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Whether this scheduler does the work, or waits for the one that does to go. */
  get leads(): boolean {
    // One that stood still for longer than it may lead goes on in the middle of whatever it did.
    return this.#lock.isHeld;
  }

  /** Whether it leads, and has begun to learn what happened while it did not. */
  get #hasLearnt(): boolean {
    return this.leads && this.#learning.term === this.#lock.term;
  }

  /** Invocations that run or are on their way, as far as it knows. */
  get running(): number {
    return this.#table.running.total;
  }

  /** What it sees now, for whoever looks. One that does not lead remembers what another one may have changed since. */
  scrape(): Scrape {
    return this.#metrics.scrape({ leads: this.leads, freeSlots: this.#dispatch.freeSlots() });
  }

  // ------------------------------------------------------------------------------------------------------------ learning

  async #loop(wake: Wake, round: () => Promise<void>): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await round();
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        this.#deps.telemetry.log('warn', `the scheduler could not look at everything: ${messageOf(error)}`, { code: error.code });
      }
      await wake.wait(ROUND_EVERY_MS);
    }
  }

  async #lead(): Promise<void> {
    const { term } = this.#lock;
    await this.#lock.hold();
    if (this.#table.noteEndedOffers(this.#lock.endedOffers())) this.#planWake.wake();
    if (this.#lock.term !== term) this.#learnWake.wake();
  }

  async #learn(): Promise<void> {
    if (this.leads && (await this.#learning.round(this.#lock.term, this.#stopping.signal))) this.#learnWake.wake();
  }

  async #seek(): Promise<void> {
    if (!this.leads) return;
    await this.#holders.look(this.#stopping.signal);
    this.#planWake.wake();
  }

  async #look(): Promise<void> {
    if (this.leads) await this.#backlog.look();
  }

  async #tell(): Promise<void> {
    if (this.leads) await this.#groups.tell(this.#stopping.signal);
  }

  async #tidy(): Promise<void> {
    const { signal } = this.#stopping;
    // Also when another one leads by now: what was sent before comes back here all the same.
    const history = (): Promise<void> => this.#deps.history.flush(signal);
    await inTurn(this.leads ? [history, () => this.#heal(signal), () => this.#sweepDeleted(signal)] : [history], signal);
  }

  async #heal(signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.monotonicMs();
    if (now - this.#healedAtMs < HEAL_EVERY_MS) return;
    this.#healedAtMs = now;
    for (const name of await this.#healing.heal(signal)) this.connectorChanged(name);
  }

  async #sweepDeleted(signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.monotonicMs();
    if (now - this.#sweptAtMs < SWEEP_DELETED_EVERY_MS) return;
    await sweepDeleted(this.#deps, signal);
    this.#sweptAtMs = now;
  }

  #startNow(uid: string): void {
    for (const state of this.#table.ofConnector(uid)) {
      state.isTriggered = true;
      state.notBeforeMs = 0;
      this.#table.touch(state);
    }
    this.#planWake.wake();
  }

  // ------------------------------------------------------------------------------------------------------------ planning

  async #planLoop(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      const startedAtMs = clock.monotonicMs();
      if (this.#hasLearnt) this.#planning.plan();
      const tookMs = clock.monotonicMs() - startedAtMs;
      if (tookMs > 1) await clock.sleep(Math.min(tookMs / PLAN_SHARE - tookMs, PLAN_PAUSE_MAX_MS));
      await this.#planWake.wait(this.#sleepMs());
    }
  }

  #sleepMs(): number {
    const { clock } = this.#deps;
    // What was remembered while it led is overdue for ever: nobody plans it.
    if (!this.#hasLearnt) return ROUND_EVERY_MS;
    const dueInMs = (this.#table.nextAtMs ?? Number.POSITIVE_INFINITY) - clock.nowMs();
    const retryInMs = (this.#dispatch.refusedUntilMs ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
    return Math.max(1, Math.min(dueInMs, retryInMs, this.#planning.nextStartInMs(), ROUND_EVERY_MS));
  }
}

function wakeFor(wake: Wake, when: 'now' | 'soon'): void {
  if (when === 'now') wake.wake();
  else wake.wakeWithin(SOON_MS);
}
