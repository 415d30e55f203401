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
  /** When this scheduler halved for the last time, by uid, monotonic. */
  readonly #halvedAtMs = new Map<string, number>();

  constructor({ store, clock }: { readonly store: StateStore; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * `running`: invocations of the connector, that one included. Answers whether it met trouble that is news: one that was sent
   * before the last halving met what that was for, and many of those halved again would leave nothing.
   */
  note(
    uid: string,
    { counts }: RunRecord,
    { running, sentAtMs }: { readonly running: number; readonly sentAtMs: number },
  ): boolean {
    if (counts.throttled === 0 || sentAtMs < (this.#halvedAtMs.get(uid) ?? Number.NEGATIVE_INFINITY)) return false;
    this.#strained.set(uid, Math.max(running, this.#strained.get(uid) ?? 1));
    return true;
  }

  /** Stores it, and lets the catalog know at once: what is sent until then runs into the trouble that is known already. */
  async store(catalog: ConnectorCatalog): Promise<void> {
    const limited = new Set(catalog.limited().map(({ connector }) => connector.uid));
    for (const uid of this.#halvedAtMs.keys()) if (!limited.has(uid)) this.#halvedAtMs.delete(uid);
    for (const uid of new Set([...this.#strained.keys(), ...limited])) {
      const known = catalog.get(uid);
      const running = this.#strained.get(uid);
      this.#strained.delete(uid);
      if (known === undefined) continue;
      const { name } = known.connector;
      if (!(await this.#change(name, uid, { running, tasksMax: known.planned.tasksMax }))) continue;
      await catalog.read(name);
      if (running !== undefined) this.#halvedAtMs.set(uid, this.#clock.monotonicMs());
    }
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
