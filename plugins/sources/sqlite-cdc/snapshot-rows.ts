/** The rows of a table in the order of their place, from behind a given one: by rowid, or by primary key where there is none. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { quoted } from '../../../clients/sqlite/quoted.ts';
import type { CancelSignal, Clock } from '../../../core/ports.ts';
import type { CapturedTable } from './captured-table.ts';
import type { Cell } from './row-image.ts';

/** Counted at once, before others get the thread: there may be any number of rows. About 30 ms. */
const COUNTED_ROWS = 100_000n;

interface Counting {
  readonly clock: Clock;
  readonly signal: CancelSignal;
}

export class SnapshotRows {
  readonly #first: StatementSync;
  readonly #following: StatementSync;
  readonly #rank: StatementSync;
  readonly #below: StatementSync;
  readonly #place: number;

  constructor(database: DatabaseSync, { name, columns, key, rowid }: CapturedTable) {
    const place = rowid === null ? key.map((index) => quoted(columns[index]?.name ?? '')) : [rowid];
    const cells = columns.map((column) => quoted(column.name));
    const select = `SELECT ${[...place, ...cells].join(', ')} FROM ${quoted(name)}`;
    const order = `ORDER BY ${place.join(', ')}`;
    this.#place = place.length;
    this.#first = database.prepare(`${select} ${order}`);
    this.#following = database.prepare(`${select} WHERE (${place.join(', ')}) > (${place.map(() => '?').join(', ')}) ${order}`);
    const upTo = `(${place.join(', ')}) <= (${place.map(() => '?').join(', ')})`;
    this.#rank = database.prepare(`SELECT count(*) FROM ${quoted(name)} WHERE ${upTo}`);
    const down = place.map((column) => `${column} DESC`).join(', ');
    this.#below = database.prepare(
      `SELECT ${place.join(', ')} FROM ${quoted(name)} WHERE ${upTo} ORDER BY ${down} LIMIT 1 OFFSET ${COUNTED_ROWS}`,
    );
    for (const statement of [this.#first, this.#following, this.#rank, this.#below]) {
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
    }
  }

  /** Each row is its place, then its cells. */
  rows(after: readonly Cell[]): IterableIterator<readonly Cell[]> {
    const rows = after.length === 0 ? this.#first.iterate() : this.#following.iterate(...after);
    return rows as unknown as IterableIterator<readonly Cell[]>;
  }

  /** How many rows there are up to this one; `null` once aborted. Takes time in proportion to them, but not the thread. */
  async rank(after: readonly Cell[], { clock, signal }: Counting): Promise<bigint | null> {
    if (after.length === 0) return 0n;
    let counted = 0n;
    for (let upTo = after; ; counted += COUNTED_ROWS) {
      const below = this.#below.get(...upTo) as readonly Cell[] | undefined;
      if (below === undefined) {
        const [rows] = this.#rank.get(...upTo) as unknown as readonly [bigint];
        return counted + rows;
      }
      await clock.sleep(0, signal);
      if (signal.aborted) return null;
      upTo = below;
    }
  }

  /** How many cells the place of a row takes. */
  get placeCells(): number {
    return this.#place;
  }
}
