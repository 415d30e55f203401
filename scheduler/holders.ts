/**
 * Looks into cursors for who holds what: of offers that were not heard of, and of shards whose invocation was seen to die. Many
 * run for longer than an offer may be silent, so several are looked for at once.
 */
import type { CancelSignal, Clock } from '../core/ports.ts';
import { sideBySide } from '../core/side-by-side.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';
import type { Dispatch, Flight } from './dispatch.ts';
import { inTurn } from './in-turn.ts';
import type { ShardState } from './shard-state.ts';
import type { ShardTable } from './shard-table.ts';

export interface HoldersParts {
  readonly clock: Clock;
  readonly table: ShardTable;
  readonly catalog: ConnectorCatalog;
  readonly dispatch: Dispatch;
}

/** A thousand of them in a store that takes 100 ms are then looked for in three seconds, of the ten in which they come up again. */
const LOOKS_AT_ONCE = 32;
/** No look begins after so long in one go: what is not looked for yet is overdue in the next one too. */
const LOOK_FOR_MS = 1_000;

interface Death {
  readonly state: ShardState;
  readonly owner: string;
  readonly isGone: boolean;
}

export class Holders {
  readonly #parts: HoldersParts;
  /** Invocations that were seen to die: what they hold stands in the cursor. */
  readonly #deaths = new Set<Death>();

  constructor(parts: HoldersParts) {
    this.#parts = parts;
  }

  noteDeath(death: Death): void {
    this.#deaths.add(death);
  }

  /** The deaths first: what they held is free. */
  async look(signal?: CancelSignal): Promise<void> {
    const { clock, dispatch } = this.#parts;
    const each = <Item>(items: readonly Item[], look: (item: Item) => Promise<void>): Promise<void> => {
      const untilMs = clock.monotonicMs() + LOOK_FOR_MS;
      return sideBySide(items, LOOKS_AT_ONCE, look, () => signal?.aborted !== true && clock.monotonicMs() < untilMs);
    };
    const overdue = (): readonly Flight[] => dispatch.overdue().toSorted((a, b) => a.lookAtMs - b.lookAtMs);
    await inTurn(
      [
        () => each([...this.#deaths], (death) => this.#lookAfter(death)),
        () => each(overdue(), (flight) => this.#lookFor(flight)),
      ],
      signal,
    );
  }

  async #lookFor(flight: Flight): Promise<void> {
    const { clock, table, catalog, dispatch } = this.#parts;
    // Behind all others until it is read, so that many that cannot be keep none of them waiting.
    flight.lookAtMs = clock.monotonicMs();
    await catalog.readCursor(flight.state);
    const graceMs = catalog.get(flight.offer.uid)?.planned.graceMs ?? 0;
    if (flight.state.isHeldBy(flight.offer.id, clock.nowMs() - graceMs)) dispatch.isAlive(flight);
    else {
      dispatch.drop(flight);
      // Its place is not given back: one whose offers are lost again and again would keep it from the others for ever.
      if (!flight.wasSeen) flight.state.isTriggered ||= flight.before.isTriggered;
    }
    table.touch(flight.state);
  }

  async #lookAfter(death: Death): Promise<void> {
    const { state, owner } = death;
    // Behind all others, as with offers.
    this.#deaths.delete(death);
    this.#deaths.add(death);
    await this.#parts.catalog.readCursor(state);
    this.#deaths.delete(death);
    state.noteEnd(owner, death);
    this.#parts.table.touch(state);
  }
}
