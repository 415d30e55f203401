/**
 * The file of a state store: found, checked and prepared. `application_id` says that it is ours, `user_version` which
 * schema it has. A file of somebody else or of a newer schema is left as it is.
 */
import { DatabaseSync } from 'node:sqlite';
import { FatalTaskError } from '../../core/errors.ts';
import { pause } from './pause.ts';
import { isBusy, notAStore, openError } from './sqlite-error.ts';

/** "Srti". */
const APPLICATION_ID = 0x53727469;
const SCHEMA_VERSION = 1;

/**
 * Half of SQLite's default: a commit writes whole pages to the log, and a cursor with eight open slices (1 KB) fits one.
 * Measured with documents of 500 bytes: 2 KB pages take 10-30% less time a write than 4 KB. 1 KB pages take another 10% less
 * for those, but 10% more for documents of 1,000 bytes, which spill over.
 */
export const PAGE_BYTES = 2_048;

/** Together 5 s: as long as another process may take to prepare or recover the file. */
const OPEN_ATTEMPTS_MAX = 1_000;
const OPEN_PAUSE_MS = 5;

/** An ordinary rowid table: documents above a quarter of a page would spill out of one that is clustered by key. */
const SCHEMA = `
  CREATE TABLE document (
    partition TEXT NOT NULL,
    sort TEXT NOT NULL,
    value TEXT NOT NULL,
    version TEXT NOT NULL,
    expires_at_ms INTEGER,
    UNIQUE (partition, sort)
  ) STRICT;
  CREATE INDEX document_expiry ON document (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * @throws {FatalTaskError} `store.unusable`: the file cannot be opened, is no database or not ours; `store.document_newer`:
 *   it is of a newer schema.
 */
export function openDatabase(path: string): DatabaseSync {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return openOnce(path);
    } catch (error) {
      if (!isBusy(error) || attempt === OPEN_ATTEMPTS_MAX) throw openError(error, path);
      pause(OPEN_PAUSE_MS);
    }
  }
}

function openOnce(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    const schema = schemaOf(database, path);
    // A crash of the machine may undo the last writes, never tear them; a crash of the process undoes nothing.
    database.exec(`
      PRAGMA page_size = ${PAGE_BYTES};
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 0;
    `);
    if (schema === 'none') createSchema(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function createSchema(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE');
  // Another process may have created it since we looked.
  if (schemaOf(database, path) === 'none') database.exec(SCHEMA);
  database.exec('COMMIT');
}

function schemaOf(database: DatabaseSync, path: string): 'none' | 'current' {
  // One statement, so that the three answers belong together.
  const found = database
    .prepare(
      `SELECT application_id AS applicationId, user_version AS version, (SELECT count(*) FROM sqlite_schema) AS objects
       FROM pragma_application_id, pragma_user_version`,
    )
    .get() as { applicationId: number; version: number; objects: number };
  if (found.applicationId === 0 && found.version === 0 && found.objects === 0) return 'none';
  if (found.applicationId !== APPLICATION_ID) throw notAStore(path, 'it is a database of another application');
  if (found.version > SCHEMA_VERSION) throw newerSchema(path, found.version);
  return 'current';
}

function newerSchema(path: string, version: number): FatalTaskError {
  return new FatalTaskError(
    `the state store ${path} has schema ${version}, this version reads up to ${SCHEMA_VERSION}; next: upgrade this host to the version that wrote it`,
    { code: 'store.document_newer', details: { path, schema: version } },
  );
}
