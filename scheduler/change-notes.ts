/**
 * Notes that tell schedulers in other processes which connectors an operator changed, so that they need not wait for their
 * sweep, and whose work is to start now. A note that is lost costs time, not correctness.
 */
import type { StoreAccess } from '../core/cursor/stored-cursor.ts';
import { documentsIn, type ListedDocument } from '../core/document-pages.ts';
import { RetryableError } from '../core/errors.ts';
import type { StateStore } from '../core/ports.ts';

const PARTITION = 'changes';

/**
 * A scheduler looks every second. Its round may take as long as two calls to a store that does not answer, and its clock may be
 * ahead of the writer's. A change that is missed for all that is found by the sweep; a trigger is not.
 */
const KEPT_MS = 30_000;

const PAGE_DOCUMENTS = 1_000;
/** As many as if each of ten thousand connectors was changed. */
const NOTES_MAX = 10_000;

/** No id has a slash in it. */
const TRIGGER = 'trigger/';

export interface Notes {
  /** Names of connectors that were changed. */
  readonly changed: ReadonlySet<string>;
  /** Uids of connectors whose work is to start now. */
  readonly triggered: ReadonlySet<string>;
}

export function noteChange(deps: StoreAccess, connector: string): Promise<void> {
  return note(deps, { sort: deps.random.id(), about: connector });
}

export function noteTrigger(deps: StoreAccess, uid: string): Promise<void> {
  return note(deps, { sort: `${TRIGGER}${deps.random.id()}`, about: uid });
}

async function note(
  { store, clock }: StoreAccess,
  { sort, about }: { readonly sort: string; readonly about: string },
): Promise<void> {
  try {
    await store.put({ partition: PARTITION, sort }, about, { ifAbsent: true }, { expiresAtMs: clock.nowMs() + KEPT_MS });
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
  }
}

/** Reads notes, each once. */
export class ChangeNotes {
  readonly #store: StateStore;
  #seen: ReadonlySet<string> = new Set();

  constructor({ store }: { readonly store: StateStore }) {
    this.#store = store;
  }

  /** Those that were left since the last call. */
  async read(): Promise<Notes> {
    const notes = await this.#list();
    const fresh = notes.filter(({ key }) => !this.#seen.has(key.sort));
    this.#seen = new Set(notes.map(({ key }) => key.sort));
    const changed = new Set<string>();
    const triggered = new Set<string>();
    for (const { key, value } of fresh) (key.sort.startsWith(TRIGGER) ? triggered : changed).add(value);
    return { changed, triggered };
  }

  async #list(): Promise<readonly ListedDocument[]> {
    const notes: ListedDocument[] = [];
    for await (const note of documentsIn(this.#store, PARTITION, { pageDocuments: PAGE_DOCUMENTS })) {
      notes.push(note);
      if (notes.length >= NOTES_MAX) break;
    }
    return notes;
  }
}
