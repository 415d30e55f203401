/** Tables of the product in a database of somebody else: what their schema is, and who may use it. */
import type { DatabaseSync } from 'node:sqlite';
import { FatalTaskError } from '../../core/errors.ts';

export interface OwnTables {
  /** Names this set of tables: a database may hold several. */
  readonly part: string;
  /** Raised with each change of `create`. */
  readonly version: number;
  /** Statements that create the tables where they are missing. */
  readonly create: string;
}

const VERSIONS = '_sortie_schema';

/**
 * Creates the tables where they are missing. Inside a transaction that may write.
 *
 * @throws {FatalTaskError} when a newer version of the product created them.
 */
export function ensureOwnTables(database: DatabaseSync, path: string, { part, version, create }: OwnTables): void {
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${VERSIONS} (part TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID`,
  );
  const found = versionOf(database, part);
  if (typeof found === 'number' && found > version) {
    throw new FatalTaskError(
      `${part} in ${path} has schema ${found}, this version knows up to ${version}; next: upgrade this host to the version that wrote it`,
      { details: { path, schema: found } },
    );
  }
  database.exec(create);
  if (found === version) return;
  database.prepare(`INSERT OR REPLACE INTO ${VERSIONS} (part, version) VALUES (?, ?)`).run(part, version);
}

/** Whether this very version has made them. */
export function hasOwnTables(database: DatabaseSync, { part, version }: OwnTables): boolean {
  const versions = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(VERSIONS);
  return versions !== undefined && versionOf(database, part) === version;
}

function versionOf(database: DatabaseSync, part: string): unknown {
  return database.prepare(`SELECT version FROM ${VERSIONS} WHERE part = ?`).get(part)?.['version'];
}
