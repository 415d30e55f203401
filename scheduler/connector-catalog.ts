/**
 * The connectors that a scheduler knows, and where their documents and cursors are read again: told of a change at once, and
 * whether told or not, all of them once per sweep.
 */
import { connectorKey } from '../core/connector.ts';
import { cursorKey, cursorPartition } from '../core/cursor/stored-cursor.ts';
import { FatalTaskError } from '../core/errors.ts';
import type { PlannedConnector } from '../core/planner/view.ts';
import type { Clock, StateStore, StoredDocument, Telemetry } from '../core/ports.ts';
import { discoveryShardId, type ShardId } from '../core/shard-id.ts';
import { sideBySide } from '../core/side-by-side.ts';
import type { Registry } from '../plugins/api/registry.ts';
import { type KnownConnector, knowConnector } from './known-connector.ts';
import type { ShardState } from './shard-state.ts';
import type { ShardTable } from './shard-table.ts';

const PAGE_DOCUMENTS = 500;

/** At the start, when nothing runs yet that a store would be needed for. */
const LISTS_AT_ONCE = 16;
const SWEPT_AT_ONCE = 4;

export interface CatalogDeps {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly registry: Registry;
  readonly skewMaxMs: number;
  readonly sweepMs: number;
}

export class ConnectorCatalog {
  readonly #deps: CatalogDeps;
  readonly #table: ShardTable;
  readonly #byUid = new Map<string, KnownConnector>();
  readonly #byName = new Map<string, KnownConnector>();
  readonly #planned = new Map<string, PlannedConnector>();
  /** Uids of the connectors that read a topic. */
  readonly #readers = new Map<string, Set<string>>();
  /** Names still to be read in this sweep, and where the listing of names goes on. */
  #namesAfter: string | undefined;
  #sweptNames = new Set<string>();
  /** Uids whose cursors are still to be read in this sweep. */
  #cursorsLeft: string[] = [];

  constructor(deps: CatalogDeps, table: ShardTable) {
    this.#deps = deps;
    this.#table = table;
  }

  get(uid: string): KnownConnector | undefined {
    return this.#byUid.get(uid);
  }

  all(): Iterable<KnownConnector> {
    return this.#byUid.values();
  }

