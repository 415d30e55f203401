/**
 * All shards that a scheduler knows, by connector, with what it needs to plan at the cost of what changed: which of them to
 * look at again, which want an invocation, and how many invocations there are.
 */
import { Agenda } from '../core/planner/agenda.ts';
import type { Wanting } from '../core/planner/allot.ts';
import { type Demand, isSettled } from '../core/planner/demand.ts';
import type { Running } from '../core/planner/view.ts';
import type { StoredDocument } from '../core/ports.ts';
import { isDiscoveryShard, type ShardId } from '../core/shard-id.ts';
import { ShardState } from './shard-state.ts';

export class ShardTable {
  readonly #shards = new Map<ShardId, ShardState>();
  readonly #byConnector = new Map<string, Set<ShardState>>();
  readonly #dirty: ShardState[] = [];
  readonly #agenda = new Agenda<ShardState>();
  readonly #wanting = new Set<ShardState>();
  readonly #running = new Map<string, number>();
  readonly #unsettled = new Map<string, number>();
  /** Forgotten while offers of theirs were under way. */
  readonly #leaving = new Map<ShardId, ShardState>();
  readonly #forgotten: (state: ShardState) => void;
  #runningTotal = 0;
  #endedOffers: readonly string[] = [];
  /** Documents seen so far. */
  observations = 0;
  /** Shards whose cursors are others than the ones that the broker was told of. */
  readonly moved = new Set<ShardState>();

  /** `forgotten` hears of each shard that is no longer planned for. */
  constructor(forgotten: (state: ShardState) => void) {
    this.#forgotten = forgotten;
  }

  get(shard: ShardId): ShardState | undefined {
    return this.#shards.get(shard);
  }

  /** The shard's state, a new one where it was not known. */
  ensure(shard: ShardId): ShardState {
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    const state = this.#leaving.get(shard) ?? new ShardState(shard);
    this.#leaving.delete(shard);
    this.#shards.set(shard, state);
    const siblings = this.#byConnector.get(state.uid);
    if (siblings === undefined) this.#byConnector.set(state.uid, new Set([state]));
    else siblings.add(state);
    this.touch(state);
    return state;
  }

  ofConnector(uid: string): ReadonlySet<ShardState> {
    return this.#byConnector.get(uid) ?? NONE;
  }

  /** Takes note of a stored cursor. */
  observe(state: ShardState, document: StoredDocument, nowMs: number): void {
    this.observations += 1;
    state.observedAs = this.observations;
    const isNew = state.observe(document, nowMs);
    const isFreed = state.noteEndedOffers(this.#endedOffers);
    if (isNew && state.queue !== undefined) this.moved.add(state);
    if (isNew || isFreed) this.touch(state);
  }

  /**
   * Takes note of how the ids of offers begin whose invocations have ended with the process that sent them. `true`: that frees what
   * shards are known to hold.
   */
  noteEndedOffers(prefixes: readonly string[]): boolean {
    if (prefixes === this.#endedOffers) return false;
    this.#endedOffers = prefixes;
    const freed = [...this.#shards.values()].filter((state) => state.noteEndedOffers(prefixes));
    for (const state of freed) this.touch(state);
    return freed.length > 0;
  }

  /** It is planned for no longer. Its offers under way count until they end, also where it comes to be known again. */
  forget(state: ShardState): void {
    if (this.#shards.get(state.shard) !== state) return;
    this.#shards.delete(state.shard);
    this.#leaving.set(state.shard, state);
    state.forget();
    this.moved.delete(state);
    this.#settle(state, null);
    this.#leave(state);
    this.#forgotten(state);
    const siblings = this.#byConnector.get(state.uid);
    siblings?.delete(state);
    if (siblings?.size === 0) this.#byConnector.delete(state.uid);
  }

  /** Something about it changed. */
  touch(state: ShardState): void {
    if (state.isDirty) return;
    state.isDirty = true;
    this.#dirty.push(state);
  }

  touchConnector(uid: string): void {
    for (const state of this.ofConnector(uid)) this.touch(state);
  }

  clockPutBack(byMs: number): void {
    for (const state of this.#shards.values()) {
      state.clockPutBack(byMs);
      this.touch(state);
    }
  }

  /** When time alone makes a shard worth a look. */
  get nextAtMs(): number | null {
    return this.#agenda.nextAtMs;
  }

  /** Shards to look at: those that changed, and those whose time has come. */
  takeDue(nowMs: number): readonly ShardState[] {
    for (let state = this.#agenda.takeDue(nowMs); state !== undefined; state = this.#agenda.takeDue(nowMs)) {
      state.onAgendaAtMs = null;
      const againAtMs = state.demand?.againAtMs ?? null;
      if (againAtMs !== null && againAtMs <= nowMs && this.#shards.get(state.shard) === state) this.touch(state);
    }
    const due = this.#dirty.splice(0);
    for (const state of due) {
      state.isDirty = false;
      if (this.#leaving.get(state.shard) === state) this.#leave(state);
    }
    return due.filter((state) => this.#shards.get(state.shard) === state);
  }

  /** Takes note of what the shard deserves now. Offers under way count also where nothing is known of what it deserves. */
  note(state: ShardState, demand: Demand | null, nowMs: number): void {
    this.#settle(state, demand);
    state.noteBacklog(nowMs);
    if (demand === null || (demand.slots === 0 && demand.reason !== 'collecting')) state.waitingSinceMs = null;
    else state.waitingSinceMs ??= nowMs;
    const againAtMs = demand?.againAtMs ?? null;
    if (againAtMs === null || againAtMs === state.onAgendaAtMs) return;
    this.#agenda.add(state, againAtMs);
    state.onAgendaAtMs = againAtMs;
  }

  get isAnyWanting(): boolean {
    return this.#wanting.size > 0;
  }

  /** Of the moment: they change as soon as anything is noted. */
  wanting(): readonly Wanting[] {
    return [...this.#wanting] as Wanted[];
  }

  get running(): Omit<Running, 'tails'> {
    return { total: this.#runningTotal, byConnector: this.#running, shards: this.#unsettled };
  }

  #settle(state: ShardState, demand: Demand | null): void {
    this.#count(state, demand?.running ?? state.offers.size);
    this.#countUnsettled(state, demand !== null && !isSettled(demand));
    state.demand = demand;
    if (demand !== null && demand.slots > 0) this.#wanting.add(state);
    else this.#wanting.delete(state);
  }

  #leave(state: ShardState): void {
    this.#count(state, state.offers.size);
    if (state.offers.size === 0) this.#leaving.delete(state.shard);
  }

  #count(state: ShardState, running: number): void {
    const more = running - state.running;
    if (more === 0) return;
    state.running = running;
    this.#runningTotal += more;
    add(this.#running, state.uid, more);
  }

  /** The search for shards is soon over, and seldom made. */
  #countUnsettled(state: ShardState, isUnsettled: boolean): void {
    if (isUnsettled === state.isUnsettled || isDiscoveryShard(state.shard)) return;
    state.isUnsettled = isUnsettled;
    add(this.#unsettled, state.uid, isUnsettled ? 1 : -1);
  }
}

function add(counts: Map<string, number>, key: string, more: number): void {
  const count = (counts.get(key) ?? 0) + more;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

/** Whatever wants an invocation has a demand, and waits. */
type Wanted = ShardState & { readonly demand: Demand; readonly waitingSinceMs: number };

const NONE: ReadonlySet<ShardState> = new Set();
