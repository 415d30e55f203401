import type { DatabaseSync } from 'node:sqlite';

/**
 * Runs `body` in one transaction that may write, and commits unless it throws or answers `ROLL_BACK`. Synchronous throughout:
 * no other code of this thread comes between.
 */
export function writing<Result>(database: DatabaseSync, body: () => Result, keeps: (result: Result) => boolean): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = body();
    database.exec(keeps(result) ? 'COMMIT' : 'ROLLBACK');
    return result;
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/** Everything that `body` reads is of one moment. Until it is done, nobody else may use this connection. */
export async function reading<Result>(database: DatabaseSync, body: () => Promise<Result>): Promise<Result> {
  database.exec('BEGIN');
  try {
    return await body();
  } finally {
    rollBack(database);
  }
}

/** After some errors (a full disk) SQLite has already rolled back. */
function rollBack(database: DatabaseSync): void {
  if (database.isTransaction) database.exec('ROLLBACK');
}
