/**
 * Offers under way: sends them, and counts each as an invocation until its end is known.
 *
 * The end of an offer is its outcome, or its invoker's word that it died or never started; where nothing is heard within
 * `offerTtlMs`, the cursor is read, and an offer without a holder there is lost. So no slot leaks, whatever gets lost.
 */
import type { InvocationEnd, InvocationResult, Offer } from '../core/offer.ts';
import type { Allotment } from '../core/planner/allot.ts';
import type { Clock, Invoker } from '../core/ports.ts';
import type { KnownConnector } from './known-connector.ts';
import type { ShardState } from './shard-state.ts';

export interface DispatchDeps {
  readonly clock: Clock;
  readonly invoker: Invoker;
  readonly offerTtlMs: number;
  /** How the ids of its offers begin: those of others, and of this scheduler before it was started anew, begin otherwise. */
  readonly offers: string;
  /** What the scheduler makes of it. */
  ended(flight: Flight, end: InvocationEnd): void;
}

export interface Flight {
  readonly offer: Offer;
  readonly state: ShardState;
  /** Monotonic, as all times here. */
  readonly sentAtMs: number;
  /** How the shard stood that it was sent for. */
  readonly before: Pick<ShardState, 'waitingSinceMs' | 'isTriggered'>;
  /** When to look for its holder. */
  lookAtMs: number;
  /** Whether its holder stood in the cursor at any look. */
  wasSeen: boolean;
}

/**
 * Hosts that turn an offer away are left alone for so long, doubled each time. Offers that were sent together and turned away
 * together are one time, and an end of any other kind shows that there is a slot again.
 */
const REFUSED_FIRST_MS = 50;
const REFUSED_MAX_MS = 2_000;

export class Dispatch {
  readonly #deps: DispatchDeps;
  readonly #flights = new Map<string, Flight>();
  #offers = 0;
  #refusals = 0;
  /** When the last pause began, and until when it lasts. */
  #refusedAtMs = Number.NEGATIVE_INFINITY;
  #refusedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
  }

  /** Offers to wait for records, by connector. */
  get tails(): ReadonlyMap<string, number> {
    const tails = new Map<string, number>();
    for (const { offer } of this.#flights.values())
      if (offer.mode === 'tail') tails.set(offer.uid, (tails.get(offer.uid) ?? 0) + 1);
    return tails;
  }

  freeSlots(): number {
    return this.#deps.clock.monotonicMs() < this.#refusedUntilMs ? 0 : this.#deps.invoker.freeSlots();
  }

  /** When hosts that turned offers away are asked again, on the monotonic clock; `null` where none did. */
  get refusedUntilMs(): number | null {
    return this.#deps.clock.monotonicMs() < this.#refusedUntilMs ? this.#refusedUntilMs : null;
  }

  send(
    { mode, slice, quantumMs }: Allotment,
    {
      connector,
      state,
      peersCommit,
    }: { readonly connector: KnownConnector; readonly state: ShardState; readonly peersCommit: boolean },
  ): void {
    this.#offers += 1;
    const { name, uid } = connector.connector;
    const offer: Offer = {
      id: `${this.#deps.offers}${this.#offers.toString(36)}`,
      connector: name,
      uid,
      shard: state.shard,
      mode,
      slice,
      quantumMs,
      ended: state.ended(),
      peersCommit,
    };
    const sentAtMs = this.#deps.clock.monotonicMs();
    const before = { waitingSinceMs: state.waitingSinceMs, isTriggered: state.isTriggered };
    const flight: Flight = { offer, state, sentAtMs, before, lookAtMs: sentAtMs + this.#deps.offerTtlMs, wasSeen: false };
    this.#flights.set(offer.id, flight);
    state.offers.add(offer.id);
    void this.#deps.invoker.invoke(offer).then((end) => this.#ended(flight, end));
  }

  /** Offers of which nothing was heard for so long that somebody has to look. */
  overdue(): readonly Flight[] {
    const now = this.#deps.clock.monotonicMs();
    return [...this.#flights.values()].filter(({ lookAtMs }) => lookAtMs <= now);
  }

  /** Its holder was seen in the cursor: it is at work. */
  isAlive(flight: Flight): void {
    flight.lookAtMs = this.#deps.clock.monotonicMs() + this.#deps.offerTtlMs;
    flight.wasSeen = true;
  }

  drop(flight: Flight): void {
    this.#flights.delete(flight.offer.id);
    flight.state.offers.delete(flight.offer.id);
  }

  #ended(flight: Flight, end: InvocationEnd): void {
    const isKnown = this.#flights.has(flight.offer.id);
    // It may still come to a host and claim: only its holder, or that there is none, says more.
    if (end.kind === 'lost') return;
    this.drop(flight);
    if (end.kind === 'refused') {
      if (end.isForShard !== true) this.#refused(flight);
    } else {
      this.#refusals = 0;
      this.#refusedAtMs = Number.NEGATIVE_INFINITY;
      this.#refusedUntilMs = Number.NEGATIVE_INFINITY;
    }
    // Of one that was dropped for want of a holder, and came to a host after all: what it did, and what it held.
    if (isKnown || end.kind !== 'refused') this.#deps.ended(flight, end);
  }

  #refused({ sentAtMs }: Flight): void {
    if (sentAtMs <= this.#refusedAtMs) return;
    const pauseMs = Math.min(REFUSED_FIRST_MS * 2 ** Math.min(this.#refusals, 10), REFUSED_MAX_MS);
    this.#refusals += 1;
    this.#refusedAtMs = this.#deps.clock.monotonicMs();
    this.#refusedUntilMs = this.#refusedAtMs + pauseMs;
  }
}

/** Whether an invocation did nothing at all: then its shard is left alone for a while, unless something changes. */
export function wasEmpty({ run, notBeforeMs }: InvocationResult): boolean {
  return run.outcome === null || (run.outcome === 'failed' && run.counts.slices === 0 && notBeforeMs === null);
}
