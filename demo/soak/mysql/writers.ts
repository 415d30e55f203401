/** People who change the tables all at once: rows, keys and columns, in transactions of 1 to 20,000 rows, some of them rolled back. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import { MysqlRefusal } from '../../../clients/mysql/mysql-failure.ts';
import { seededRandom } from '../../seeded-random.ts';
import { BUSY_TABLES, type BusyTable, insertInto, keyIs, ROWS, rowOf } from './busy-tables.ts';
import { DATABASE } from './table-rows.ts';

const WRITERS = 4;
const STEP_EVERY_MS = 10;

const BULK_ROWS_MAX = 20_000;
/** Of each writer. */
const BULK_EVERY_MS = 12_000;
const COLUMN_EVERY_MS = 1_500;

const ROLLBACK_SHARE = 0.15;

/** Keys of rows that came with many others. */
const BULK_FROM = 1_000_000;

const STATEMENT_TIMEOUT_MS = 60_000;
const CONNECT_EVERY_MS = 100;

/** Two that wait for each other; one that waits too long; a column that is there already, or gone. */
const EXPECTED_REFUSALS: ReadonlySet<number> = new Set([1_213, 1_205, 1_054, 1_060, 1_091]);

/** Whoever waits for another one gives up soon, and gaps between rows are nobody's. */
const SESSION = [
  'SET innodb_lock_wait_timeout = 2, lock_wait_timeout = 5',
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];

export class Writers {
  /** Those that were committed, as far as anybody knows. */
  transactions = 0;
  readonly #connect: () => Promise<MysqlConnection>;
  readonly #random: () => number;
  /** Columns that were added, by their tables. */
  readonly #columns = new Map<string, string>();
  #columnsAdded = 0;
  #bulks = 0;

  constructor(connect: () => Promise<MysqlConnection>, { seed }: { readonly seed: number }) {
    this.#connect = connect;
    this.#random = seededRandom(seed);
  }

  /** Until `closed` aborts, whatever happens to the server meanwhile. */
  async run(closed: AbortSignal): Promise<void> {
    const writing = Array.from({ length: WRITERS }, () => this.#keepOn(closed, (connection) => this.#write(connection, closed)));
    await Promise.all([...writing, this.#keepOn(closed, (connection) => this.#redesign(connection, closed))]);
  }

  async #keepOn(closed: AbortSignal, work: (connection: MysqlConnection) => Promise<void>): Promise<void> {
    while (!closed.aborted) {
      const connection = await this.#connect().catch(() => null);
      if (connection === null) {
        await sleep(CONNECT_EVERY_MS);
        continue;
      }
      try {
        for (const statement of SESSION) await connection.query(statement);
        await work(connection);
      } catch (error) {
        // The server went away.
        if (error instanceof MysqlRefusal) throw error;
      } finally {
        connection.close();
      }
    }
  }

  async #write(connection: MysqlConnection, closed: AbortSignal): Promise<void> {
    for (let bulkAtMs = 0; !closed.aborted; ) {
      const isBulk = performance.now() >= bulkAtMs;
      if (isBulk) bulkAtMs = performance.now() + BULK_EVERY_MS;
      await this.#transaction(connection, isBulk ? this.#bulk() : this.#few());
      await sleep(STEP_EVERY_MS);
    }
  }

  async #transaction(connection: MysqlConnection, statements: readonly string[]): Promise<void> {
    const end = this.#random() < ROLLBACK_SHARE ? 'ROLLBACK' : 'COMMIT';
    try {
      for (const statement of ['BEGIN', ...statements, end]) await connection.query(statement, STATEMENT_TIMEOUT_MS);
      if (end === 'COMMIT') this.transactions += 1;
    } catch (error) {
      if (!(error instanceof MysqlRefusal) || !EXPECTED_REFUSALS.has(error.errno)) throw error;
      await connection.query('ROLLBACK');
    }
  }

  /** Of 1 to 20,000 rows, small ones as often as large ones; the first is as large as they get. */
  #bulk(): readonly string[] {
    const table = this.#table();
    const count = this.#bulks === 0 ? BULK_ROWS_MAX : Math.ceil(BULK_ROWS_MAX ** this.#random());
    this.#bulks += 1;
    if (this.#bulks > BUSY_TABLES.length && this.#random() < 0.5)
      return [`DELETE FROM ${DATABASE}.${table.name} WHERE note = 'bulk' LIMIT ${count}`];
    const from = BULK_FROM + this.#bulks * BULK_ROWS_MAX;
    const rows = Array.from({ length: count }, (_, index) => rowOf(table, from + index, 'bulk'));
    return [insertInto(table, rows), `UPDATE ${DATABASE}.${table.name} SET v = v + 1 WHERE ${keyIs(table, from)}`];
  }

  #few(): readonly string[] {
    return Array.from({ length: 1 + this.#below(4) }, () => this.#change(this.#table())).flat();
  }

  #change(table: BusyTable): readonly string[] {
    const name = `${DATABASE}.${table.name}`;
    const [one, other] = [keyIs(table, this.#number()), keyIs(table, this.#number(), ', ')];
    const dice = this.#random();
    if (dice < 0.2)
      return [`UPDATE ${name} SET v = v + 1 WHERE ${one}`, `UPDATE ${name} SET v = v + 1, note = NULL WHERE ${one}`];
    if (dice < 0.35) return [`UPDATE ${name} SET v = v + 1, note = '${this.#number()} ß' LIMIT ${1 + this.#below(20)}`];
    if (dice < 0.55) return [`${insertInto(table, [rowOf(table, this.#number())])} ON DUPLICATE KEY UPDATE v = v + 1`];
    if (dice < 0.65) return [`DELETE FROM ${name} WHERE ${one}`];
    if (dice < 0.7)
      return [
        `DELETE FROM ${name} WHERE ${one}`,
        `${insertInto(table, [rowOf(table, this.#number())])} ON DUPLICATE KEY UPDATE v = v + 1`,
      ];
    if (dice < 0.8) return ['SAVEPOINT s', `DELETE FROM ${name} WHERE ${one}`, 'ROLLBACK TO s'];
    if (dice < 0.9) return [`UPDATE IGNORE ${name} SET ${other}, v = v + 1 WHERE ${one}`];
    const column = this.#columns.get(table.name);
    return column === undefined ? [] : [`UPDATE ${name} SET v = v + 1, ${column} = ${this.#number()} WHERE ${one}`];
  }

  /** Columns come and go; each has a name of its own. */
  async #redesign(connection: MysqlConnection, closed: AbortSignal): Promise<void> {
    while (!closed.aborted) {
      const { name } = this.#table();
      const added = this.#columns.get(name);
      this.#columnsAdded += 1;
      const column = `c${this.#columnsAdded}`;
      const type = ['INT', 'VARCHAR(20) FIRST', 'DECIMAL(12,2) AFTER v'][this.#below(3)] ?? '';
      const change = added === undefined ? `ADD COLUMN ${column} ${type}` : `DROP COLUMN ${added}`;
      await this.#transaction(connection, [`ALTER TABLE ${DATABASE}.${name} ${change}`]);
      if (added === undefined) this.#columns.set(name, column);
      else this.#columns.delete(name);
      await sleep(COLUMN_EVERY_MS);
    }
  }

  #table(): BusyTable {
    return BUSY_TABLES[this.#below(BUSY_TABLES.length)] as BusyTable;
  }

  /** Of a row, as often one that is there as one that is not. */
  #number(): number {
    return this.#below(ROWS * 2);
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}
