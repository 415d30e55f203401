/** The table that triggers write to. Numbers have no gaps: each is one more than the largest, and what is rolled back gives its own back. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { quoted } from '../../../clients/sqlite/quoted.ts';
import type { OwnNames } from './own-names.ts';
import type { Cell } from './row-image.ts';

/** Changes that stay behind the checkpoint: for whoever looks into the table, and so that it never becomes empty. */
const KEPT_CHANGES = 10_000n;

/** Deleted at once; fewer are not worth a commit. About 20 ms. */
const PRUNED_CHANGES = 5_000n;

/** `seq, capture, op, at_ms, row_id`, then the images. */
export type ChangeRow = readonly [bigint, bigint, string, bigint, bigint | null, ...Cell[]];

/** Where the images begin. */
export const IMAGES = 5;

export class ChangeLog {
  readonly #database: DatabaseSync;
  readonly #from: StatementSync;
  readonly #bounds: StatementSync;
  readonly #prune: StatementSync;

  constructor(database: DatabaseSync, { changes }: OwnNames) {
    this.#database = database;
    this.#from = database.prepare(`SELECT * FROM ${quoted(changes)} WHERE seq > ? AND seq <= ? ORDER BY seq`);
    this.#bounds = database.prepare(
      `SELECT (SELECT min(seq) FROM ${quoted(changes)}), (SELECT max(seq) FROM ${quoted(changes)})`,
    );
    this.#prune = database.prepare(`DELETE FROM ${quoted(changes)} WHERE seq <= ?`);
    for (const statement of [this.#from, this.#bounds]) {
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
    }
  }

  /** `[first, last]`; `[1, 0]` while it is empty. */
  bounds(): readonly [bigint, bigint] {
    const [first, last] = this.#bounds.get() as unknown as readonly [bigint | null, bigint | null];
    return [first ?? 1n, last ?? 0n];
  }

  /** One by one, so that a batch takes no more memory than its limit. */
  changes(after: bigint, upTo: bigint): IterableIterator<ChangeRow> {
    return this.#from.iterate(after, upTo) as unknown as IterableIterator<ChangeRow>;
  }

  /** Deletes changes that a stored checkpoint covers, a bounded number of them, and never the newest. */
  prune(first: bigint, checkpoint: bigint): void {
    const end = checkpoint - KEPT_CHANGES;
    if (end - first + 1n < PRUNED_CHANGES) return;
    this.#database.exec('PRAGMA busy_timeout = 0');
    try {
      this.#prune.run(first + PRUNED_CHANGES - 1n);
    } finally {
      this.#database.exec('PRAGMA busy_timeout = 1000');
    }
  }
}
