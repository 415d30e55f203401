/**
 * The database of an embedded log, `log.db`: which topics and queues there are, and how much of each queue's files counts.
 *
 * A queue's records lie in segment files, one behind the other, each named by its first offset. All but the last are sealed:
 * they have a row in `segment` and never change. The last is described by the queue itself:
 *
 *     segment_offset   its first offset
 *     segment_bytes    how much of it is in the log; what lies beyond was never acknowledged and is overwritten
 *     synced_bytes     how much of that is known to survive a loss of power
 *     last_batch_at    where its last batch begins
 *     segment_since_ms when its first batch was stored
 *
 * `group_offset` says how far consumer groups have come, for those who look.
 *
 * The last segment may be empty and have no file yet, where the queue is new or everything has expired. Ids are never used again, so a topic
 * that is created again has other queues, and other folders, than before.
 */
import type { DatabaseKind } from '../sqlite/database-kind.ts';

export const LOG_DATABASE_FILE = 'log.db';

export const LOG_DATABASE: DatabaseKind = {
  what: 'log',
  applicationId: 0x5372746c, // "Srtl"
  schemaVersion: 1,
  schema: `
    CREATE TABLE topic (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE queue (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      topic INTEGER NOT NULL,
      number INTEGER NOT NULL,
      min_offset INTEGER NOT NULL DEFAULT 0,
      next_offset INTEGER NOT NULL DEFAULT 0,
      segment_offset INTEGER NOT NULL DEFAULT 0,
      segment_bytes INTEGER NOT NULL DEFAULT 0,
      synced_bytes INTEGER NOT NULL DEFAULT 0,
      last_batch_at INTEGER NOT NULL DEFAULT 0,
      segment_since_ms INTEGER NOT NULL DEFAULT 0,
      stored_at_ms INTEGER NOT NULL,
      UNIQUE (topic, number)
    ) STRICT;
    CREATE TABLE segment (
      queue INTEGER NOT NULL,
      first_offset INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      stored_at_ms INTEGER NOT NULL,
      PRIMARY KEY (queue, first_offset)
    ) STRICT, WITHOUT ROWID;
    -- The newest record of any topic that was deleted: one created again stores later than that, whatever the clock says.
    CREATE TABLE deleted (id INTEGER PRIMARY KEY CHECK (id = 1), stored_at_ms INTEGER NOT NULL) STRICT;
    INSERT INTO deleted VALUES (1, 0);
  `,
  additions: `
    CREATE TABLE IF NOT EXISTS group_offset (
      queue INTEGER NOT NULL,
      name TEXT NOT NULL,
      next_offset INTEGER NOT NULL,
      PRIMARY KEY (queue, name)
    ) STRICT, WITHOUT ROWID;
  `,
  settings: `
    PRAGMA page_size = 2048;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA wal_autocheckpoint = 0;
  `,
  codes: { unusable: 'log.unusable', newer: 'log.newer', unavailable: 'broker.unavailable' },
};
