/** The reference: what somebody would write on `node:sqlite` directly, without expiry, retries and current documents. */
import { DatabaseSync } from 'node:sqlite';

export const RAW_CODE = 'UPDATE document SET value = ?, version = ? WHERE partition = ? AND sort = ? AND version = ?';
const RAW_PRAGMAS = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000';
export const RAW_SETTING = `one prepared statement each, ${RAW_PRAGMAS}; all else as SQLite has it`;

interface RawDocument {
  readonly value: string;
  readonly version: number;
}

export interface RawDocuments {
  insert(sort: string, value: string): void;
  get(sort: string): RawDocument;
  /** Whether the version was still current; the next one is one higher. */
  replace(sort: string, value: string, version: number): boolean;
  close(): void;
}

export function openRawDocuments(path: string): RawDocuments {
  const database = new DatabaseSync(path);
  database.exec(`${RAW_PRAGMAS};
    CREATE TABLE IF NOT EXISTS document (
      partition TEXT NOT NULL, sort TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (partition, sort)
    )`);
  const insert = database.prepare('INSERT INTO document VALUES (?, ?, ?, 1)');
  const select = database.prepare('SELECT value, version FROM document WHERE partition = ? AND sort = ?');
  const update = database.prepare(RAW_CODE);
  return {
    insert: (sort, value) => void insert.run('bench', sort, value),
    get: (sort) => select.get('bench', sort) as unknown as RawDocument,
    replace: (sort, value, version) => update.run(value, version + 1, 'bench', sort, version).changes === 1,
    close: () => database.close(),
  };
}
