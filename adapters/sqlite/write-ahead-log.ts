/**
 * What was appended to a database's write-ahead log moves into the database, now and then, by writers in passing.
 *
 * SQLite's own checkpoints are off. They are all of the gentle kind, which cannot start the log anew while other processes
 * write: the log grows without end, and every commit beyond the threshold pays for an fsync.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** 8 MB of 2 KB pages: two fsyncs (together 6 to 21 ms) once in 4,000 writes stay far outside of the 99th percentile. */
const FRAMES_PER_CHECKPOINT = 4_000;

/** 32 MB. From here on all writers are held up for the milliseconds that the rest takes, and the log starts anew. */
const LOG_FRAMES_MAX = 16_000;

/** How long a restart waits for readers to leave the log: they need microseconds, unless they lose their processor. */
const RESTART_WAIT_MS = 10;

export class WriteAheadLog {
  readonly #database: DatabaseSync;
  readonly #look: StatementSync;
  readonly #gentleCheckpoint: StatementSync;
  readonly #restartingCheckpoint: StatementSync;
  /**
   * At most so many frames of the log are not in the database yet, as far as this process knows. It begins with what makes
   * the first write look: many processes end before their own writes are enough for a checkpoint.
   */
  #frames = FRAMES_PER_CHECKPOINT;

  constructor(database: DatabaseSync) {
    this.#database = database;
    // About 2 us. SQLite before 3.51 takes it for a gentle checkpoint, and then every process begins with one.
    this.#look = database.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.#gentleCheckpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
    this.#restartingCheckpoint = database.prepare('PRAGMA wal_checkpoint(RESTART)');
  }

  /** After each write of about `frames` pages. Throws what SQLite throws, also when busy. */
  afterWrite(frames: number): void {
    this.#frames += frames;
    if (this.#frames < FRAMES_PER_CHECKPOINT) return;
    // Others write and move the log, too, so its own state decides.
    const { log, checkpointed } = this.#look.get() as { log: number; checkpointed: number };
    this.#frames = log - checkpointed;
    if (this.#frames < FRAMES_PER_CHECKPOINT && log <= LOG_FRAMES_MAX) return;
    this.#frames = 0;
    this.#move();
  }

  #move(): void {
    const { log } = this.#gentleCheckpoint.get() as { log: number };
    if (log <= LOG_FRAMES_MAX) return;
    this.#database.exec(`PRAGMA busy_timeout = ${RESTART_WAIT_MS}`);
    try {
      this.#restartingCheckpoint.get();
    } finally {
      this.#database.exec('PRAGMA busy_timeout = 0');
    }
  }
}
