/**
 * Keeps in each connector's document from or to which topics records were moved. That is told by invocations as they end; what a
 * scheduler that dies had not stored yet, it is told again by the next one.
 */
import { type Connector, connectorKey, decodeConnector, encodeConnector } from '../core/connector.ts';
import type { StoreAccess } from '../core/cursor/stored-cursor.ts';
import { ConfigError, FatalTaskError, RetryableError } from '../core/errors.ts';
import type { CancelSignal, StateStore, StoredDocument } from '../core/ports.ts';
import { noteChange } from './change-notes.ts';
import type { ConnectorCatalog } from './connector-catalog.ts';

/** Of one connector: the document is read whenever anything is done to it. */
const TOPICS_MAX = 1_000;

/** Others who write the document at the same time. */
const CONFLICTS_MAX = 16;

interface TopicDeps {
  readonly store: StateStore;
  readonly catalog: Pick<ConnectorCatalog, 'get' | 'read'>;
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

  /** What cannot be stored now, for a conflict or because the store is away, is stored in a later round. */
  async store(signal: CancelSignal): Promise<void> {
    const { store, catalog } = this.#deps;
    for (const [uid, fresh] of this.#fresh) {
      if (signal.aborted) return;
      const known = catalog.get(uid);
      const topics = [...fresh];
      const end = known === undefined ? 'gone' : await storeTopics(store, known.connector, topics);
      if (end === 'conflict') continue;
      // More may have been told meanwhile.
      for (const topic of topics) fresh.delete(topic);
      if (fresh.size === 0) this.#fresh.delete(uid);
      if (end === 'stored' && known !== undefined) await catalog.read(known.connector.name);
    }
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

async function storeTopics(
  store: StateStore,
  { name, uid }: Connector,
  fresh: readonly string[],
): Promise<'stored' | 'gone' | 'conflict'> {
  const document = await store.get(connectorKey(name));
  const stored = document === null ? null : readable(document, name);
  if (document === null || stored?.uid !== uid) return 'gone';
  const activeTopics = [...new Set([...(stored.activeTopics ?? []), ...fresh])].slice(0, TOPICS_MAX).sort();
  const value = encodeConnector({ ...stored, activeTopics });
  const result = await store.put(connectorKey(name), value, { ifVersion: document.version });
  return 'version' in result ? 'stored' : 'conflict';
}

/** `null`: a later version wrote it, or it is corrupt, which whoever reads it next says. */
function readable({ value }: StoredDocument, name: string): Connector | null {
  try {
    return decodeConnector(value, name);
  } catch (error) {
    if (error instanceof FatalTaskError) return null;
    throw error;
  }
}
