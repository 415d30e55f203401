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

export interface EndingsParts {
  readonly clock: Clock;
  readonly table: ShardTable;
  readonly holders: Holders;
  readonly pressure: PressureNotes;
  readonly history: RunHistory;
  /** This connector and its cursors are to be read again in the next round of learning. */
  changed(name: string): void;
  /** That round is to come at once, or soon. */
  wanted(when: 'now' | 'soon'): void;
}

/** A shard whose invocations find nothing or die is left alone for so long, doubled each time, unless something changes. */
const EMPTY_FIRST_MS = 250;
const EMPTY_MAX_MS = 15_000;

export class Endings {
  readonly #parts: EndingsParts;

  constructor(parts: EndingsParts) {
    this.#parts = parts;
  }

  note(flight: Flight, end: InvocationEnd): void {
    const { state } = flight;
    if (end.kind === 'completed') this.#completed(flight, end.result);
    else if (end.kind === 'died') {
      if (end.owner !== null) this.#parts.holders.noteDeath({ state, owner: end.owner, isGone: end.isGone });
      this.#pause(state, null);
      this.#parts.wanted('now');
    }
    this.#parts.table.touch(state);
  }

  #completed({ offer, state, sentAtMs }: Flight, result: InvocationResult): void {
    const { clock, table, history, pressure, changed, wanted } = this.#parts;
    const { run, cursor, notBeforeMs } = result;
    if (cursor !== null) table.observe(state, cursor, clock.nowMs());
    else changed(offer.connector);
    state.noteEnd(run.owner, { isGone: false });
    history.add(offer, run);
    const running = table.running.byConnector.get(offer.uid) ?? 0;
    if (pressure.note(offer.uid, run, { running, sentAtMs })) wanted('soon');
    if (isDiscoveryShard(state.shard) && run.outcome === 'drained') {
      changed(offer.connector);
      wanted('now');
    }
    if (run.refusal === 'nothing-to-claim') this.#foundNothing(state, notBeforeMs);
    else if (wasEmpty(result)) this.#pause(state, notBeforeMs);
    else {
      state.empties = 0;
      state.notBeforeMs = notBeforeMs ?? 0;
      state.pollAfterMs = polledAgainAtMs(state, run, clock.nowMs());
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
    state.notBeforeMs = notBeforeMs ?? this.#parts.clock.nowMs() + pauseMs;
  }
}

/**
 * When a source wants to be polled again is said by its host's clock. Where that is behind, the moment has come at once, again and
 * again: what counts is how long after its end the invocation wanted it.
 */
function polledAgainAtMs({ cursor }: ShardState, { endedAtMs }: RunRecord, nowMs: number): number {
  return cursor?.kind === 'checkpoint' ? nowMs + Math.max(0, cursor.pollAtMs - endedAtMs) : 0;
}
