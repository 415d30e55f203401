/**
 * The scheduler as a daemon: gives each shard the invocations it deserves. It reserves nothing and holds no truth; it may run
 * twice, be killed, or be absent, and nothing is lost but time.
 *
 * Two loops share what is remembered (`ShardTable`, `ConnectorCatalog`):
 * - `#learn`, about once a second: leads (`leader-lock`), reads what was changed (`change-notes`, `connector-catalog`), looks
 *   for the holders of overdue offers, looks at topics (`backlog`), finishes what operators left half done (`heal`);
 * - `#planLoop`, whenever something was learnt, synchronous: `planning` asks `core/planner` what each shard that changed deserves
 *   and who gets it, and `dispatch` sends the offers. Their outcomes come back here.
 */
import { ConnectError, messageOf } from '../core/errors.ts';
import type { InvocationEnd, InvocationResult } from '../core/offer.ts';
import type { Clock, Invoker, LogBroker, Random, StateStore, Telemetry } from '../core/ports.ts';
import { isDiscoveryShard } from '../core/shard-id.ts';
import type { Registry } from '../plugins/api/registry.ts';
import { Backlog } from './backlog.ts';
import { ChangeNotes } from './change-notes.ts';
import { ConnectorCatalog } from './connector-catalog.ts';
import { sweepDeleted } from './deleted-connectors.ts';
import { Dispatch, type Flight, wasEmpty } from './dispatch.ts';
import { heal } from './heal.ts';
import { LeaderLock } from './leader-lock.ts';
import { Planning, type ShardReason } from './planning.ts';
import { PressureNotes } from './pressure-notes.ts';
import type { RunHistory } from './run-history.ts';
import type { SchedulerSettings } from './settings.ts';
import type { ShardState } from './shard-state.ts';
import { ShardTable } from './shard-table.ts';
import { StoreRoundTrip } from './store-round-trip.ts';
import { Wake } from './wake.ts';

export interface SchedulerDeps {
  readonly store: StateStore;
  readonly broker: LogBroker;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly registry: Registry;
  readonly invoker: Invoker;
  readonly history: RunHistory;
  readonly settings: SchedulerSettings;
}

const LEARN_EVERY_MS = 1_000;

/** What is not urgent is learnt together with whatever comes until then. */
const LEARN_SOON_MS = 250;

/** What deletions leave behind harms nobody. */
const SWEEP_DELETED_EVERY_MS = 60_000;

/** A plan takes at most this share of the time: with thousands of shards waiting for slots, each slot is not worth a plan. */
const PLAN_SHARE = 1 / 5;
/** A plan that was kept from the processor took no time of its own. */
const PLAN_PAUSE_MAX_MS = 100;

/** A shard whose invocations find nothing or die is left alone for so long, doubled each time, unless something changes. */
const EMPTY_FIRST_MS = 250;
const EMPTY_MAX_MS = 15_000;

