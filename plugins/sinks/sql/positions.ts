/** Where each shard stands, in the target itself: one row per shard, changed in the transaction of its records. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { OwnTables } from '../../../clients/sqlite/own-tables.ts';
import { FencedError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import { newerGeneration, type SliceIdentity } from '../../api/sink.ts';

export const POSITION_TABLES: OwnTables = {
  part: 'positions',
  version: 1,
  // Generation and epoch fence (I2); the position is JSON, null before the first put.
  create: `CREATE TABLE IF NOT EXISTS _sortie_positions (
    shard TEXT NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    position TEXT
  ) WITHOUT ROWID`,
};

interface Row {
  readonly generation: number;
  readonly epoch: number;
  readonly position: string | null;
}

/** Each method inside a transaction that may write. */
export class Positions {
  readonly #select: StatementSync;
  readonly #take: StatementSync;
  readonly #move: StatementSync;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare('SELECT generation, epoch, position FROM _sortie_positions WHERE shard = ?');
    this.#take = database.prepare(
      'INSERT OR REPLACE INTO _sortie_positions (shard, generation, epoch, position) VALUES (?, ?, ?, ?)',
    );
    this.#move = database.prepare('UPDATE _sortie_positions SET position = ? WHERE shard = ? AND generation = ? AND epoch = ?');
  }

  /** @throws {FatalTaskError} when the row has a higher generation; {FencedError} when it has a higher epoch of the same one (I2). */
  take(slice: SliceIdentity): Json {
    const row = this.#select.get(slice.shard) as Row | undefined;
    if (row !== undefined && row.generation > slice.generation) throw newerGeneration(slice, row.generation);
    const sameGeneration = row?.generation === slice.generation;
    if (sameGeneration && row.epoch > slice.epoch) throw fenced(slice);
    const position = sameGeneration ? row.position : null;
    if (!sameGeneration || row.epoch !== slice.epoch) this.#take.run(slice.shard, slice.generation, slice.epoch, position);
    return position === null ? null : (JSON.parse(position) as Json);
  }

  /** @throws {FencedError} when the row is another epoch's by now (I2). */
  move({ shard, generation, epoch }: SliceIdentity, position: Json): void {
    const { changes } = this.#move.run(JSON.stringify(position), shard, generation, epoch);
    if (changes !== 1) throw fenced({ shard, generation, epoch });
  }
}

function fenced({ shard, generation, epoch }: SliceIdentity): FencedError {
  return new FencedError(`${shard} is no longer written by epoch ${epoch} of generation ${generation}`);
}
