import type {
  Clock,
  DocumentKey,
  DocumentPage,
  PutCondition,
  PutOptions,
  PutResult,
  StateStore,
  StoredDocument,
} from '../../core/ports.ts';
import { assertDocumentFits } from '../document-limit.ts';
import { assertPageLimit } from '../page-limit.ts';
import { SortedMap } from './sorted-map.ts';

interface Entry extends StoredDocument {
  readonly expiresAtMs: number;
}

/** The `StateStore` of tests, simulations and single processes that may forget everything. */
export class MemoryStateStore implements StateStore {
  readonly #clock: Clock;
  readonly #partitions = new Map<string, SortedMap<Entry>>();
  /** One counter for the whole store: a version stays unused when its document is deleted and created again. */
  #lastVersion = 0;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  async get(key: DocumentKey): Promise<StoredDocument | null> {
    return this.#current(key);
  }

  async put(key: DocumentKey, value: string, condition: PutCondition, options: PutOptions = {}): Promise<PutResult> {
    assertDocumentFits(value, key);
    const current = this.#current(key);
    const holds = 'ifAbsent' in condition ? current === null : current?.version === condition.ifVersion;
    if (!holds) return { conflict: true, current };
    this.#lastVersion += 1;
    const version = String(this.#lastVersion);
    this.#partition(key.partition).set(key.sort, { value, version, expiresAtMs: options.expiresAtMs ?? Infinity });
    return { version };
  }

  async delete(
    key: DocumentKey,
    { ifVersion }: { readonly ifVersion: string },
  ): Promise<{ readonly deleted: true } | { readonly conflict: true; readonly current: StoredDocument }> {
    const current = this.#current(key);
    if (current !== null && current.version !== ifVersion) return { conflict: true, current };
    this.#partitions.get(key.partition)?.delete(key.sort);
    return { deleted: true };
  }

  async list(partition: string, page: { readonly limit: number; readonly after?: string }): Promise<DocumentPage> {
    const { limit, after } = page;
    assertPageLimit(limit);
    const nowMs = this.#clock.nowMs();
    const documents: (StoredDocument & { readonly key: DocumentKey })[] = [];
    for (const [sort, { value, version, expiresAtMs }] of this.#partitions.get(partition)?.entriesAfter(after) ?? []) {
      if (expiresAtMs <= nowMs) continue;
      const last = documents.at(-1);
      if (documents.length === limit && last !== undefined) return { documents, next: last.key.sort };
      documents.push({ key: { partition, sort }, value, version });
    }
    return { documents };
  }

  #partition(partition: string): SortedMap<Entry> {
    const known = this.#partitions.get(partition);
    if (known !== undefined) return known;
    const created = new SortedMap<Entry>();
    this.#partitions.set(partition, created);
    return created;
  }

  /** An expired document is gone for every caller, and is removed by the first one that meets it. */
  #current({ partition, sort }: DocumentKey): StoredDocument | null {
    const documents = this.#partitions.get(partition);
    const entry = documents?.get(sort);
    if (documents === undefined || entry === undefined) return null;
    if (entry.expiresAtMs > this.#clock.nowMs()) return { value: entry.value, version: entry.version };
    documents.delete(sort);
    return null;
  }
}
