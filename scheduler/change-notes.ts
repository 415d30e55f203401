/**
 * Notes that tell schedulers in other processes which connectors an operator changed, so that they need not wait for their
 * sweep. A note that is lost costs time, not correctness.
 */
import type { StoreAccess } from '../core/cursor/stored-cursor.ts';
import { RetryableError } from '../core/errors.ts';
import type { StateStore } from '../core/ports.ts';

const PARTITION = 'changes';

/** A scheduler looks every second; what one misses that was busy for longer, its sweep finds. */
const KEPT_MS = 5_000;

/** More changes than this in that time are found by the sweep. */
const NOTES_MAX = 1_000;

export async function noteChange({ store, clock, random }: StoreAccess, connector: string): Promise<void> {
  const key = { partition: PARTITION, sort: random.id() };
  try {
    await store.put(key, connector, { ifAbsent: true }, { expiresAtMs: clock.nowMs() + KEPT_MS });
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

  /** Names of connectors that were changed since the last call. */
  async read(): Promise<ReadonlySet<string>> {
    const { documents } = await this.#store.list(PARTITION, { limit: NOTES_MAX });
    const fresh = documents.filter(({ key }) => !this.#seen.has(key.sort));
    this.#seen = new Set(documents.map(({ key }) => key.sort));
    return new Set(fresh.map(({ value }) => value));
  }
}
