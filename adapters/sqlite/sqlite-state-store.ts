import type { DatabaseSync } from 'node:sqlite';
import type {
  Clock,
  DocumentKey,
  DocumentPage,
  PutCondition,
  PutOptions,
  PutResult,
  Random,
  StateStore,
  StoredDocument,
} from '../../core/ports.ts';
import { assertDocumentFits } from '../document-limit.ts';
import { assertPageLimit } from '../page-limit.ts';
import { type DocumentStatements, prepareStatements } from './document-statements.ts';
import { openDatabase } from './open-database.ts';
import { pause } from './pause.ts';
import { databaseError, isBusy, keptBusy } from './sqlite-error.ts';
import { PAGE_BYTES, STATE_DATABASE } from './state-database.ts';
import { Upkeep } from './upkeep.ts';

/**
 * A writer holds the file for some 15 us, as long as two or three attempts take, so those come first; SQLite's own waiting
 * begins with 1 ms and soon takes 100. Who still finds the file busy waits for a holder that has lost its processor, and
 * gives up its own. Measured with four processes on two processors, against pauses from the first attempt on: as many
 * writes, and a third of their 99th percentile.
 */
const ATTEMPTS_WITHOUT_PAUSE = 4;
/** The shortest there is: the system makes some 0.1 ms of it. All of them block the thread for about 10 ms. */
const PAUSE_MS = 0.001;
const PAUSES_MAX = 100;

/** Together 5 s, without blocking the thread; then the store counts as unavailable. */
const SLEEPS_MAX = 1_000;
const SLEEP_MS = 5;

/**
 * Documents in one SQLite file, shared by any number of threads and processes of one machine.
 *
 * Each write is one statement, and so one transaction. When its condition does not hold, a read follows, and the answer is
 * as of that read, where the condition does not hold either. The one exception, a document that stood in the way of its
 * own creation and is deleted between the two statements, is tried again.
 */
export class SqliteStateStore implements StateStore {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #database: DatabaseSync;
  readonly #statements: DocumentStatements;
  readonly #upkeep: Upkeep;
  /** A version is this and a counter: no other instance, at any time, writes the same one. */
  readonly #versionPrefix: string;
  #lastVersion = 0;

  /**
   * @throws {FatalTaskError} `store.unusable`: the file cannot be opened, is no database or not ours; `store.document_newer`:
   *   it is of a newer schema. Each names the path and the next step.
   */
  constructor({ path, clock, random }: { readonly path: string; readonly clock: Clock; readonly random: Random }) {
    this.#path = path;
    this.#clock = clock;
    this.#database = openDatabase(path, STATE_DATABASE);
    this.#statements = prepareStatements(this.#database);
    this.#upkeep = new Upkeep(this.#database);
    this.#versionPrefix = random.id();
  }

  get(key: DocumentKey): Promise<StoredDocument | null> {
    return this.#whenFree(() => this.#read(key, this.#clock.nowMs()));
  }

  put(key: DocumentKey, value: string, condition: PutCondition, options: PutOptions = {}): Promise<PutResult> {
    const { partition, sort } = key;
    const { insert, update } = this.#statements;
    const expiresAtMs = options.expiresAtMs ?? null;
    return this.#whenFree((): PutResult | undefined => {
      assertDocumentFits(value, key);
      const nowMs = this.#clock.nowMs();
      const version = this.#newVersion();
      const { changes } =
        'ifAbsent' in condition
          ? insert.run(partition, sort, value, version, expiresAtMs, nowMs)
          : update.run(value, version, expiresAtMs, partition, sort, condition.ifVersion, nowMs);
      if (changes === 1) {
        this.#afterWrite(value.length, nowMs);
        return { version };
      }
      const current = this.#read(key, nowMs);
      return 'ifAbsent' in condition && current === null ? undefined : { conflict: true, current };
    });
  }

  delete(
    key: DocumentKey,
    { ifVersion }: { readonly ifVersion: string },
  ): Promise<{ readonly deleted: true } | { readonly conflict: true; readonly current: StoredDocument }> {
    return this.#whenFree(() => {
      const nowMs = this.#clock.nowMs();
      const { changes } = this.#statements.remove.run(key.partition, key.sort, ifVersion);
      if (changes === 1) {
        this.#afterWrite(0, nowMs);
        return { deleted: true };
      }
      const current = this.#read(key, nowMs);
      return current === null ? { deleted: true } : { conflict: true, current };
    });
  }

  async list(partition: string, page: { readonly limit: number; readonly after?: string }): Promise<DocumentPage> {
    const { limit, after } = page;
    assertPageLimit(limit);
    const { firstPage, followingPage } = this.#statements;
    const rowsMax = limit + 1; // the one beyond the page tells whether another page follows
    const rows = await this.#whenFree(() => {
      const nowMs = this.#clock.nowMs();
      return after === undefined ? firstPage.all(partition, nowMs, rowsMax) : followingPage.all(partition, after, nowMs, rowsMax);
    });
    const found = rows.slice(0, limit) as unknown as (StoredDocument & { readonly sort: string })[];
    const documents = found.map(({ sort, value, version }) => ({ key: { partition, sort }, value, version }));
    const last = found.at(-1);
    return rows.length > limit && last !== undefined ? { documents, next: last.sort } : { documents };
  }

  /** The last one to close the file leaves it without a log beside it. */
  close(): void {
    this.#database.close();
  }

  #read({ partition, sort }: DocumentKey, nowMs: number): StoredDocument | null {
    const row = this.#statements.select.get(partition, sort, nowMs) as StoredDocument | undefined;
    return row === undefined ? null : { value: row.value, version: row.version };
  }

  #newVersion(): string {
    this.#lastVersion += 1;
    return `${this.#versionPrefix}.${this.#lastVersion.toString(36)}`;
  }

  /** The write is done: where upkeep finds the file busy it is left to a later write, and the write is not tried again. */
  #afterWrite(characters: number, nowMs: number): void {
    const frames = 1 + Math.floor(characters / PAGE_BYTES);
    this.#unlessBusy(() => this.#upkeep.afterWrite({ frames, nowMs }));
  }

  /**
   * @throws {RetryableError} `store.unavailable` when others keep the file busy, or the machine refuses to read or write.
   * @throws {FatalTaskError} `store.unusable` when the file turns out to be damaged.
   */
  async #whenFree<Answer>(step: () => Answer | undefined): Promise<Answer> {
    for (let attempt = 1; attempt < ATTEMPTS_WITHOUT_PAUSE + PAUSES_MAX; attempt += 1) {
      const answer = this.#unlessBusy(step);
      if (answer !== undefined) return answer;
      if (attempt >= ATTEMPTS_WITHOUT_PAUSE) pause(PAUSE_MS);
    }
    for (let sleeps = 0; sleeps < SLEEPS_MAX; sleeps += 1) {
      const answer = this.#unlessBusy(step);
      if (answer !== undefined) return answer;
      await this.#clock.sleep(SLEEP_MS);
    }
    throw keptBusy(this.#path, STATE_DATABASE);
  }

  /** `undefined` when somebody else is using the file; nothing was written then. */
  #unlessBusy<Answer>(step: () => Answer): Answer | undefined {
    try {
      return step();
    } catch (error) {
      if (isBusy(error)) return undefined;
      throw databaseError(error, this.#path, STATE_DATABASE);
    }
  }
}
