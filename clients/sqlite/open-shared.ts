import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { FatalTaskError } from '../../core/errors.ts';

/**
 * How long a statement waits for another process, blocking the thread: transactions of ours last some ten milliseconds. Within
 * one thread nobody waits for anybody, for no transaction of ours is open across an `await`.
 */
const BUSY_TIMEOUT_MS = 1_000;

/**
 * Opens a database that others use, too. The driver is loaded here, so that nothing else needs one.
 *
 * In WAL mode readers and the writer do not hold each other up; the mode stays with the file. A commit is durable when it
 * returns. Foreign keys are not enforced, SQLite's own default: tables are filled in the order in which their topics arrive.
 *
 * Throws what SQLite throws, and a `FatalTaskError` where the file is missing and is not to be created.
 */
export async function openShared(path: string, { create }: { readonly create: boolean }): Promise<DatabaseSync> {
  if (!create && !existsSync(path)) {
    throw new FatalTaskError(`there is no database ${path}; next: correct connection.url, then restart the connector`);
  }
  const driver = await import('node:sqlite');
  const database = new driver.DatabaseSync(path, {
    timeout: BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: false,
    enableDoubleQuotedStringLiterals: false,
  });
  try {
    const mode = database.prepare('PRAGMA journal_mode').get()?.['journal_mode'];
    if (mode !== 'wal') database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
