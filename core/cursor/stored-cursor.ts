/**
 * The stored cursor of one shard: pure transitions applied by conditional writes.
 *
 * A conflict brings the current document, and the transition is applied again to that. A write whose reply was lost is sent
 * again: the conflict then brings our own document, and the transition recognises what it finds done.
 */

import { FencedError, RetryableError } from '../errors.ts';
import type { Clock, DocumentKey, Random, StateStore, StoredDocument } from '../ports.ts';
import { parseShardId, type ShardId } from '../shard-id.ts';
import { decodeCursor, encodeCursor } from './codec.ts';
import type { Cursor } from './cursor.ts';

/** Eight holders, an operator and a stale scheduler cannot conflict more often than this before each has had its turn. */
const CONFLICTS_MAX = 64;
const RETRY_FIRST_MS = 10;
const RETRY_MAX_MS = 1_000;

export interface StoreAccess {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
}

export function cursorPartition(uid: string): string {
  return `cursors/${uid}`;
}

export function cursorKey(shard: ShardId): DocumentKey {
  return { partition: cursorPartition(parseShardId(shard).uid), sort: shard };
}

export class StoredCursor<C extends Cursor = Cursor> {
  readonly #deps: StoreAccess;
  readonly #key: DocumentKey;
  readonly shard: ShardId;
  #cursor: C;
  #version: string;
  #text: string;
  /** Since it was found or created. */
  reads = 0;
  writes = 0;
  conflicts = 0;

  /** Of a document that was read already, in a list. */
  static of(deps: StoreAccess, shard: ShardId, document: StoredDocument): StoredCursor {
    return new StoredCursor(deps, shard, document);
  }

  private constructor(deps: StoreAccess, shard: ShardId, document: StoredDocument) {
    this.#deps = deps;
    this.#key = cursorKey(shard);
    this.shard = shard;
    this.#cursor = decodeCursor(document.value, shard) as C;
    this.#version = document.version;
    this.#text = document.value;
  }

  /** `null` when the shard has no cursor. */
  static async read(deps: StoreAccess, shard: ShardId): Promise<StoredCursor | null> {
    const document = await deps.store.get(cursorKey(shard));
    return document === null ? null : new StoredCursor(deps, shard, document);
  }

  /** The new cursor, or the one that somebody else created meanwhile. */
  static async create(deps: StoreAccess, shard: ShardId, cursor: Cursor): Promise<StoredCursor> {
    const value = encodeCursor(cursor);
    const result = await deps.store.put(cursorKey(shard), value, { ifAbsent: true });
    if ('version' in result) return new StoredCursor(deps, shard, { value, version: result.version });
    if (result.current === null) throw new RetryableError(`the cursor of ${shard} came and went`, { code: 'store.unavailable' });
    return new StoredCursor(deps, shard, result.current);
  }

  get cursor(): C {
    return this.#cursor;
  }

  get document(): StoredDocument {
    return { value: this.#text, version: this.#version };
  }

  /**
   * Reads what is stored now.
   *
   * @throws {FencedError} when the cursor was deleted; {RetryableError} when the store does not answer for `forMs`.
   */
  async refresh({ forMs }: { readonly forMs: number }): Promise<C> {
    const pause = this.#pauses(forMs);
    for (;;) {
      this.reads += 1;
      try {
        const document = await this.#deps.store.get(this.#key);
        if (document === null) throw deleted(this.shard);
        if (document.version !== this.#version) this.#adopt(document);
        return this.#cursor;
      } catch (error) {
        await pause(error);
      }
    }
  }

  /**
   * Stores what `transition` makes of the cursor; a transition that answers the cursor it was given writes nothing.
   *
   * @throws whatever the transition throws; {FencedError} when the cursor was deleted; {RetryableError} when the store does
   * not answer for `forMs`.
   */
  async change(transition: (cursor: C) => C, { forMs }: { readonly forMs: number }): Promise<C> {
    const pause = this.#pauses(forMs);
    for (let conflicts = 0; conflicts <= CONFLICTS_MAX; ) {
      const changed = transition(this.#cursor);
      if (changed === this.#cursor) return changed;
      try {
        if (await this.#put(changed)) return changed;
        conflicts += 1;
      } catch (error) {
        await pause(error);
      }
    }
    throw new RetryableError(`more than ${CONFLICTS_MAX} conflicts on the cursor of ${this.shard}`, {
      code: 'store.unavailable',
    });
  }

  /** Waits before another attempt, longer each time; throws what nobody should try again, or what leaves no time for it. */
  #pauses(forMs: number): (error: unknown) => Promise<void> {
    const { clock, random } = this.#deps;
    const untilMs = clock.monotonicMs() + forMs;
    let pauseMs = RETRY_FIRST_MS;
    return async (error) => {
      if (!(error instanceof RetryableError) || clock.monotonicMs() + pauseMs > untilMs) throw error;
      await clock.sleep(pauseMs * (0.5 + random.next() / 2));
      pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS);
    };
  }

  async #put(changed: C): Promise<boolean> {
    const value = encodeCursor(changed);
    this.writes += 1;
    const result = await this.#deps.store.put(this.#key, value, { ifVersion: this.#version });
    if ('version' in result) {
      this.#cursor = changed;
      this.#version = result.version;
      this.#text = value;
      return true;
    }
    this.conflicts += 1;
    if (result.current === null) throw deleted(this.shard);
    this.#adopt(result.current);
    return false;
  }

  #adopt(document: StoredDocument): void {
    this.#cursor = decodeCursor(document.value, this.shard) as C;
    this.#version = document.version;
    this.#text = document.value;
  }
}

function deleted(shard: ShardId): FencedError {
  return new FencedError(`the cursor of shard ${shard} was deleted`);
}