  /** Those whose documents hold back-pressure. */
  limited(): readonly KnownConnector[] {
    return [...this.#byUid.values()].filter(({ connector }) => connector.pressure !== undefined);
  }

  get planned(): ReadonlyMap<string, PlannedConnector> {
    return this.#planned;
  }

  /** What any connector reads, with whose uids. */
  get topics(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#readers;
  }

  /** Connectors that read a topic. */
  readersOf(topic: string): readonly KnownConnector[] {
    return [...(this.#readers.get(topic) ?? [])].flatMap((uid) => this.#byUid.get(uid) ?? []);
  }

  /** Everything there is, documents first: at the start, and when another scheduler did the work until now. */
  async load(): Promise<void> {
    let after: string | undefined;
    const names = new Set<string>();
    do {
      ({ next: after } = await this.#readNames(after, PAGE_DOCUMENTS, names));
    } while (after !== undefined);
    this.#forgetOthers(names);
    await sideBySide([...this.#byUid.keys()], LISTS_AT_ONCE, (uid) => this.readCursors(uid));
  }

  /** Reads one connector again, and its cursors. */
  async read(name: string): Promise<void> {
    const document = await this.#deps.store.get(connectorKey(name));
    if (document === null) this.#forget(name);
    else await this.#note(name, document);
    const known = this.#byName.get(name);
    if (known !== undefined) await this.readCursors(known.connector.uid);
  }

  /** The share of a sweep that is due for `elapsedMs`. */
  async sweep(elapsedMs: number): Promise<void> {
    const share = elapsedMs / this.#deps.sweepMs;
    await this.#sweepNames(Math.max(1, Math.ceil(this.#byUid.size * share)));
    if (this.#cursorsLeft.length === 0) this.#cursorsLeft = [...this.#byUid.keys()];
    const due = this.#cursorsLeft.splice(0, Math.ceil(this.#byUid.size * share));
    // A few at once, so that a sweep neither crowds out the invocations nor keeps waiting what is learnt after it.
    await sideBySide(due, SWEPT_AT_ONCE, (uid) => this.readCursors(uid));
  }

  /** Lists a connector's cursors: new ones, and those that were changed by others. */
  async readCursors(uid: string): Promise<void> {
    const known = this.#byUid.get(uid);
    if (known === undefined) return;
    const began = this.#table.observations;
    const gone = new Set(this.#table.ofConnector(uid));
    let after: string | undefined;
    do {
      const page = await this.#deps.store.list(cursorPartition(uid), {
        limit: PAGE_DOCUMENTS,
        ...(after === undefined ? {} : { after }),
      });
      for (const { key, value, version } of page.documents) {
        const state = this.#table.ensure(key.sort as ShardId);
        gone.delete(state);
        // What an outcome brought meanwhile may be newer than this list.
        if (state.observedAs > began) continue;
        this.#table.observe(state, { value, version }, this.#deps.clock.nowMs());
      }
      after = page.next;
    } while (after !== undefined);
    // One that came into being meanwhile is not missing.
    for (const state of gone) if (state.cursor !== null && state.observedAs <= began) this.#table.forget(state);
    if (known.topics === null && known.problem === null) this.#table.ensure(discoveryShardId(uid));
  }

  /** Reads one cursor again. */
  async readCursor(state: ShardState): Promise<void> {
    const document = await this.#deps.store.get(cursorKey(state.shard));
    if (document !== null) this.#table.observe(state, document, this.#deps.clock.nowMs());
    // One that was never stored is still a queue's or a discovery's, whose first invocation did not come.
    else if (state.cursor !== null) this.#table.forget(state);
  }

  async #sweepNames(count: number): Promise<void> {
    const { next, found } = await this.#readNames(this.#namesAfter, Math.min(count, PAGE_DOCUMENTS), this.#sweptNames);
    this.#namesAfter = next;
    for (const uid of found) await this.readCursors(uid);
    if (this.#namesAfter !== undefined) return;
    this.#forgetOthers(this.#sweptNames);
    this.#sweptNames = new Set();
  }

  /** One page of documents; `found`: uids that were not known. */
  async #readNames(
    after: string | undefined,
    limit: number,
    names: Set<string>,
  ): Promise<{ readonly next: string | undefined; readonly found: readonly string[] }> {
    const { documents, next } = await this.#deps.store.list(connectorKey('').partition, {
      limit,
      ...(after === undefined ? {} : { after }),
    });
    const found: string[] = [];
    for (const { key, ...document } of documents) {
      names.add(key.sort);
      const before = this.#byName.get(key.sort)?.connector.uid;
      await this.#note(key.sort, document);
      const uid = this.#byName.get(key.sort)?.connector.uid;
      if (uid !== undefined && uid !== before) found.push(uid);
    }
    return { next, found };
  }

  async #note(name: string, document: StoredDocument): Promise<void> {
    const before = this.#byName.get(name);
    if (before?.version === document.version) return;
    const { registry, skewMaxMs, telemetry, clock } = this.#deps;
    const known = await knowConnector(document, name, { registry, skewMaxMs, atMs: clock.monotonicMs() });
    if (known instanceof FatalTaskError) {
      telemetry.log('error', known.message, { connector: name, code: known.code });
      return;
    }
    const { uid, revision } = known.connector;
    if (before !== undefined && before.connector.uid !== uid) this.#forget(name);
    // Two reads may be answered in another order than they were made.
    else if (before !== undefined && before.connector.revision > revision) return;
    this.#index(name, known);
    this.#table.touchConnector(uid);
  }

  #index(name: string, known: KnownConnector): void {
    const { uid } = known.connector;
    for (const topic of this.#byUid.get(uid)?.topics ?? []) this.#unread(topic, uid);
    this.#byName.set(name, known);
    this.#byUid.set(uid, known);
    this.#planned.set(uid, known.planned);
    for (const topic of known.topics ?? []) {
      const readers = this.#readers.get(topic);
      if (readers === undefined) this.#readers.set(topic, new Set([uid]));
      else readers.add(uid);
    }
  }

  #unread(topic: string, uid: string): void {
    const readers = this.#readers.get(topic);
    readers?.delete(uid);
    if (readers?.size === 0) this.#readers.delete(topic);
  }

  #forgetOthers(names: ReadonlySet<string>): void {
    for (const name of [...this.#byName.keys()]) if (!names.has(name)) this.#forget(name);
  }

  #forget(name: string): void {
    const known = this.#byName.get(name);
    if (known === undefined) return;
    const { uid } = known.connector;
    this.#byName.delete(name);
    this.#byUid.delete(uid);
    this.#planned.delete(uid);
    for (const topic of known.topics ?? []) this.#unread(topic, uid);
    for (const state of [...this.#table.ofConnector(uid)]) this.#table.forget(state);
  }
}

/** Whether the configuration still names what the shard reads. */
export function isRead({ topics, problem }: KnownConnector, { queue }: ShardState): boolean {
  if (problem !== null) return false;
  return queue === undefined ? topics === null : topics?.includes(queue.topic) === true;
}
