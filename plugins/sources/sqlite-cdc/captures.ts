/** Which tables are captured, and how each looked when its triggers were made. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ensureOwnTables, hasOwnTables, type OwnTables } from '../../../clients/sqlite/own-tables.ts';
import { quoted } from '../../../clients/sqlite/quoted.ts';
import { writing } from '../../../clients/sqlite/transaction.ts';
import { FatalTaskError, RetryableError } from '../../../core/errors.ts';
import { type CapturedTable, type TableLayout, tableLayouts } from './captured-table.ts';
import type { OwnNames } from './own-names.ts';
import { imageColumns, triggers, triggersOf } from './triggers.ts';

function ownTables(names: OwnNames): OwnTables {
  return {
    part: names.part,
    version: 1,
    create: `
      CREATE TABLE IF NOT EXISTS ${quoted(names.changes)} (
        seq INTEGER PRIMARY KEY, capture INTEGER NOT NULL, op TEXT NOT NULL, at_ms INTEGER NOT NULL, row_id INTEGER
      );
      CREATE TABLE IF NOT EXISTS ${quoted(names.captures)} (capture INTEGER PRIMARY KEY AUTOINCREMENT, layout TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS ${quoted(names.replaced)} (capture INTEGER NOT NULL, row_id INTEGER);`,
  };
}

/** A set of triggers that is there. */
interface Installed {
  readonly capture: number;
  /** The table they are on by now. */
  readonly table: string;
  readonly names: readonly string[];
}

interface CapturesOptions {
  readonly path: string;
  readonly names: OwnNames;
  readonly wanted: (table: string) => boolean;
  /** Throws where these tables cannot be captured together: asked before anything is made for them. */
  readonly demand: (tables: readonly TableLayout[]) => void;
}

/** One to make what is missing, one to see that it is there; more only where others change the schema right then. */
const REFRESHES_MAX = 5;

export class Captures {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #names: OwnNames;
  readonly #wanted: (table: string) => boolean;
  readonly #demand: (tables: readonly TableLayout[]) => void;
  readonly #version: StatementSync;
  readonly #layouts = new Map<number, CapturedTable>();
  #knownVersion = -1;
  #current: readonly CapturedTable[] = [];

  constructor(database: DatabaseSync, options: CapturesOptions) {
    this.#database = database;
    this.#path = options.path;
    this.#names = options.names;
    this.#wanted = options.wanted;
    this.#demand = options.demand;
    this.#version = database.prepare('PRAGMA schema_version');
  }

  /** Those whose triggers are there, in the order of their numbers. */
  get current(): readonly CapturedTable[] {
    return this.#current;
  }

  /** Whether the schema is still the one that triggers were made for. */
  isCurrent(): boolean {
    return this.#schemaVersion() === this.#knownVersion;
  }

  /**
   * Makes what is missing: tables of the product, triggers for tables that are new or look different; takes away triggers of
   * tables that are not wanted any more. Any number of processes may do so at once.
   *
   * @throws {FatalTaskError} when the tables that are there by now cannot be captured together; then nothing is changed.
   * @throws {RetryableError} when others change the schema again and again.
   */
  refresh(): void {
    for (let attempt = 1; attempt <= REFRESHES_MAX; attempt += 1) {
      const version = this.#schemaVersion();
      if (this.#isComplete()) {
        this.#knownVersion = version;
        return;
      }
      writing(
        this.#database,
        () => this.#install(),
        () => true,
      );
    }
    throw new RetryableError(`the schema of ${this.#path} changes all the time`, { code: 'source.unavailable' });
  }

  /** @throws {FatalTaskError} for one that was never made in this database. */
  byNumber(capture: number): CapturedTable {
    const known = this.#layouts.get(capture);
    if (known !== undefined) return known;
    const row = this.#database.prepare(`SELECT layout FROM ${quoted(this.#names.captures)} WHERE capture = ?`).get(capture);
    if (row === undefined) {
      throw new FatalTaskError(
        `${this.#path} has changes of a table that ${this.#names.captures} does not describe; next: reset the offsets of the connector to read it anew`,
      );
    }
    const table = { ...(JSON.parse(row['layout'] as string) as TableLayout), capture };
    this.#layouts.set(capture, table);
    return table;
  }

  /** Without a write, so that an opened reader does not wait for the application. */
  #isComplete(): boolean {
    const captures = this.#database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(this.#names.captures);
    if (captures === undefined || !hasOwnTables(this.#database, ownTables(this.#names))) return false;
    const { kept, missing, left } = this.#compare();
    this.#current = kept;
    return missing.length === 0 && left.length === 0;
  }

  #install(): void {
    ensureOwnTables(this.#database, this.#path, ownTables(this.#names));
    const { missing, left } = this.#compare();
    for (const { names } of left) for (const name of names) this.#database.exec(`DROP TRIGGER ${quoted(name)}`);
    for (const layout of missing) this.#add(layout);
  }

  #add(layout: TableLayout): void {
    const { lastInsertRowid } = this.#database
      .prepare(`INSERT INTO ${quoted(this.#names.captures)} (layout) VALUES (?)`)
      .run(JSON.stringify(layout));
    const table = { ...layout, capture: Number(lastInsertRowid) };
    this.#widen(this.#names.changes, imageColumns(table));
    this.#widen(this.#names.replaced, table.columns.length);
    for (const statement of triggers(this.#names, table)) this.#database.exec(statement);
  }

  #widen(table: string, columns: number): void {
    const found = this.#database.prepare("SELECT count(*) AS n FROM pragma_table_info(?) WHERE name LIKE 'v%'").get(table);
    for (let index = found?.['n'] as number; index < columns; index += 1) {
      this.#database.exec(`ALTER TABLE ${quoted(table)} ADD COLUMN v${index}`);
    }
  }

  #compare(): {
    readonly kept: readonly CapturedTable[];
    readonly missing: readonly TableLayout[];
    readonly left: readonly Installed[];
  } {
    const installed = this.#installed();
    const kept: CapturedTable[] = [];
    const missing: TableLayout[] = [];
    const left = new Set(installed);
    const layouts = tableLayouts(this.#database, this.#wanted);
    this.#demand(layouts);
    for (const layout of layouts) {
      const same = installed.find((one) => this.#fits(one, layout));
      if (same === undefined) missing.push(layout);
      else {
        left.delete(same);
        kept.push(this.byNumber(same.capture));
      }
    }
    return { kept: kept.sort((a, b) => a.capture - b.capture), missing, left: [...left] };
  }

  #fits({ capture, table, names }: Installed, layout: TableLayout): boolean {
    if (table !== layout.name || names.length !== triggersOf(layout)) return false;
    const { capture: _capture, ...known } = this.byNumber(capture);
    return JSON.stringify(known) === JSON.stringify(layout);
  }

  #installed(): readonly Installed[] {
    const rows = this.#database
      .prepare('SELECT name, tbl_name AS "table" FROM sqlite_schema WHERE type = \'trigger\' ORDER BY name')
      .all() as unknown as readonly { readonly name: string; readonly table: string }[];
    const sets = Map.groupBy(rows, ({ name }) => this.#names.captureOf(name));
    return [...sets].flatMap(([capture, set]) => {
      const [first] = set;
      return capture === undefined || first === undefined
        ? []
        : [{ capture, table: first.table, names: set.map(({ name }) => name) }];
    });
  }

  #schemaVersion(): number {
    return this.#version.get()?.['schema_version'] as number;
  }
}
