/**
 * The scheduler as a daemon: gives each shard the invocations it deserves. It reserves nothing and holds no truth; it may run
 * twice, be killed, or be absent, and nothing is lost but time.
 *
 * Two loops share what is known (`ShardTable`, `ConnectorCatalog`):
 * - `#learn`, about once a second: leads (`leader-lock`), reads what was changed (`change-notes`, `connector-catalog`), looks
 *   at topics (`topic-looks`), looks for the holders of overdue offers, heals what operators left half done (`heal`);
 * - `#plan`, whenever something was learnt, synchronous: `core/planner` says what each shard that changed deserves and who gets
 *   it, and `dispatch` sends the offers. What has nothing to do is watched (`queue-watch`).
 */
import { ConnectError, messageOf } from '../core/errors.ts';
import type { InvocationEnd, InvocationResult } from '../core/offer.ts';
import { advance, type Offset } from '../core/offset.ts';
import { allot, type LimitReason } from '../core/planner/allot.ts';
import { type Demand, type DemandReason, demandOf } from '../core/planner/demand.ts';
import { newRamp, type Ramp, ramped, rampMax } from '../core/planner/ramp.ts';
import type { PlannedConnector } from '../core/planner/view.ts';
import type { Clock, Invoker, LogBroker, Random, StateStore, Telemetry } from '../core/ports.ts';
import { isDiscoveryShard, queueShardId, type ShardId } from '../core/shard-id.ts';
import type { Registry } from '../plugins/api/registry.ts';
import { ChangeNotes } from './change-notes.ts';
import { ConnectorCatalog, isRead } from './connector-catalog.ts';
import { sweepDeleted } from './deleted-connectors.ts';
import { Dispatch, type Flight, wasEmpty } from './dispatch.ts';
import { heal } from './heal.ts';
import { LeaderLock } from './leader-lock.ts';
import { PressureNotes } from './pressure-notes.ts';
import { QueueWatch } from './queue-watch.ts';
import type { RunHistory } from './run-history.ts';
import type { SchedulerSettings } from './settings.ts';
import type { ShardState } from './shard-state.ts';
import { ShardTable } from './shard-table.ts';
import { StoreRoundTrip } from './store-round-trip.ts';
import { type TopicLook, TopicLooks } from './topic-looks.ts';
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

const LEARN_EVERY_MS = 1_000;

/** What deletions leave behind harms nobody. */
const SWEEP_DELETED_EVERY_MS = 60_000;

/** A plan takes at most this share of the time: with thousands of shards waiting for slots, each slot is not worth a plan. */
const PLAN_SHARE = 1 / 5;

/** As long as the longest pause before an automatic restart. */
const PEERS_COMMIT_WITHIN_MS = 30 * 60_000;

/** A shard whose invocations find nothing or die is left alone for so long, doubled each time, unless something changes. */
const EMPTY_FIRST_MS = 250;
const EMPTY_MAX_MS = 15_000;

