/**
 * Tells the broker how far each sink has come, as a consumer group of its topics, so that the broker's own tools show connectors
 * beside other consumers. What a scheduler that dies had not told, the next one tells: it tells of every queue it comes to know.
 */
import { watermark } from '../core/cursor/cursor.ts';
import { FatalTaskError } from '../core/errors.ts';
import type { CancelSignal, Clock, GroupOffset, LogBroker } from '../core/ports.ts';
import { sideBySide } from '../core/side-by-side.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';
import type { ShardState } from './shard-state.ts';
import type { ShardTable } from './shard-table.ts';

/** A few connectors at once, and none begins after so long: what is not told yet is in the next round. */
const TOLD_AT_ONCE = 8;
const TELL_FOR_MS = 1_000;

/** Of one call: a log that writes them together is not kept from its records for long. */
const OFFSETS_MAX = 500;

/** Somebody has to allow a group that was refused: until then each try is a line of the log. */
const REFUSED_PAUSE_MS = 60_000;

export interface GroupParts {
  readonly broker: Pick<LogBroker, 'noteGroup'>;
  readonly clock: Clock;
  readonly table: ShardTable;
  readonly catalog: Pick<ConnectorCatalog, 'get'>;
}

export class GroupNotes {
  readonly #parts: GroupParts;
  /** Connectors whose group the broker refused, and until when they are left alone, monotonic. */
  readonly #refused = new Map<string, number>();

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  /** Tells of the queues in which a connector has come further since it was told of. */
  async tell(signal?: CancelSignal): Promise<void> {
    const { clock, table } = this.#parts;
    const untilMs = clock.monotonicMs() + TELL_FOR_MS;
    for (const [uid, untilAtMs] of this.#refused) if (clock.monotonicMs() >= untilAtMs) this.#refused.delete(uid);
    const moved = new Set([...table.moved].map(({ uid }) => uid));
    const uids = [...moved].filter((uid) => !this.#refused.has(uid));
    await sideBySide(
      uids,
      TOLD_AT_ONCE,
      (uid) => this.#tellOf(uid, [...table.ofConnector(uid)].filter((state) => table.moved.has(state)).slice(0, OFFSETS_MAX)),
      () => signal?.aborted !== true && clock.monotonicMs() < untilMs,
    );
  }

  async #tellOf(uid: string, states: readonly ShardState[]): Promise<void> {
    const { broker, clock, table, catalog } = this.#parts;
    // Whoever comes further meanwhile is told of again. Where nobody could be told, these come after all others.
    for (const state of states) table.moved.delete(state);
    const group = catalog.get(uid)?.group ?? null;
    const offsets = states.flatMap(offsetOf);
    if (group === null || offsets.length === 0) return;
    try {
      await broker.noteGroup(group, offsets);
    } catch (error) {
      // Nobody would ever take one that was forgotten meanwhile.
      for (const state of states) if (table.get(state.shard) === state) table.moved.add(state);
      if (error instanceof FatalTaskError) this.#refused.set(uid, clock.monotonicMs() + REFUSED_PAUSE_MS);
      throw error;
    }
  }
}

function offsetOf({ queue, cursor }: ShardState): readonly GroupOffset[] {
  return queue === undefined || cursor?.kind !== 'log' ? [] : [{ queue, offset: watermark(cursor) }];
}
