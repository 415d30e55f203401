/**
 * Notes that tell schedulers in other processes which connectors an operator changed, so that they need not wait for their
 * sweep, and whose work is to start now. A note that is lost costs time, not correctness.
 */
import type { StoreAccess } from '../core/cursor/stored-cursor.ts';
import { RetryableError } from '../core/errors.ts';
import type { StateStore } from '../core/ports.ts';

const PARTITION = 'changes';

/** A scheduler looks every second; what one misses that was busy for longer, its sweep finds. */
const KEPT_MS = 5_000;

/** More changes than this in that time are found by the sweep. */
const NOTES_MAX = 1_000;

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
    const { documents } = await this.#store.list(PARTITION, { limit: NOTES_MAX });
    const fresh = documents.filter(({ key }) => !this.#seen.has(key.sort));
    this.#seen = new Set(documents.map(({ key }) => key.sort));
    const changed = new Set<string>();
    const triggered = new Set<string>();
    for (const { key, value } of fresh) (key.sort.startsWith(TRIGGER) ? triggered : changed).add(value);
    return { changed, triggered };
  }
}
