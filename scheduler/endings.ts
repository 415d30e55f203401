/** What the end of an invocation means for its shard: what is remembered of it, and how long it is left alone. */
import type { InvocationEnd, InvocationResult, RunRecord } from '../core/offer.ts';
import type { Clock } from '../core/ports.ts';
import { isDiscoveryShard } from '../core/shard-id.ts';
import { type Flight, wasEmpty } from './dispatch.ts';
import type { Holders } from './holders.ts';
import type { PressureNotes } from './pressure-notes.ts';
import type { RunHistory } from './run-history.ts';
import type { ShardState } from './shard-state.ts';
import type { ShardTable } from './shard-table.ts';
import type { TopicNotes } from './topic-notes.ts';

export interface EndingsParts {
  readonly clock: Clock;
  readonly table: ShardTable;
  readonly holders: Holders;
  readonly pressure: PressureNotes;
  readonly topics: TopicNotes;
  readonly history: RunHistory;
  /** This connector and its cursors are to be read again in the next round of learning. */
  changed(name: string): void;
  /** That round is to come at once, or soon. */
  wanted(when: 'now' | 'soon'): void;
}

/**
 * A shard whose invocations find nothing, are fenced or die, or that hosts take no offer of, is left alone for so long, doubled each time, unless something
 * changes. Those that were sent before the last time met the same: eight slices in a host that crashes are one death.
 */
const EMPTY_FIRST_MS = 250;
const EMPTY_MAX_MS = 15_000;

export class Endings {
  readonly #parts: EndingsParts;

  constructor(parts: EndingsParts) {
    this.#parts = parts;
  }

  note(flight: Flight, end: InvocationEnd): void {
    const { state, sentAtMs } = flight;
    if (end.kind === 'completed') this.#completed(flight, end.result);
    else if (end.kind === 'died') {
      if (end.owner !== null) this.#parts.holders.noteDeath({ state, owner: end.owner, isGone: end.isGone });
      this.#pause(state, { sentAtMs, notBeforeMs: null });
      this.#parts.wanted('now');
    } else if (end.kind === 'refused') {
      notSent(flight);
      if (end.isForShard === true) this.#rest(state, { sentAtMs, notBeforeMs: null });
    }
    this.#parts.table.touch(state);
  }

  #completed({ offer, state, sentAtMs }: Flight, result: InvocationResult): void {
    const { clock, table, history, pressure, topics, changed, wanted } = this.#parts;
    const { run, cursor } = result;
    const notBeforeMs = asToldHere(result, clock.nowMs());
    if (cursor !== null) table.observe(state, cursor, clock.nowMs());
    else changed(offer.connector);
    state.noteEnd(run.owner, { isGone: false });
    history.add(offer, run);
    const running = table.running.byConnector.get(offer.uid) ?? 0;
    if (pressure.note(offer.uid, run, { running, sentAtMs })) wanted('soon');
    if (topics.note(offer.uid, result.topics ?? [])) wanted('soon');
    if (isDiscoveryShard(state.shard) && run.outcome === 'drained') {
      changed(offer.connector);
      wanted('now');
    }
    if (run.refusal === 'nothing-to-claim') this.#foundNothing(state, { sentAtMs, notBeforeMs });
    else if (wasEmpty(result)) this.#pause(state, { sentAtMs, notBeforeMs });
    // Somebody else holds it, and is at work; or its target has been written by one that the store knows nothing of.
    else if (run.outcome === 'fenced') this.#rest(state, { sentAtMs, notBeforeMs });
    else {
      state.empties = 0;
      state.notBeforeMs = notBeforeMs ?? 0;
      state.pollAfterMs = polledAgainAtMs(state, run, clock.nowMs());
    }
  }

  /** Once, somebody else may have been there first. Again and again, what the log tells is not there. */
  #foundNothing(state: ShardState, end: EmptyEnd): void {
    if (state.empties > 0) this.#rest(state, end);
    else this.#count(state);
    state.noteDrained();
  }

  /** Nothing was claimed: what made the offer look right was old, or is wrong. */
  #pause(state: ShardState, end: EmptyEnd): void {
    this.#rest(state, end);
    if (state.queue !== undefined && typeof state.bounds === 'object') state.bounds = 'unknown';
  }

  #rest(state: ShardState, { sentAtMs, notBeforeMs }: EmptyEnd): void {
    if (sentAtMs >= state.emptyAtMs) {
      const pauseMs = Math.min(EMPTY_FIRST_MS * 2 ** Math.min(state.empties, 10), EMPTY_MAX_MS);
      state.notBeforeMs = this.#parts.clock.nowMs() + pauseMs;
      this.#count(state);
    }
    if (notBeforeMs !== null && notBeforeMs > this.#parts.clock.nowMs()) state.notBeforeMs = notBeforeMs;
  }

  #count(state: ShardState): void {
    state.empties += 1;
    state.emptyAtMs = this.#parts.clock.monotonicMs();
  }
}

/** Nobody was sent for what waits: it has waited since it did, so that its turn comes before that of others, and starts at once if asked to. */
function notSent({ state, before }: Flight): void {
  state.waitingSinceMs = before.waitingSinceMs ?? state.waitingSinceMs;
  state.isTriggered ||= before.isTriggered;
}

interface EmptyEnd extends Pick<Flight, 'sentAtMs'>, Pick<InvocationResult, 'notBeforeMs'> {}

/**
 * When an invocation said to come again, by the clock of this process. Its host's may be behind, and that moment have come already,
 * again and again: what counts is how long after its end it is.
 */
function asToldHere({ run, notBeforeMs }: InvocationResult, nowMs: number): number | null {
  return notBeforeMs === null ? null : nowMs + Math.max(0, notBeforeMs - run.endedAtMs);
}

/** When a source wants to be polled again: likewise. */
function polledAgainAtMs({ cursor }: ShardState, { endedAtMs }: RunRecord, nowMs: number): number {
  return cursor?.kind === 'checkpoint' ? nowMs + Math.max(0, cursor.pollAtMs - endedAtMs) : 0;
}