export class Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #table = new ShardTable((state) => this.#backlog.unfollow(state));
  readonly #catalog: ConnectorCatalog;
  readonly #backlog: Backlog;
  readonly #dispatch: Dispatch;
  readonly #planning: Planning;
  readonly #lock: LeaderLock;
  readonly #notes: ChangeNotes;
  readonly #pressure: PressureNotes;
  readonly #planWake: Wake;
  readonly #learnWake: Wake;
  readonly #changed = new Set<string>();
  /** Invocations that were seen to die: what they hold stands in the cursor. */
  readonly #died: { readonly state: ShardState; readonly owner: string; readonly isGone: boolean }[] = [];
  #leads = false;
  #isLoaded = false;
  #learntAtMs = 0;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
    const { clock, settings } = deps;
    const table = this.#table;
    const roundTrip = new StoreRoundTrip(deps);
    const measured = { ...deps, ...settings, store: roundTrip.store };
    this.#planWake = new Wake(clock);
    this.#learnWake = new Wake(clock);
    this.#lock = new LeaderLock(measured);
    this.#notes = new ChangeNotes(measured);
    this.#pressure = new PressureNotes(measured);
    const catalog = new ConnectorCatalog(measured, table);
    const backlog = new Backlog(
      {
        ...measured,
        wanted: (when) => (when === 'now' ? this.#learnWake.wake() : this.#learnWake.wakeWithin(LEARN_SOON_MS)),
        changed: () => this.#planWake.wake(),
      },
      { table, catalog },
    );
    const dispatch = new Dispatch({ ...measured, ended: (flight, end) => this.#ended(flight, end) });
    this.#catalog = catalog;
    this.#backlog = backlog;
    this.#dispatch = dispatch;
    this.#planning = new Planning({ clock, settings, table, catalog, backlog, dispatch, roundTrip });
  }

  start(): void {
    this.#loops = Promise.all([this.#learnLoop(), this.#planLoop()]);
  }

  /** One look at what has changed, and one plan: for whoever calls in turn, and lets no loops run. */
  async tick(): Promise<void> {
    await this.#learn();
    if (this.#leads) this.#planning.plan();
  }

  /** Resolves when nothing more is sent; invocations under way go on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#backlog.close();
    this.#learnWake.wake();
    this.#planWake.wake();
    await this.#loops;
    await this.#lock.release();
  }

  /** Another part of this process changed the connector, or wants its work looked at now. */
  connectorChanged(name: string): void {
    this.#changed.add(name);
    this.#learnWake.wake();
  }

  /** Work that would wait for its time, a poll or a pause, is to start now. */
  trigger(uid: string): void {
    for (const state of this.#table.ofConnector(uid)) {
      state.isTriggered = true;
      state.notBeforeMs = 0;
      this.#table.touch(state);
    }
    this.#planWake.wake();
  }

  /** Why each shard of a connector gets what it gets. */
  why(uid: string): readonly ShardReason[] {
    return this.#planning.why(uid);
  }

  /** Whether this scheduler does the work, or waits for the one that does to go. */
  get leads(): boolean {
    // One that stood still for longer than it may lead goes on in the middle of whatever it did.
    return this.#leads && this.#lock.isHeld;
  }

  /** Invocations that run or are on their way, as far as it knows. */
  get running(): number {
    return this.#table.running.total;
  }

  // ------------------------------------------------------------------------------------------------------------ learning

  async #learnLoop(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#learn();
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        this.#deps.telemetry.log('warn', `the scheduler could not look at everything: ${messageOf(error)}`, { code: error.code });
      }
      await this.#learnWake.wait(LEARN_EVERY_MS);
    }
  }

  async #learn(): Promise<void> {
    const { clock, settings } = this.#deps;
    this.#leads = await this.#lock.hold();
    this.#isLoaded &&= this.#leads;
    if (!this.#leads) return;
    const now = clock.monotonicMs();
    // Somebody else did the work until now, or nobody.
    if (!this.#isLoaded) await this.#catalog.load();
    else await this.#learnChanges(Math.min(now - this.#learntAtMs, settings.sweepMs));
    this.#isLoaded = true;
    this.#learntAtMs = now;
    await this.#backlog.look();
    for (const name of await heal(this.#deps, this.#catalog, this.#table)) this.#changed.add(name);
    await this.#pressure.store(this.#catalog);
    await this.#deps.history.flush();
    if (now - this.#sweptAtMs >= SWEEP_DELETED_EVERY_MS) {
      await sweepDeleted(this.#deps);
      this.#sweptAtMs = now;
    }
    this.#planWake.wake();
  }

  async #learnChanges(elapsedMs: number): Promise<void> {
    for (const name of await this.#notes.read()) this.#changed.add(name);
    for (const name of [...this.#changed]) await this.#learnChange(name);
    await this.#lookForHolders();
    await this.#catalog.sweep(elapsedMs);
  }

  /** One that is changed again while it is read is read again. */
  async #learnChange(name: string): Promise<void> {
    this.#changed.delete(name);
    try {
      await this.#catalog.read(name);
    } catch (error) {
      this.#changed.add(name);
      throw error;
    }
  }

  /** Offers that were not heard of, and shards whose invocation died: their cursors say what became of them. */
  async #lookForHolders(): Promise<void> {
    const { clock } = this.#deps;
    for (const flight of this.#dispatch.overdue()) {
      await this.#catalog.readCursor(flight.state);
      const graceMs = this.#catalog.get(flight.offer.uid)?.planned.graceMs ?? 0;
      if (flight.state.isHeldBy(flight.offer.id, clock.nowMs() - graceMs)) this.#dispatch.isAlive(flight);
      else this.#dispatch.drop(flight);
      this.#table.touch(flight.state);
    }
    for (let died = this.#died[0]; died !== undefined; died = this.#died[0]) {
      await this.#catalog.readCursor(died.state);
      died.state.noteEnd(died.owner, died);
      this.#table.touch(died.state);
      this.#died.shift();
    }
  }

  // ------------------------------------------------------------------------------------------------------------ planning

  async #planLoop(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#stopped) {
      const startedAtMs = clock.monotonicMs();
      if (this.leads) this.#planning.plan();
      const tookMs = clock.monotonicMs() - startedAtMs;
      if (tookMs > 1) await clock.sleep(Math.min(tookMs / PLAN_SHARE - tookMs, PLAN_PAUSE_MAX_MS));
      await this.#planWake.wait(this.#sleepMs());
    }
  }

  #sleepMs(): number {
    const { clock } = this.#deps;
    // What was remembered while it led is overdue for ever: nobody plans it.
    if (!this.#leads) return LEARN_EVERY_MS;
    const dueInMs = (this.#table.nextAtMs ?? Number.POSITIVE_INFINITY) - clock.nowMs();
    const retryInMs = (this.#dispatch.refusedUntilMs ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
    return Math.max(1, Math.min(dueInMs, retryInMs, this.#planning.nextStartInMs(), LEARN_EVERY_MS));
  }

  // -------------------------------------------------------------------------------------------------------------- endings

  #ended(flight: Flight, end: InvocationEnd): void {
    const { state } = flight;
    if (end.kind === 'completed') this.#completed(flight, end.result);
    else if (end.kind === 'died') {
      if (end.owner !== null) this.#died.push({ state, owner: end.owner, isGone: end.isGone });
      this.#pause(state, null);
      this.#learnWake.wake();
    }
    this.#table.touch(state);
    this.#planWake.wake();
  }

  #completed({ offer, state, sentAtMs }: Flight, result: InvocationResult): void {
    const nowMs = this.#deps.clock.nowMs();
    const { run, cursor, notBeforeMs } = result;
    if (cursor !== null) this.#table.observe(state, cursor, nowMs);
    else this.#changed.add(offer.connector);
    state.noteEnd(run.owner, { isGone: false });
    this.#deps.history.add(offer, run);
    const running = this.#table.running.byConnector.get(offer.uid) ?? 0;
    if (this.#pressure.note(offer.uid, run, { running, sentAtMs })) this.#learnWake.wakeWithin(LEARN_SOON_MS);
    if (isDiscoveryShard(state.shard) && run.outcome === 'drained') this.connectorChanged(offer.connector);
    if (run.refusal === 'nothing-to-claim') this.#foundNothing(state, notBeforeMs);
    else if (wasEmpty(result)) this.#pause(state, notBeforeMs);
    else {
      state.empties = 0;
      state.notBeforeMs = notBeforeMs ?? 0;
    }
  }

  /** Once, somebody else may have been there first. Again and again, what the log tells is not there. */
  #foundNothing(state: ShardState, notBeforeMs: number | null): void {
    if (state.empties > 0) this.#rest(state, notBeforeMs);
    else state.empties = 1;
    state.noteDrained();
  }

  /** Nothing was claimed: what made the offer look right was old, or is wrong. */
  #pause(state: ShardState, notBeforeMs: number | null): void {
    this.#rest(state, notBeforeMs);
    if (state.queue !== undefined && typeof state.bounds === 'object') state.bounds = 'unknown';
  }

  #rest(state: ShardState, notBeforeMs: number | null): void {
    const pauseMs = Math.min(EMPTY_FIRST_MS * 2 ** Math.min(state.empties, 10), EMPTY_MAX_MS);
    state.empties += 1;
    state.notBeforeMs = notBeforeMs ?? this.#deps.clock.nowMs() + pauseMs;
  }
}
