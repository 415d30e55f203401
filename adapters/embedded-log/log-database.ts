import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../core/ports.ts';
import { openDatabase } from '../sqlite/open-database.ts';
import { databaseError, isBusy, keptBusy } from '../sqlite/sqlite-error.ts';
import { WriteAheadLog } from '../sqlite/write-ahead-log.ts';
import { CatalogChanges } from './catalog-changes.ts';
import { LOG_DATABASE } from './log-schema.ts';
import { TopicCatalog } from './topic-catalog.ts';

/** Another process holds the log for one group of appends: some milliseconds, more on a slow disk. Together at least 10 s. */
const TURNS_MAX = 10_000;
const TURN_SLEEP_MS = 1;

/** Readers wait for nobody, except where another process recovers or closes the file at that moment. */
const READ_WAIT_MS = 5_000;

/** An append changes the page of its queue, seldom another. */
const FRAMES_PER_WRITE = 2;

export interface LogTransaction {
  readonly catalog: TopicCatalog;
  readonly changes: CatalogChanges;
}

/**
 * `log.db`, by two connections: one that writes, and one that reads what was committed. Whoever is in a transaction is alone in
 * it, among all processes: that is the lock under which segment files are written.
 *
 * A transaction is one turn of the event loop, files and all. If others ran meanwhile, one that never lets go of the thread
 * would keep the lock, and every other process waiting, for as long as that thread lives.
 */
export class LogDatabase {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #reading: DatabaseSync;
  readonly #writing: DatabaseSync;
  readonly #beginReading: StatementSync;
  readonly #endReading: StatementSync;
  readonly #catalog: TopicCatalog;
  readonly #transaction: LogTransaction;
  readonly #log: WriteAheadLog;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #isDurable = true;
  /** What went wrong behind the last transaction: the next one tells, before it has done anything. */
  #upkeepError: unknown;

  /** @throws {FatalTaskError} `log.unusable` or `log.newer`, with the path and the next step. */
  constructor({ path, clock }: { readonly path: string; readonly clock: Clock }) {
    this.#path = path;
    this.#clock = clock;
    this.#writing = openDatabase(path, LOG_DATABASE);
    this.#reading = openDatabase(path, LOG_DATABASE);
    this.#reading.exec(`PRAGMA busy_timeout = ${READ_WAIT_MS}`);
    this.#beginReading = this.#reading.prepare('BEGIN');
    this.#endReading = this.#reading.prepare('COMMIT');
    this.#catalog = new TopicCatalog(this.#reading);
    this.#transaction = { catalog: new TopicCatalog(this.#writing), changes: new CatalogChanges(this.#writing) };
    this.#log = new WriteAheadLog(this.#writing);
  }

  /** @throws {RetryableError} `broker.unavailable`. @throws {FatalTaskError} `log.unusable`: the database is damaged. */
  read<Answer>(look: (catalog: TopicCatalog) => Answer): Answer {
    try {
      return look(this.#catalog);
    } catch (error) {
      throw databaseError(error, this.#path, LOG_DATABASE);
    }
  }

  /** Several looks at one moment, which together cost as much as one. @throws as `read`. */
  readTogether<Answer>(look: (catalog: TopicCatalog) => Answer): Answer {
    return this.read((catalog) => {
      this.#beginReading.run();
      try {
        return look(catalog);
      } finally {
        this.#endReading.run();
      }
    });
  }

  /**
   * Runs `body` in a transaction; nothing of it is done when it throws. `durable`: resolves when the machine may lose power,
   * and with it whatever was written before.
   *
   * @throws as `read`, and what `body` throws.
   */
  write<Answer>(body: (transaction: LogTransaction) => Answer, { durable }: { readonly durable: boolean }): Promise<Answer> {
    const turn = this.#lastTurn.then(() => this.#write(body, durable));
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  /** After what is being written. */
  async close(): Promise<void> {
    await this.#lastTurn;
    this.#reading.close();
    this.#writing.close();
  }

  async #write<Answer>(body: (transaction: LogTransaction) => Answer, durable: boolean): Promise<Answer> {
    this.#tellUpkeepError();
    await this.#begin(durable);
    try {
      const answer = body(this.#transaction);
      this.#writing.exec('COMMIT');
      this.#afterCommit();
      return answer;
    } catch (error) {
      if (this.#writing.isTransaction) this.#writing.exec('ROLLBACK');
      throw databaseError(error, this.#path, LOG_DATABASE);
    }
  }

  async #begin(durable: boolean): Promise<void> {
    for (let turn = 1; turn <= TURNS_MAX; turn += 1) {
      try {
        this.#setDurable(durable);
        this.#writing.exec('BEGIN IMMEDIATE');
        return;
      } catch (error) {
        if (!isBusy(error)) throw databaseError(error, this.#path, LOG_DATABASE);
      }
      await this.#clock.sleep(TURN_SLEEP_MS);
    }
    throw keptBusy(this.#path, LOG_DATABASE);
  }

  #setDurable(durable: boolean): void {
    if (durable === this.#isDurable) return;
    this.#writing.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
    this.#isDurable = durable;
  }

  /** The transaction is done: whoever sent would take a failure for one of the records, and send them again. */
  #afterCommit(): void {
    try {
      this.#log.afterWrite(FRAMES_PER_WRITE);
    } catch (error) {
      // Where the file is busy, its upkeep is left to a later one.
      if (!isBusy(error)) this.#upkeepError = error;
    }
  }

  #tellUpkeepError(): void {
    const error = this.#upkeepError;
    this.#upkeepError = undefined;
    if (error !== undefined) throw databaseError(error, this.#path, LOG_DATABASE);
  }
}
