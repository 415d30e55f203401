/** What the file of a state store needs now and then, done by writers in passing. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { WriteAheadLog } from './write-ahead-log.ts';

/** A sweep removes up to twice the writes since the one before, so expired documents cannot pile up; it takes below 1 ms. */
const WRITES_PER_SWEEP = 128;
const SWEEP_DOCUMENTS_MAX = 256;

export class Upkeep {
  readonly #sweep: StatementSync;
  readonly #log: WriteAheadLog;
  #writes = 0;

  constructor(database: DatabaseSync) {
    this.#log = new WriteAheadLog(database);
    this.#sweep = database.prepare(
      'DELETE FROM document WHERE rowid IN (SELECT rowid FROM document WHERE expires_at_ms <= ? LIMIT ?)',
    );
  }

  /** After each write of about `frames` pages. Throws what SQLite throws, also when busy. */
  afterWrite({ frames, nowMs }: { readonly frames: number; readonly nowMs: number }): void {
    this.#writes += 1;
    if (this.#writes >= WRITES_PER_SWEEP) {
      this.#writes = 0;
      this.#sweep.run(nowMs, SWEEP_DOCUMENTS_MAX);
    }
    this.#log.afterWrite(frames);
  }
}
