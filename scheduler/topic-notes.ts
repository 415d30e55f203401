/**
 * Keeps in each connector's document from or to which topics records were moved. That is told by invocations as they end; what a
 * scheduler that dies had not stored yet, it is told again by the next one.
 */
import { connectorKey, decodeConnector, encodeConnector } from '../core/connector.ts';
import type { StoreAccess } from '../core/cursor/stored-cursor.ts';
import { ConfigError, RetryableError } from '../core/errors.ts';
import type { CancelSignal, Clock, StateStore } from '../core/ports.ts';
import { sideBySide } from '../core/side-by-side.ts';
import { noteChange } from './change-notes.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';

/** Of one connector: the document is read whenever anything is done to it. */
const TOPICS_MAX = 1_000;

/** Others who write the document at the same time. */
const CONFLICTS_MAX = 16;

/** Many connectors that begin to move records at once keep no change waiting. */
const STORED_AT_ONCE = 8;
const STORE_FOR_MS = 1_000;

interface TopicDeps {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly catalog: Pick<ConnectorCatalog, 'get' | 'note'>;
}

export class TopicNotes {
  readonly #deps: TopicDeps;
  /** By uid; not stored yet. */
  readonly #fresh = new Map<string, Set<string>>();

  constructor(deps: TopicDeps) {
    this.#deps = deps;
  }

  /** Answers whether there is one among them that is news. */
  note(uid: string, topics: readonly string[]): boolean {
    const stored = this.#deps.catalog.get(uid)?.connector.activeTopics ?? [];
    const fresh = topics.filter((topic) => !stored.includes(topic));
    if (fresh.length === 0 || stored.length >= TOPICS_MAX) return false;
    const noted = this.#fresh.get(uid) ?? new Set();
    const { size } = noted;
    for (const topic of fresh) noted.add(topic);
    this.#fresh.set(uid, noted);
    return noted.size > size;
  }

  /** What cannot be stored now, for a conflict or because the store is away or slow, is stored in a later round. */
  async store(signal: CancelSignal): Promise<void> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + STORE_FOR_MS;
    await sideBySide(
      [...this.#fresh],
      STORED_AT_ONCE,
      ([uid, fresh]) => this.#storeOne(uid, fresh),
      () => !signal.aborted && clock.monotonicMs() < untilMs,
    );
  }

  /** One write, with the document as it is remembered; where that is old, the conflict brings the newer one for the next round. */
  async #storeOne(uid: string, fresh: Set<string>): Promise<void> {
    const { store, catalog } = this.#deps;
    const known = catalog.get(uid);
    if (known === undefined) {
      this.#fresh.delete(uid);
      return;
    }
    const { connector, version } = known;
    const topics = [...fresh];
    const activeTopics = [...new Set([...(connector.activeTopics ?? []), ...topics])].slice(0, TOPICS_MAX).sort();
    const value = encodeConnector({ ...connector, activeTopics });
    const result = await store.put(connectorKey(connector.name), value, { ifVersion: version });
    const document = 'version' in result ? { value, version: result.version } : result.current;
    if (document !== null) await catalog.note(connector.name, document);
    if ('conflict' in result && document !== null) return;
    // More may have been told meanwhile.
    for (const topic of topics) fresh.delete(topic);
    if (fresh.size === 0) this.#fresh.delete(uid);
  }
}

/** None, until records are moved again. @throws {ConfigError} when there is no such connector. */
export async function resetTopics(deps: StoreAccess, name: string): Promise<void> {
  for (let conflicts = 0; conflicts <= CONFLICTS_MAX; conflicts += 1) {
    const document = await deps.store.get(connectorKey(name));
    if (document === null) {
      throw new ConfigError([{ path: 'name', message: `Connector ${name} not found` }], { code: 'connector.not_found' });
    }
    const { activeTopics, ...connector } = decodeConnector(document.value, name);
    if (activeTopics === undefined) return;
    const result = await deps.store.put(connectorKey(name), encodeConnector(connector), { ifVersion: document.version });
    if ('version' in result) return noteChange(deps, name);
  }
  throw new RetryableError(`connector ${name} is being changed by others all the time`, { code: 'store.unavailable' });
}
