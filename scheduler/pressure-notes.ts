/**
 * Keeps each connector's back-pressure in its document: halved where invocations met a target that turned them away or let
 * them time out, eased while they meet none. Every scheduler, and the one after this, plans by it.
 */
import { type Connector, connectorKey, decodeConnector, encodeConnector } from '../core/connector.ts';
import { FatalTaskError } from '../core/errors.ts';
import type { RunRecord } from '../core/offer.ts';
import { eased, type Pressure, strained } from '../core/planner/pressure.ts';
import type { CancelSignal, Clock, StateStore, StoredDocument, Telemetry } from '../core/ports.ts';
import { sideBySide } from '../core/side-by-side.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';

/** A few at once, and none begins after so long: what is not stored yet is in the next round. */
const STORED_AT_ONCE = 8;
const STORE_FOR_MS = 1_000;

interface PressureDeps {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** What its pressure is changed by. */
interface Change {
  /** Invocations that ran when trouble was met; absent where none was. */
  readonly running: number | undefined;
  readonly tasksMax: number;
}

export class PressureNotes {
  readonly #deps: PressureDeps;
  /** Invocations that ran when trouble was met, by uid; not stored yet. */
  readonly #strained = new Map<string, number>();
  /** When this scheduler halved for the last time, by uid, monotonic. */
  readonly #halvedAtMs = new Map<string, number>();
  /** Uids of connectors whose documents cannot be read, which has been said. */
  readonly #unreadable = new Set<string>();

  constructor(deps: PressureDeps) {
    this.#deps = deps;
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
  async store(catalog: ConnectorCatalog, signal?: CancelSignal): Promise<void> {
    const limited = new Set(catalog.limited().map(({ connector }) => connector.uid));
    for (const uid of this.#halvedAtMs.keys()) if (!limited.has(uid)) this.#halvedAtMs.delete(uid);
    for (const uid of this.#unreadable) if (catalog.get(uid) === undefined) this.#unreadable.delete(uid);
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + STORE_FOR_MS;
    await sideBySide(
      [...new Set([...this.#strained.keys(), ...limited])],
      STORED_AT_ONCE,
      (uid) => this.#storeOne(catalog, uid),
      () => signal?.aborted !== true && clock.monotonicMs() < untilMs,
    );
  }

  async #storeOne(catalog: ConnectorCatalog, uid: string): Promise<void> {
    const known = catalog.get(uid);
    const running = this.#strained.get(uid);
    this.#strained.delete(uid);
    if (known === undefined) return;
    const { connector, planned } = known;
    const changed = await this.#change(connector, { running, tasksMax: planned.tasksMax });
    if (changed === null) return;
    await catalog.note(connector.name, changed);
    if (running !== undefined) this.#halvedAtMs.set(uid, this.#deps.clock.monotonicMs());
  }

  /**
   * The document as it is now; `null` where it was not changed. A conflict means that somebody else just wrote: the next trouble,
   * or the next interval, says it again.
   */
  async #change(known: Connector, change: Change): Promise<StoredDocument | null> {
    // As far as is known nothing is due yet: a look at the document would cost each limited connector a read in every round.
    if (this.#next(known, change) === known.pressure) return null;
    const { name, uid } = known;
    const { store } = this.#deps;
    const document = await store.get(connectorKey(name));
    if (document === null) return null;
    const stored = this.#decode(document, known);
    if (stored === null) return null;
    const { pressure, ...connector } = stored;
    const next = this.#next(stored, change);
    if (connector.uid !== uid || next === pressure) return null;
    const value = encodeConnector(next === undefined ? connector : { ...connector, pressure: next });
    const result = await store.put(connectorKey(name), value, { ifVersion: document.version });
    return 'version' in result ? { value, version: result.version } : null;
  }

  /** `null`: a later version wrote it, or it is corrupt. That is said once, and keeps no other connector waiting. */
  #decode({ value }: StoredDocument, { name, uid }: Connector): Connector | null {
    try {
      const stored = decodeConnector(value, name);
      this.#unreadable.delete(uid);
      return stored;
    } catch (error) {
      if (!(error instanceof FatalTaskError)) throw error;
      if (!this.#unreadable.has(uid)) this.#deps.telemetry.log('error', error.message, { connector: name, code: error.code });
      this.#unreadable.add(uid);
      return null;
    }
  }

  #next({ pressure }: Connector, { running, tasksMax }: Change): Pressure | undefined {
    const nowMs = this.#deps.clock.nowMs();
    if (running !== undefined) return strained(pressure ?? null, { running, nowMs });
    return pressure === undefined ? undefined : (eased(pressure, { tasksMax, nowMs }) ?? undefined);
  }
}
