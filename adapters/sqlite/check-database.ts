import type { DatabaseSync } from 'node:sqlite';
import type { DatabaseKind } from './database-kind.ts';
import { openDatabase } from './open-database.ts';
import { isBusy, notOfKind, openError } from './sqlite-error.ts';

/**
 * Looks at all of a database, and writes to it once: for whoever starts the product, so that damage in a place that is seldom read
 * and a disk that is full are found while somebody looks. Takes about a second for a gigabyte.
 *
 * @throws {FatalTaskError} as `openDatabase`, and where the file is damaged or cannot be written to.
 */
export function checkDatabase(path: string, kind: DatabaseKind): void {
  const database = openDatabase(path, kind);
  try {
    const result = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (result !== 'ok') throw notOfKind(path, kind, String(result).replaceAll('\n', ' '));
    writeOnce(database);
  } catch (error) {
    throw openError(error, path, kind);
  } finally {
    database.close();
  }
}

/**
 * Changes nothing. Where another process is in the middle of a write nothing is to be found out here, and it may be long: a process
 * that a killed one has left, frozen, must not keep the next one from starting.
 */
function writeOnce(database: DatabaseSync): void {
  try {
    database.exec('BEGIN IMMEDIATE');
  } catch (error) {
    if (isBusy(error)) return;
    throw error;
  }
  // In the transaction, so that it stays what it is.
  database.exec(`PRAGMA user_version = ${database.prepare('PRAGMA user_version').get()?.['user_version']}`);
  database.exec('COMMIT');
}
