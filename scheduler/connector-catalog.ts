/**
 * The connectors that a scheduler knows, and where their documents and cursors are read again: told of a change at once, and
 * whether told or not, all of them once per sweep.
 */
import { connectorKey } from '../core/connector.ts';
import { cursorKey, cursorPartition } from '../core/cursor/stored-cursor.ts';
import { documentsIn } from '../core/document-pages.ts';
import { FatalTaskError } from '../core/errors.ts';
import type { PlannedConnector } from '../core/planner/view.ts';
import type { CancelSignal, Clock, StateStore, StoredDocument, Telemetry } from '../core/ports.ts';
import { discoveryShardId, type ShardId } from '../core/shard-id.ts';
import { sideBySide } from '../core/side-by-side.ts';
import type { Registry } from '../plugins/api/registry.ts';
import { inTurn } from './in-turn.ts';
import { type KnownConnector, knowConnector } from './known-connector.ts';
import type { ShardState } from './shard-state.ts';
import type { ShardTable } from './shard-table.ts';

const PAGE_DOCUMENTS = 500;

/** At the start, when nothing runs yet that a store would be needed for. */
const LISTS_AT_ONCE = 16;
/** In one go, so that whoever waits for the last of ten thousand hears of changes meanwhile. */
const LISTS_PER_GO = 256;
const SWEPT_AT_ONCE = 4;
/** A round of a sweep begins no read after so long: a slow store makes the sweep longer, and keeps no change waiting. */
const SWEEP_FOR_MS = 1_000;

export interface CatalogDeps {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly registry: Registry;
  readonly skewMaxMs: number;
  readonly sweepMs: number;
  /** Hears of each revision of a connector that was not known, and again once it can be used where it could not. */
  configured(connector: KnownConnector): void;
  /** Hears of each connector that was deleted. */
  forgotten(connector: KnownConnector): void;
}

export class ConnectorCatalog {
  readonly #deps: CatalogDeps;
  readonly #table: ShardTable;
  readonly #byUid = new Map<string, KnownConnector>();
  readonly #byName = new Map<string, KnownConnector>();
  readonly #planned = new Map<string, PlannedConnector>();
  /** Uids of the connectors that read a topic. */
  readonly #readers = new Map<string, Set<string>>();
  /** Topics that somebody reads now who did not. */
  #newlyRead = new Set<string>();
  /** Names still to be read in this sweep, and where the listing of names goes on. */
  #namesAfter: string | undefined;
  #sweptNames = new Set<string>();
  /** Uids whose cursors are still to be read in this sweep. */
  #cursorsLeft: string[] = [];
  /** Uids of those whose cursors could not be read when it was their turn. */
  readonly #cursorsFailed = new Set<string>();
  /** Whether all names were read since the last `renew`. */
  #hasNames = false;
  /** Uids whose cursors were not read since then. */
  readonly #unlisted = new Set<string>();

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

  /** Topics that got another reader since the last call: its queues are not known to it, however lately they were looked at. */
  takeNewlyRead(): ReadonlySet<string> {
    const topics = this.#newlyRead;
    this.#newlyRead = new Set();
    return topics;
  }

