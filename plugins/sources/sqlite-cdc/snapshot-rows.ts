/** The rows of a table in the order of their place, from behind a given one: by rowid, or by primary key where there is none. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { quoted } from '../../../clients/sqlite/quoted.ts';
import type { CapturedTable } from './captured-table.ts';
import type { Cell } from './row-image.ts';

export class SnapshotRows {
  readonly #first: StatementSync;
  readonly #following: StatementSync;
  readonly #rank: StatementSync;
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
    for (const statement of [this.#first, this.#following, this.#rank]) {
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
    }
  }

  /** Each row is its place, then its cells. */
  rows(after: readonly Cell[]): IterableIterator<readonly Cell[]> {
    const rows = after.length === 0 ? this.#first.iterate() : this.#following.iterate(...after);
    return rows as unknown as IterableIterator<readonly Cell[]>;
  }

  /** How many rows there are up to this one. Takes time in proportion to them. */
  rank(after: readonly Cell[]): bigint {
    if (after.length === 0) return 0n;
    const [rows] = this.#rank.get(...after) as unknown as readonly [bigint];
    return rows;
  }

  /** How many cells the place of a row takes. */
  get placeCells(): number {
    return this.#place;
  }
}
