/**
 * The target of one shard. Each call is one transaction without an `await` inside: it fences, writes and moves the position
 * together, or changes nothing.
 */
import type { DatabaseSync } from 'node:sqlite';
import { openShared } from '../../../clients/sqlite/open-shared.ts';
import { ensureOwnTables } from '../../../clients/sqlite/own-tables.ts';
import { writing } from '../../../clients/sqlite/transaction.ts';
import { RecordError, RetryableError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import type { CancelSignal } from '../../../core/ports.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import {
  ALL_TAKEN,
  type PutBatch,
  type PutFailure,
  type PutResult,
  type SinkWriter,
  type SliceIdentity,
} from '../../api/sink.ts';
import { POSITION_TABLES, Positions } from './positions.ts';
import { RowWriter } from './row-writer.ts';
import type { SqlSinkSettings } from './sql-config.ts';
import { targetError } from './sql-error.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { TargetTables } from './target-tables.ts';

export class SqlWriter implements SinkWriter {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #positions: Positions;
  readonly #tables: TargetTables;
  readonly #rows: RowWriter;

  private constructor(database: DatabaseSync, config: SqlSinkSettings) {
    this.#path = config['connection.url'];
    this.#database = database;
    this.#positions = new Positions(database);
    this.#tables = new TargetTables(database, sqliteDialect, config);
    this.#rows = new RowWriter(database, sqliteDialect, config, this.#tables);
  }

  /** @throws {FatalTaskError} when the file cannot be used, or a newer version has written it; {RetryableError} while it is busy. */
  static async open(config: SqlSinkSettings): Promise<SqlWriter> {
    const path = config['connection.url'];
    let database: DatabaseSync | null = null;
    try {
      const opened = await openShared(path, { create: true });
      database = opened;
      writing(
        opened,
        () => ensureOwnTables(opened, path, POSITION_TABLES),
        () => true,
      );
      return new SqlWriter(opened, config);
    } catch (error) {
      database?.close();
      throw targetError(error, path);
    }
  }

  async begin(slice: SliceIdentity, signal: CancelSignal): Promise<Json> {
    return this.#transact(
      signal,
      () => this.#positions.take(slice),
      () => true,
    );
  }

  async put(batch: PutBatch, signal: CancelSignal): Promise<PutResult> {
    const failures = this.#transact(
      signal,
      () => {
        this.#positions.move(batch, batch.position);
        if (this.#tables.hasChanged()) this.#rows.forget();
        return this.#write(batch.records);
      },
      ({ length }) => length === 0,
    );
    return failures.length === 0 ? ALL_TAKEN : { failures };
  }

  async flush(): Promise<void> {
    // A commit is durable when it returns.
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  /** All records are looked at, so that whatever is wrong with the batch is known at once. */
  #write(records: readonly ConnectRecord[]): readonly PutFailure[] {
    const failures: PutFailure[] = [];
    for (let index = 0; index < records.length; index += 1) {
      try {
        this.#rows.write(records[index] as ConnectRecord);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        failures.push({ index, error });
      }
    }
    return failures;
  }

  #transact<Result>(signal: CancelSignal, body: () => Result, keeps: (result: Result) => boolean): Result {
    if (signal.aborted) throw new RetryableError('the write was aborted', { code: 'target.timed_out' });
    try {
      return writing(this.#database, body, keeps);
    } catch (error) {
      throw targetError(error, this.#path);
    }
  }
}
