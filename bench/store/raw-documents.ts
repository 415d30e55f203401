/**
 * The reference: what somebody would write on `node:sqlite` directly, without expiry, versions that never return, and
 * current documents. It is set as the store is, since with SQLite's own page size, checkpoints and waiting it would come
 * behind the store, and say nothing about it. Pages of 1 KB would make it some 10% faster with the documents of this
 * benchmark, and slower with the largest cursors.
 */
import { DatabaseSync } from 'node:sqlite';
import { pause } from '../../adapters/sqlite/pause.ts';
import { isBusy } from '../../adapters/sqlite/sqlite-error.ts';

export const RAW_CODE = 'UPDATE document SET value = ?, version = ? WHERE partition = ? AND sort = ? AND version = ?';
const RAW_PRAGMAS = [
  'PRAGMA page_size = 2048',
  'PRAGMA journal_mode = WAL',
  'PRAGMA synchronous = NORMAL',
  'PRAGMA wal_autocheckpoint = 0',
].join('; ');
const WRITES_PER_CHECKPOINT = 4_000;
const LOG_FRAMES_MAX = 16_000;
const RESTART_WAIT_MS = 10;
const ATTEMPTS_WITHOUT_PAUSE = 4;
const PAUSE_MS = 0.001;
/** About a second. */
const ATTEMPTS_MAX = 10_000;
export const RAW_SETTING = `${RAW_PRAGMAS}; a checkpoint every ${WRITES_PER_CHECKPOINT} writes
  on a busy file ${ATTEMPTS_WITHOUT_PAUSE} attempts, then more with the shortest pause between; one prepared statement each`;

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
  const database = new DatabaseSync(path, { timeout: 5_000 });
  database.exec(`${RAW_PRAGMAS};
    CREATE TABLE IF NOT EXISTS document (
      partition TEXT NOT NULL, sort TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (partition, sort)
    );
    PRAGMA busy_timeout = 0`);
  const insert = database.prepare('INSERT INTO document VALUES (?, ?, ?, 1)');
  const select = database.prepare('SELECT value, version FROM document WHERE partition = ? AND sort = ?');
  const update = database.prepare(RAW_CODE);
  const keepLogSmall = logKeeper(database);
  return {
    insert: (sort, value) => void insert.run('bench', sort, value),
    get: (sort) => whenFree(() => select.get('bench', sort)) as unknown as RawDocument,
    replace(sort, value, version) {
      const { changes } = whenFree(() => update.run(value, version + 1, 'bench', sort, version));
      keepLogSmall();
      return changes === 1;
    },
    close: () => database.close(),
  };
}

function logKeeper(database: DatabaseSync): () => void {
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  const restart = database.prepare('PRAGMA wal_checkpoint(RESTART)');
  let writes = 0;
  return () => {
    writes += 1;
    if (writes % WRITES_PER_CHECKPOINT !== 0) return;
    const { log } = checkpoint.get() as { log: number };
    if (log <= LOG_FRAMES_MAX) return;
    database.exec(`PRAGMA busy_timeout = ${RESTART_WAIT_MS}`);
    restart.get();
    database.exec('PRAGMA busy_timeout = 0');
  };
}

function whenFree<Answer>(step: () => Answer): Answer {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return step();
    } catch (error) {
      if (!isBusy(error) || attempt === ATTEMPTS_MAX) throw error;
      if (attempt >= ATTEMPTS_WITHOUT_PAUSE) pause(PAUSE_MS);
    }
  }
}
