/**
 * Keeps each connector's back-pressure in its document: halved where invocations met a target that turned them away or let
 * them time out, eased while they meet none. Every scheduler, and the one after this, plans by it.
 */
import { connectorKey, decodeConnector, encodeConnector } from '../core/connector.ts';
import type { RunRecord } from '../core/offer.ts';
import { eased, type Pressure, strained } from '../core/planner/pressure.ts';
import type { Clock, StateStore } from '../core/ports.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';

export class PressureNotes {
  readonly #store: StateStore;
  readonly #clock: Clock;
  /** Invocations that ran when trouble was met, by uid; not stored yet. */
  readonly #strained = new Map<string, number>();

  constructor({ store, clock }: { readonly store: StateStore; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /** `running`: invocations of the connector, that one included. Answers whether it met trouble. */
  note(uid: string, { counts }: RunRecord, { running }: { readonly running: number }): boolean {
    if (counts.throttled > 0) this.#strained.set(uid, Math.max(running, this.#strained.get(uid) ?? 1));
    return counts.throttled > 0;
  }

  /** Answers the names of the connectors whose documents were changed. */
  async store(catalog: ConnectorCatalog): Promise<readonly string[]> {
    const changed: string[] = [];
    const limited = catalog.limited().map(({ connector }) => connector.uid);
    for (const uid of new Set([...this.#strained.keys(), ...limited])) {
      const known = catalog.get(uid);
      const running = this.#strained.get(uid);
      this.#strained.delete(uid);
      if (known === undefined) continue;
      if (await this.#change(known.connector.name, uid, { running, tasksMax: known.planned.tasksMax }))
        changed.push(known.connector.name);
    }
    return changed;
  }

  /** A conflict means that somebody else just wrote: the next trouble, or the next interval, says it again. */
  async #change(
    name: string,
    uid: string,
    { running, tasksMax }: { readonly running: number | undefined; readonly tasksMax: number },
  ): Promise<boolean> {
    const document = await this.#store.get(connectorKey(name));
    if (document === null) return false;
    const { pressure = null, ...connector } = decodeConnector(document.value, name);
    if (connector.uid !== uid) return false;
    const next = this.#next(pressure, { running, tasksMax });
    if (next === pressure) return false;
    const value = encodeConnector(next === null ? connector : { ...connector, pressure: next });
    return 'version' in (await this.#store.put(connectorKey(name), value, { ifVersion: document.version }));
  }

  #next(
    pressure: Pressure | null,
    { running, tasksMax }: { readonly running: number | undefined; readonly tasksMax: number },
  ): Pressure | null {
    const nowMs = this.#clock.nowMs();
    if (running !== undefined) return strained(pressure, { running, nowMs });
    return pressure === null ? null : eased(pressure, { tasksMax, nowMs });
  }
}
