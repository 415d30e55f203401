/** Walks through the tables that are captured, and reads each as a whole, chunk by chunk. */
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { filterOf } from './captured-lists.ts';
import { capturedTables, compareNames, type TableName } from './captured-tables.ts';
import type { LogCheckpoint, SnapshotProgress, SnapshotScope } from './cdc-checkpoint.ts';
import { estimatedRowBytes, rowsPerChunk } from './chunk-rows.ts';
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
  #rowBytes: number | null = null;
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
        const rows = await this.#chunkRows(connection, shape);
        const chunk = await SnapshotChunk.read(connection, shape, { from, after: this.#progress.after, rows });
        if (chunk.length > 0) {
          this.#rowBytes = Math.ceil(chunk.bytes / chunk.length);
          return chunk;
        }
      }
      if (!(await this.#nextTable(connection))) return null;
    }
  }

  /** Behind the rows of this chunk that were taken. */
  async advance(chunk: SnapshotChunk, { rowsBefore }: { readonly rowsBefore: number }): Promise<void> {
    const { taken, lastTaken, shape, isLast } = chunk;
    const table: TableName = [shape.database, shape.table];
    const after = lastTaken === null || shape.primaryKey.length === 0 ? this.#progress.after : keyCells(shape, lastTaken);
    this.#progress = { ...this.#progress, table, after };
    this.#rows = rowsBefore + taken;
    if (taken === chunk.length && isLast) this.#isEnded = !(await this.#nextTable(await this.#session()));
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
    this.#rowBytes = null;
    if (next === undefined) return false;
    this.#progress = { ...this.#progress, table: next, after: null };
    return true;
  }

  /** One that is made after the snapshot began need not be among them: all of its rows are in the log. */
  async #tablesBehind(connection: MysqlConnection): Promise<TableName[]> {
    const { table, scope } = this.#progress;
    const isInScope = scopeFilter(scope);
    const tables = await capturedTables(connection, (...name) => this.#options.isWanted(...name) && isInScope(name));
    return tables.filter((name) => table === null || compareNames(name, table) > 0);
  }

  async #chunkRows(connection: MysqlConnection, { database, table }: TableShape): Promise<number> {
    this.#rowBytes ??= await estimatedRowBytes(connection, [database, table]);
    return rowsPerChunk(this.#rowBytes);
  }
}

function scopeFilter(scope: SnapshotScope): (name: TableName) => boolean {
  if ('tables' in scope) return (name) => scope.tables.includes(name.join('.'));
  if (scope.beside === null) return () => true;
  const isRead = filterOf(scope.beside);
  return (name) => !isRead(...name);
}
