/**
 * A database file: found, checked and prepared. `application_id` says that it is ours and of which kind, `user_version` which
 * schema it has. A file of somebody else or of a newer schema is left as it is.
 */
import { DatabaseSync } from 'node:sqlite';
import { FatalTaskError } from '../../core/errors.ts';
import type { DatabaseKind } from './database-kind.ts';
import { pause } from './pause.ts';
import { isBusy, notOfKind, openError } from './sqlite-error.ts';

/** Together 5 s: as long as another process may take to prepare or recover the file. */
const OPEN_ATTEMPTS_MAX = 1_000;
const OPEN_PAUSE_MS = 5;

/**
 * @throws {FatalTaskError} with the kind's code `unusable`: the file cannot be opened, is no database or not of this kind;
 *   `newer`: it is of a newer schema.
 */
export function openDatabase(path: string, kind: DatabaseKind): DatabaseSync {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return openOnce(path, kind);
    } catch (error) {
      if (!isBusy(error) || attempt === OPEN_ATTEMPTS_MAX) throw openError(error, path, kind);
      pause(OPEN_PAUSE_MS);
    }
  }
}

function openOnce(path: string, kind: DatabaseKind): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    const schema = schemaOf(database, path, kind);
    database.exec(kind.settings);
    if (schema === 'none') createSchema(database, path, kind);
    if (kind.additions !== undefined) database.exec(kind.additions);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function createSchema(database: DatabaseSync, path: string, kind: DatabaseKind): void {
  database.exec('BEGIN IMMEDIATE');
  // Another process may have created it since we looked.
  if (schemaOf(database, path, kind) === 'none') {
    database.exec(kind.schema);
    database.exec(`PRAGMA application_id = ${kind.applicationId}; PRAGMA user_version = ${kind.schemaVersion};`);
  }
  database.exec('COMMIT');
}

function schemaOf(database: DatabaseSync, path: string, kind: DatabaseKind): 'none' | 'current' {
  // One statement, so that the three answers belong together.
  const found = database
    .prepare(
      `SELECT application_id AS applicationId, user_version AS version, (SELECT count(*) FROM sqlite_schema) AS objects
       FROM pragma_application_id, pragma_user_version`,
    )
    .get() as { applicationId: number; version: number; objects: number };
  if (found.applicationId === 0 && found.version === 0 && found.objects === 0) return 'none';
  if (found.applicationId !== kind.applicationId) throw notOfKind(path, kind, 'it is a database of another application');
  if (found.version > kind.schemaVersion) throw newerSchema(path, kind, found.version);
  return 'current';
}

function newerSchema(path: string, { what, schemaVersion, codes }: DatabaseKind, version: number): FatalTaskError {
  return new FatalTaskError(
    `the ${what} ${path} has schema ${version}, this version reads up to ${schemaVersion}; next: upgrade this host to the version that wrote it`,
    { code: codes.newer, details: { path, schema: version } },
  );
}