export class Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #table = new ShardTable(({ shard }) => this.#watch.end(shard));
  readonly #catalog: ConnectorCatalog;
  readonly #topics: TopicLooks;
  readonly #watch: QueueWatch;
  readonly #dispatch: Dispatch;
  readonly #lock: LeaderLock;
  readonly #notes: ChangeNotes;
  readonly #pressure: PressureNotes;
  readonly #roundTrip: StoreRoundTrip;
  readonly #planWake: Wake;
  readonly #learnWake: Wake;
  readonly #changed = new Set<string>();
  /** Invocations that were seen to die: what they hold stands in the cursor. */
  readonly #died: { readonly state: ShardState; readonly owner: string }[] = [];
  #withheld: ReadonlyMap<ShardId, LimitReason> = new Map();
  #ramp: Ramp;
  #leads = false;
  #isLoaded = false;
  #learntAtMs = 0;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
    const { broker, clock, settings } = deps;
    this.#roundTrip = new StoreRoundTrip(deps);
    const store = this.#roundTrip.store;
    this.#catalog = new ConnectorCatalog({ ...deps, ...settings, store }, this.#table);
    this.#topics = new TopicLooks(deps);
    this.#watch = new QueueWatch({
      broker,
      watchesMax: settings.watchesMax,
      grown: (shard, from) => this.#grown(shard, from),
    });
    this.#dispatch = new Dispatch({
      ...deps,
      offerTtlMs: settings.offerTtlMs,
      ended: (flight, end) => this.#ended(flight, end),
    });
    this.#lock = new LeaderLock({ ...deps, store });
    this.#notes = new ChangeNotes({ store });
    this.#pressure = new PressureNotes({ ...deps, store });
    this.#planWake = new Wake(clock);
    this.#learnWake = new Wake(clock);
    this.#ramp = newRamp(settings.ramp, clock.monotonicMs());
  }

  start(): void {
    this.#loops = Promise.all([this.#learnLoop(), this.#planLoop()]);
  }

  /** Resolves when nothing more is sent; invocations under way go on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watch.close();
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
    return Array.from(this.#table.ofConnector(uid), ({ shard, demand, problem, offers }) => ({
      shard,
      reason: demand?.reason ?? null,
      withheld: demand !== null && demand.slots > 0 ? (this.#withheld.get(shard) ?? 'no-free-slot') : null,
      problem: problem ?? this.#catalog.get(uid)?.problem ?? null,
      offers: offers.size,
    }));
  }

  /** Whether this scheduler does the work, or waits for the one that does to go. */
  get leads(): boolean {
    return this.#leads;
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
    this.#topics.follow(this.#catalog.topics());
    await this.#topics.look(settings.topicLooksPerSecond, (look) => this.#seen(look));
    for (const name of await heal(this.#deps, this.#catalog, this.#table)) this.#changed.add(name);
    for (const name of await this.#pressure.store(this.#catalog)) this.#changed.add(name);
    await this.#deps.history.flush();
    if (now - this.#sweptAtMs >= SWEEP_DELETED_EVERY_MS) {
      await sweepDeleted(this.#deps);
      this.#sweptAtMs = now;
    }
    this.#planWake.wake();
  }

  async #learnChanges(elapsedMs: number): Promise<void> {
    for (const name of await this.#notes.read()) this.#changed.add(name);
    for (const name of [...this.#changed]) {
      this.#changed.delete(name);
      await this.#catalog.read(name);
    }
    await this.#lookForHolders();
    await this.#catalog.sweep(elapsedMs);
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
    for (const { state, owner } of this.#died.splice(0)) {
      await this.#catalog.readCursor(state);
      state.noteEnd(owner);
      this.#table.touch(state);
    }
  }

  #seen({ topic, queues }: TopicLook): void {
    for (const { connector } of this.#catalog.readersOf(topic)) {
      const missing = new Set([...this.#table.ofConnector(connector.uid)].filter(({ queue }) => queue?.topic === topic));
      for (const [queue, bounds] of queues) {
        const state = this.#table.ensure(queueShardId(connector.uid, queue));
        missing.delete(state);
        this.#bounded(state, bounds ?? 'gone');
      }
      for (const state of missing) this.#bounded(state, 'gone');
    }
    this.#planWake.wake();
  }

  #bounded(state: ShardState, bounds: NonNullable<ShardState['bounds']>): void {
    state.bounds = bounds;
    this.#table.touch(state);
  }

  #grown(shard: ShardId, from: Offset | null): void {
    const state = this.#table.get(shard);
    if (state?.queue === undefined) return;
    // How much there is, is asked for next; that there is something is enough to send somebody.
    if (this.#topics.want(state.queue.topic)) this.#learnWake.wakeWithin(LEARN_EVERY_MS / 4);
    const known = typeof state.bounds === 'object' ? state.bounds : null;
    if (from !== null && known !== null) {
      if (known.max <= from) state.bounds = { min: known.min, max: advance(from, 1) };
      state.notBeforeMs = 0;
    }
    this.#table.touch(state);
    this.#planWake.wake();
  }

  // ------------------------------------------------------------------------------------------------------------ planning

  async #planLoop(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#stopped) {
      const startedAtMs = clock.monotonicMs();
      if (this.#leads) this.#plan();
      const tookMs = clock.monotonicMs() - startedAtMs;
      if (tookMs > 1) await clock.sleep(tookMs / PLAN_SHARE - tookMs);
      await this.#planWake.wait(this.#sleepMs());
    }
  }

  #sleepMs(): number {
    const { clock } = this.#deps;
    const dueInMs = (this.#table.nextAtMs ?? Number.POSITIVE_INFINITY) - clock.nowMs();
    const retryInMs = (this.#dispatch.refusedUntilMs ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
    return Math.max(1, Math.min(dueInMs, retryInMs, LEARN_EVERY_MS));
  }

  #plan(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const state of this.#table.takeDue(nowMs)) this.#table.note(state, this.#demandOf(state, nowMs), nowMs);
    const running = { ...this.#table.running, tails: this.#dispatch.tails };
    this.#ramp = ramped(this.#ramp, {
      running: running.total,
      terms: this.#deps.settings.ramp,
      nowMs: this.#deps.clock.monotonicMs(),
    });
    if (!this.#table.isAnyWanting) return;
    const freeSlots = this.#dispatch.freeSlots();
    if (freeSlots <= 0) return;
    const limits = { invocationsMax: this.#deps.settings.invocationsMax, rampMax: rampMax(this.#ramp), freeSlots };
    const { allotments, withheld } = allot(this.#table.wanting(), this.#catalog.planned, running, limits, nowMs);
    this.#withheld = withheld;
    for (const allotment of allotments) {
      const state = this.#table.get(allotment.shard);
      const connector = this.#catalog.get(allotment.uid);
      if (state === undefined || connector === undefined) continue;
      this.#dispatch.send(allotment, { connector, state, peersCommit: this.#peersCommit(state, nowMs) });
      // It was sent for: what it wants beyond that, it waits for from now on.
      state.waitingSinceMs = null;
      state.isTriggered = false;
      this.#table.note(state, this.#demandOf(state, nowMs), nowMs);
    }
  }

  /** Whether another shard of the connector moves: then a record is deadly, and not the environment. */
  #peersCommit(state: ShardState, nowMs: number): boolean {
    if (!state.isDeadly) return false;
    for (const peer of this.#table.ofConnector(state.uid)) {
      if (peer !== state && peer.movedAtMs !== null && nowMs - peer.movedAtMs < PEERS_COMMIT_WITHIN_MS) return true;
    }
    return false;
  }

  #demandOf(state: ShardState, nowMs: number): Demand | null {
    const known = this.#catalog.get(state.uid);
    if (known === undefined || state.problem !== null || !isRead(known, state.shard)) return null;
    const terms = { sliceTargetMs: this.#deps.settings.sliceTargetMs, storeRoundTripMs: this.#roundTrip.ms };
    const demand = demandOf(known.planned, state, terms, nowMs);
    this.#follow(state, demand, known.planned);
    return demand;
  }

  /** What there is to wait for at the log. */
  #follow(state: ShardState, { reason }: Demand, { slicesPerShardMax }: PlannedConnector): void {
    const { queue, cursor, bounds } = state;
    if (queue === undefined) return;
    if (reason === 'backlog-unknown') {
      if (this.#topics.want(queue.topic)) this.#learnWake.wake();
    } else if (reason === 'drained' && cursor?.kind === 'log' && typeof bounds === 'object') {
      // Beyond the budget of watches, the topic's bounds are asked for instead.
      if (!this.#watch.watch(state.shard, queue, cursor.next)) this.#topics.want(queue.topic);
    } else if (reason !== 'at-work') this.#watch.end(state.shard);
    else if (slicesPerShardMax > 1) this.#topics.heat(queue.topic);
  }

  // -------------------------------------------------------------------------------------------------------------- endings

  #ended(flight: Flight, end: InvocationEnd): void {
    const { state } = flight;
    if (end.kind === 'completed') this.#completed(flight, end.result);
    else if (end.kind === 'died') {
      if (end.owner !== null) this.#died.push({ state, owner: end.owner });
      this.#pause(state, null);
      this.#learnWake.wake();
    }
    this.#table.touch(state);
    this.#planWake.wake();
  }

  #completed({ offer, state }: Flight, result: InvocationResult): void {
    const nowMs = this.#deps.clock.nowMs();
    const { run, cursor, notBeforeMs } = result;
    if (cursor !== null) this.#table.observe(state, cursor, nowMs);
    else this.#changed.add(offer.connector);
    state.noteEnd(run.owner);
    this.#deps.history.add(offer, run);
    const running = this.#table.running.byConnector.get(offer.uid) ?? 0;
    if (this.#pressure.note(offer.uid, run, { running })) this.#learnWake.wakeWithin(LEARN_EVERY_MS / 4);
    if (isDiscoveryShard(state.shard) && run.outcome === 'drained') this.connectorChanged(offer.connector);
    if (run.refusal === 'nothing-to-claim') state.noteDrained();
    else if (wasEmpty(result)) this.#pause(state, notBeforeMs);
    else {
      state.empties = 0;
      state.notBeforeMs = notBeforeMs ?? 0;
    }
  }

  /** Nothing was claimed: what made the offer look right was old, or is wrong. */
  #pause(state: ShardState, notBeforeMs: number | null): void {
    const pauseMs = Math.min(EMPTY_FIRST_MS * 2 ** Math.min(state.empties, 10), EMPTY_MAX_MS);
    state.empties += 1;
    state.notBeforeMs = notBeforeMs ?? this.#deps.clock.nowMs() + pauseMs;
    if (state.queue !== undefined && typeof state.bounds === 'object') state.bounds = 'unknown';
  }
}