  /** Connectors that read a topic. */
  readersOf(topic: string): readonly KnownConnector[] {
    return [...(this.#readers.get(topic) ?? [])].flatMap((uid) => this.#byUid.get(uid) ?? []);
  }

  /** Another scheduler did the work until now, or nobody: everything is to be read again before anybody is sent for it. */
  renew(): void {
    this.#hasNames = false;
    this.#namesAfter = undefined;
    this.#sweptNames = new Set();
    for (const uid of this.#byUid.keys()) {
      this.#unlisted.add(uid);
      this.#table.touchConnector(uid);
    }
  }

  /** Reads what documents `renew` left unread. What is read stays so when a later call fails, here as in `listMissing`. */
  async readDocuments(signal?: CancelSignal): Promise<void> {
    while (!this.#hasNames && signal?.aborted !== true) await this.#sweepNames(PAGE_DOCUMENTS);
  }

  /** Lists the cursors of connectors that have none listed yet, so many in one go. */
  async listMissing(signal?: CancelSignal): Promise<void> {
    const missing = [...this.#unlisted].slice(0, LISTS_PER_GO);
    const list = async (uid: string): Promise<void> => {
      // Where some keep failing, the others come first the next time.
      if (this.#unlisted.delete(uid)) this.#unlisted.add(uid);
      await this.readCursors(uid);
    };
    await sideBySide(missing, LISTS_AT_ONCE, list, () => signal?.aborted !== true);
  }

  get isAnyUnlisted(): boolean {
    return this.#unlisted.size > 0;
  }

  /** Whether its cursors were read: until then each of its queues would look like a new one. */
  isListed(uid: string): boolean {
    return !this.#unlisted.has(uid);
  }

  /** Reads one connector again, and its cursors. */
  async read(name: string): Promise<void> {
    const document = await this.#deps.store.get(connectorKey(name));
    if (document === null) this.#forget(name);
    else {
      // A listing of names that is past it already does not miss it.
      this.#sweptNames.add(name);
      await this.note(name, document);
    }
    const known = this.#byName.get(name);
    if (known !== undefined) await this.readCursors(known.connector.uid);
  }

  /** Takes note of a connector's document, as it was just read or written. */
  async note(name: string, document: StoredDocument): Promise<void> {
    const before = this.#byName.get(name);
    // A problem may have been that of a moment, such as a plugin that could not be loaded.
    if (before?.version === document.version && before.problem === null) return;
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
    // Noted back-pressure makes another document of it, and nothing else.
    const isSame = before?.connector.uid === uid && before.connector.revision === revision;
    const isMended = before !== undefined && before.problem !== null && known.problem === null;
    if (!isSame || isMended) this.#deps.configured(known);
    this.#index(name, isSame ? { ...known, sinceMs: before.sinceMs } : known);
    this.#table.touchConnector(uid);
  }

  /** The share of a sweep that is due for `elapsedMs`. */
  async sweep(elapsedMs: number, signal?: CancelSignal): Promise<void> {
    const count = Math.ceil(this.#byUid.size * (elapsedMs / this.#deps.sweepMs));
    await inTurn([() => this.#sweepNames(Math.max(1, count)), () => this.#sweepCursors(count, signal)], signal);
  }

  /** Lists a connector's cursors: new ones, and those that were changed by others. */
  async readCursors(uid: string): Promise<void> {
    const known = this.#byUid.get(uid);
    if (known === undefined) return;
    const began = this.#table.observations;
    const gone = new Set(this.#table.ofConnector(uid));
    for await (const { key, value, version } of documentsIn(this.#deps.store, cursorPartition(uid))) {
      const state = this.#table.ensure(key.sort as ShardId);
      gone.delete(state);
      // What an outcome brought meanwhile may be newer than this list.
      if (state.observedAs > began) continue;
      this.#table.observe(state, { value, version }, this.#deps.clock.nowMs());
    }
    // One that came into being meanwhile is not missing.
    for (const state of gone) if (state.cursor !== null && state.observedAs <= began) this.#table.forget(state);
    if (known.topics === null && known.problem === null) this.#table.ensure(discoveryShardId(uid));
    if (this.#unlisted.delete(uid)) this.#table.touchConnector(uid);
  }

  /** Reads one cursor again. */
  async readCursor(state: ShardState): Promise<void> {
    const document = await this.#deps.store.get(cursorKey(state.shard));
    if (document !== null) this.#table.observe(state, document, this.#deps.clock.nowMs());
    // One that was never stored is still a queue's or a discovery's, whose first invocation did not come.
    else if (state.cursor !== null) this.#table.forget(state);
  }

  /** The next documents, at most a page. The cursors of connectors that were not known are listed next. */
  async #sweepNames(count: number): Promise<void> {
    const { documents, next } = await this.#deps.store.list(connectorKey('').partition, {
      limit: Math.min(count, PAGE_DOCUMENTS),
      ...(this.#namesAfter === undefined ? {} : { after: this.#namesAfter }),
    });
    for (const { key, ...document } of documents) {
      this.#sweptNames.add(key.sort);
      await this.note(key.sort, document);
    }
    this.#namesAfter = next;
    if (next !== undefined) return;
    this.#forgetOthers(this.#sweptNames);
    this.#sweptNames = new Set();
    this.#hasNames = true;
  }

  /** A few at once, so that a sweep neither crowds out the invocations nor keeps waiting what is learnt after it. */
  async #sweepCursors(count: number, signal?: CancelSignal): Promise<void> {
    if (this.#cursorsLeft.length === 0) {
      for (const uid of this.#cursorsFailed) if (!this.#byUid.has(uid)) this.#cursorsFailed.delete(uid);
      this.#cursorsLeft = [...this.#byUid.keys()].filter((uid) => !this.#cursorsFailed.has(uid));
    }
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + SWEEP_FOR_MS;
    const left = new Set(this.#cursorsLeft.splice(0, count));
    const read = async (uid: string): Promise<void> => {
      left.delete(uid);
      this.#cursorsFailed.delete(uid);
      this.#cursorsFailed.add(uid);
      await this.readCursors(uid);
      this.#cursorsFailed.delete(uid);
    };
    try {
      // As many that failed before, after the others: a few that always fail keep nobody waiting.
      const due = [...left, ...[...this.#cursorsFailed].slice(0, count)];
      await sideBySide(due, SWEPT_AT_ONCE, read, () => signal?.aborted !== true && clock.monotonicMs() < untilMs);
    } finally {
      this.#cursorsLeft.unshift(...left);
    }
  }

  #index(name: string, known: KnownConnector): void {
    const { uid } = known.connector;
    const before = this.#byUid.get(uid)?.topics ?? [];
    for (const topic of before) this.#unread(topic, uid);
    if (!this.#byUid.has(uid)) this.#unlisted.add(uid);
    this.#byName.set(name, known);
    this.#byUid.set(uid, known);
    this.#planned.set(uid, known.planned);
    for (const topic of known.topics ?? []) {
      const readers = this.#readers.get(topic);
      if (readers === undefined) this.#readers.set(topic, new Set([uid]));
      else readers.add(uid);
      if (!before.includes(topic)) this.#newlyRead.add(topic);
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
    this.#unlisted.delete(uid);
    for (const topic of known.topics ?? []) this.#unread(topic, uid);
    for (const state of [...this.#table.ofConnector(uid)]) this.#table.forget(state);
    this.#deps.forgotten(known);
  }
}

/** Whether the configuration still names what the shard reads. */
export function isRead({ topics, problem }: KnownConnector, { queue }: ShardState): boolean {
  if (problem !== null) return false;
  return queue === undefined ? topics === null : topics?.includes(queue.topic) === true;
}
