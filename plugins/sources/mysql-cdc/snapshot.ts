/**
 * Walks through the tables that are captured, and reads each as a whole, chunk by chunk, in the order of its key.
 *
 * Without a key, so many rows are passed over as were read: a server scans such a table in the same order again, and puts new rows at
 * its end. Each row that is deleted may be one of those, and what comes behind it moves up:
 *
 * 1. For each deletion that the log gives, one row less counts as read, before anything else.
 * 2. When the log was given up to where the chunk is as of, and more were passed over than count as read, it may lack some, and is read
 *    again. It begins earlier then, as more may be deleted meanwhile: rows come again, rather than none.
 */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { filterOf } from './captured-lists.ts';
import { capturedTables, compareNames, keyedTables, type TableName, tableKey } from './captured-tables.ts';
import type { LogCheckpoint, SnapshotProgress, SnapshotScope } from './cdc-checkpoint.ts';
import { rowsPerChunk, type TableFacts, tableFacts } from './chunk-rows.ts';
import type { LoggedChange } from './log-follower.ts';
import { keyCells } from './row-key.ts';
import { SESSION } from './settled-read.ts';
import { SnapshotChunk } from './snapshot-chunk.ts';
import { readTableShape, type TableShape } from './table-shape.ts';

export interface SnapshotOptions {
  readonly connect: () => Promise<MysqlConnection>;
  readonly isWanted: (database: string, table: string) => boolean;
}

export class Snapshot {
  readonly #options: SnapshotOptions;
  #connection: MysqlConnection | null = null;
  /** Those behind the one that is being read. */
  #tables: TableName[] | null = null;
  #progress: SnapshotProgress;
  /** Of the table that is being read. */
  #facts: TableFacts | null = null;
  /** Rows of a table without a key that moved up since the chunk in hand was read. */
  #moved = 0;
  /** So many of its rows are read again. */
  #overlap = 0;
  #rows: number;
  #isEnded = false;

  constructor({ progress, rows }: { readonly progress: SnapshotProgress; readonly rows: number }, options: SnapshotOptions) {
    this.#progress = progress;
    this.#rows = rows;
    this.#options = options;
  }

  get progress(): SnapshotProgress {
    return this.#progress;
  }

  /** Rows that were read, by this snapshot and those before. */
  get rows(): number {
    return this.#rows;
  }

  /** All of the last table was taken. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The next rows, as of some place behind `from`; `null`: all tables are read. */
  async nextChunk(from: LogCheckpoint): Promise<SnapshotChunk | null> {
    const connection = await this.#session();
    for (;;) {
      const shape = await this.#shape(connection);
      if (shape !== null) {
        const { after, rank } = this.#progress;
        this.#facts ??= await tableFacts(connection, [shape.database, shape.table]);
        const rows = rowsPerChunk(this.#facts.rowBytes);
        const skipped = shape.primaryKey.length === 0 ? Math.max(0, rank - this.#overlap) : 0;
        this.#moved = 0;
        const chunk = await SnapshotChunk.read(connection, shape, { from, after, skipped, rows });
        if (chunk.length > 0) this.#facts = { ...this.#facts, rowBytes: Math.ceil(chunk.bytes / chunk.length) };
        // One behind the last row may have missed some.
        if (chunk.length > 0 || skipped > 0) return chunk;
      }
      if (!(await this.#nextTable(connection))) return null;
    }
  }

  /** A change that is given from the log, of any table. */
  note({ layout, change: { before, after } }: LoggedChange): void {
    const { table, rank } = this.#progress;
    if (table === null || table[0] !== layout.database || table[1] !== layout.table || layout.primaryKey.length > 0) return;
    if (before === null || (after !== null && this.#facts?.keepsPlaces === true)) return;
    this.#moved += 1;
    this.#progress = { ...this.#progress, rank: Math.max(0, rank - 1) };
  }

  /** Whether a chunk, once the log was given up to where it is as of, may lack rows between it and the one before. */
  isTorn({ skipped }: SnapshotChunk): boolean {
    if (skipped <= this.#progress.rank) return false;
    this.#overlap = 2 * this.#moved;
    return true;
  }

  /** Behind the rows of this chunk that were taken. */
  async advance(chunk: SnapshotChunk, { rowsBefore }: { readonly rowsBefore: number }): Promise<void> {
    const { taken, lastTaken, shape, isLast, skipped } = chunk;
    const table: TableName = [shape.database, shape.table];
    const isKeyless = shape.primaryKey.length === 0;
    const after = lastTaken === null || isKeyless ? this.#progress.after : keyCells(shape, lastTaken);
    const rank = isKeyless ? Math.max(this.#progress.rank, skipped + taken - this.#moved) : 0;
    this.#progress = { ...this.#progress, table, after, rank };
    this.#rows = rowsBefore + taken;
    if (taken < chunk.length) return;
    this.#overlap = 0;
    if (isLast) this.#isEnded = !(await this.#nextTable(await this.#session()));
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  // -------------------------------------------------------------------------------------------------------------------

  async #session(): Promise<MysqlConnection> {
    if (this.#connection !== null) return this.#connection;
    const connection = await this.#options.connect();
    this.#connection = connection;
    await connection.query(SESSION);
    return connection;
  }

  /** `null`: of no table, or one that was dropped meanwhile. */
  async #shape(connection: MysqlConnection): Promise<TableShape | null> {
    const { table } = this.#progress;
    return table === null ? null : readTableShape(connection, { database: table[0], table: table[1] });
  }

  /** `false`: it was the last. */
  async #nextTable(connection: MysqlConnection): Promise<boolean> {
    this.#tables ??= await this.#tablesBehind(connection);
    const next = this.#tables.shift();
    this.#facts = null;
    this.#overlap = 0;
    if (next === undefined) return false;
    this.#progress = { ...this.#progress, table: next, after: null, rank: 0 };
    return true;
  }

  /** One that is made after the snapshot began need not be among them: all of its rows are in the log. */
  async #tablesBehind(connection: MysqlConnection): Promise<TableName[]> {
    const { table, scope } = this.#progress;
    const isInScope = 'keyless' in scope ? await keylessFilter(connection) : scopeFilter(scope);
    const tables = await capturedTables(connection, (...name) => this.#options.isWanted(...name) && isInScope(name));
    return tables.filter((name) => table === null || compareNames(name, table) > 0);
  }
}

async function keylessFilter(connection: MysqlConnection): Promise<(name: TableName) => boolean> {
  const keyed = await keyedTables(connection);
  return (name) => !keyed.has(tableKey(name));
}

function scopeFilter(scope: Exclude<SnapshotScope, { readonly keyless: true }>): (name: TableName) => boolean {
  if ('tables' in scope) return (name) => scope.tables.includes(name.join('.'));
  if (scope.beside === null) return () => true;
  const isRead = filterOf(scope.beside);
  return (name) => !isRead(...name);
}
