import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Parameters are in the order of the question marks; the moment compared with `expires_at_ms` is always "now". */
export type DocumentStatements = Readonly<
  Record<'select' | 'insert' | 'update' | 'remove' | 'firstPage' | 'followingPage', StatementSync>
>;

const ALIVE = '(expires_at_ms IS NULL OR expires_at_ms > ?)';

export function prepareStatements(database: DatabaseSync): DocumentStatements {
  return {
    select: database.prepare(`SELECT value, version FROM document WHERE partition = ? AND sort = ? AND ${ALIVE}`),
    // An expired document is replaced as if it were gone.
    insert: database.prepare(
      `INSERT INTO document (partition, sort, value, version, expires_at_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (partition, sort) DO UPDATE
       SET value = excluded.value, version = excluded.version, expires_at_ms = excluded.expires_at_ms
       WHERE document.expires_at_ms <= ?`,
    ),
    update: database.prepare(
      `UPDATE document SET value = ?, version = ?, expires_at_ms = ?
       WHERE partition = ? AND sort = ? AND version = ? AND ${ALIVE}`,
    ),
    remove: database.prepare('DELETE FROM document WHERE partition = ? AND sort = ? AND version = ?'),
    firstPage: database.prepare(
      `SELECT sort, value, version FROM document WHERE partition = ? AND ${ALIVE} ORDER BY sort LIMIT ?`,
    ),
    followingPage: database.prepare(
      `SELECT sort, value, version FROM document WHERE partition = ? AND sort > ? AND ${ALIVE} ORDER BY sort LIMIT ?`,
    ),
  };
}
