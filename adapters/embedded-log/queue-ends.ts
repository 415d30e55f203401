import { queueKey } from '../../core/message-queue.ts';
import type { LogDatabase } from './log-database.ts';

interface QueueEnd {
  readonly key: string;
  next: bigint;
}

/** Where all queues ended when last looked at: one query for thousands of them, and none where nobody has written anything. */
export class QueueEnds {
  readonly #database: LogDatabase;
  readonly #ends = new Map<bigint, QueueEnd>();
  #version: number | null = null;

  constructor(database: LogDatabase) {
    this.#database = database;
  }

  /** Keys of the queues that have another end since the last call, came or went. @throws as `LogDatabase.read`. */
  changed(): readonly string[] {
    return this.#database.read((catalog) => {
      // Asked first: what is written between the two questions is looked at again.
      const version = catalog.version();
      if (version === this.#version) return [];
      const changed: string[] = [];
      const ends = catalog.ends();
      for (const [id, next] of ends) {
        const known = this.#ends.get(id);
        if (known?.next === next) continue;
        const queue = known === undefined ? catalog.queue(id) : undefined;
        const end = known ?? (queue && { key: queueKey(queue), next });
        if (end === undefined) continue;
        end.next = next;
        this.#ends.set(id, end);
        changed.push(end.key);
      }
      if (this.#ends.size > ends.length) changed.push(...this.#forgetOthers(new Set(ends.map(([id]) => id))));
      this.#version = version;
      return changed;
    });
  }

  #forgetOthers(ids: ReadonlySet<bigint>): readonly string[] {
    const gone = [...this.#ends].filter(([id]) => !ids.has(id));
    for (const [id] of gone) this.#ends.delete(id);
    return gone.map(([, { key }]) => key);
  }
}
