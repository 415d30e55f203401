/** Walks through the tables that are captured, and reads each as a whole, chunk by chunk. */
import type { Cell, Row } from '../../../clients/binlog/cell.ts';
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { filterOf } from './captured-lists.ts';
import type { LogCheckpoint, SnapshotProgress, SnapshotScope } from './cdc-checkpoint.ts';
import { SESSION } from './settled-read.ts';
import { SnapshotChunk } from './snapshot-chunk.ts';
import { textLiteral } from './sql-text.ts';
import { readTableShape, type TableShape } from './table-shape.ts';

/** A chunk is kept in memory as a whole: some of these. */
const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNK_ROWS_MAX = 10_000;

/** Of a row that nobody has seen yet, and of which the server says nothing. */
const ROW_BYTES = 1_000;

type TableName = readonly [database: string, table: string];

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
    const after = lastTaken === null || shape.primaryKey.length === 0 ? this.#progress.after : keyOf(shape, lastTaken);
    this.#progress = { ...this.#progress, table, after };
    this.#rows = rowsBefore + taken;
    if (taken === chunk.length && isLast) await this.#nextTable(await this.#session());
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
    const rows = await connection.query(
      "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')",
    );
    const { table, scope } = this.#progress;
    const isInScope = scopeFilter(scope);
    return rows
      .map(([database, name]): TableName => [database ?? '', name ?? ''])
      .filter((name) => this.#options.isWanted(...name) && isInScope(name) && (table === null || compareNames(name, table) > 0))
      .sort(compareNames);
  }

  async #chunkRows(connection: MysqlConnection, { database, table }: TableShape): Promise<number> {
    this.#rowBytes ??= await estimatedRowBytes(connection, [database, table]);
    return Math.min(CHUNK_ROWS_MAX, Math.max(1, Math.floor(CHUNK_BYTES / this.#rowBytes)));
  }
}

function scopeFilter(scope: SnapshotScope): (name: TableName) => boolean {
  if ('tables' in scope) return (name) => scope.tables.includes(name.join('.'));
  if (scope.beside === null) return () => true;
  const isRead = filterOf(scope.beside);
  return (name) => !isRead(...name);
}

async function estimatedRowBytes(connection: MysqlConnection, [database, table]: TableName): Promise<number> {
  const [[bytes] = []] = await connection.query(
    `SELECT AVG_ROW_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${textLiteral(database)} AND TABLE_NAME = ${textLiteral(table)}`,
  );
  return Number(bytes ?? 0) || ROW_BYTES;
}

/** By the units of their texts, whatever order the server has. */
function compareNames(a: TableName, b: TableName): number {
  const [x, y] = [a.join('\0'), b.join('\0')];
  return x < y ? -1 : x > y ? 1 : 0;
}

function keyOf({ primaryKey }: TableShape, row: Row): readonly Cell[] {
  return primaryKey.map((index) => row[index] as Cell);
}
