/** Tables of the target: what is there, and what `auto.create` and `auto.evolve` add, inside the transaction of the records. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { FatalTaskError, RecordError } from '../../../core/errors.ts';
import type { SqlDialect } from './dialect.ts';
import type { RowShape } from './row-shape.ts';
import type { SqlSinkSettings } from './sql-config.ts';

/** https://www.sqlite.org/limits.html, read 2026-11-26 */
const COLUMNS_MAX = 2_000;

export class TargetTables {
  readonly #database: DatabaseSync;
  readonly #dialect: SqlDialect;
  readonly #config: SqlSinkSettings;
  readonly #select: StatementSync;
  readonly #version: StatementSync;
  /** Declared types of columns by their names, folded; of tables that are there. */
  readonly #columns = new Map<string, ReadonlyMap<string, string>>();
  #knownVersion = -1;

  constructor(database: DatabaseSync, dialect: SqlDialect, config: SqlSinkSettings) {
    this.#database = database;
    this.#dialect = dialect;
    this.#config = config;
    this.#select = database.prepare('SELECT name, type FROM pragma_table_xinfo(?)');
    this.#version = database.prepare('PRAGMA schema_version');
  }

  /**
   * Whether anybody changed the schema since this was asked last; then nothing of it is known any more. While a transaction that
   * may write lasts, nobody else can.
   */
  hasChanged(): boolean {
    const version = this.#version.get()?.['schema_version'] as number;
    if (version === this.#knownVersion) return false;
    this.#knownVersion = version;
    this.#columns.clear();
    return true;
  }

  has(table: string): boolean {
    return this.#columnsOf(table) !== undefined;
  }

  /** `undefined` where there is no such column yet. */
  declaredType(table: string, column: string): string | undefined {
    return this.#columnsOf(table)?.get(this.#dialect.folded(column));
  }

  /**
   * Sees to it that a row of this shape has a place.
   *
   * @throws {FatalTaskError} naming table, columns and the next step; {RecordError} where the record has more columns than a table takes.
   */
  prepare({ table, columns, keys }: RowShape): void {
    const found = this.#columnsOf(table);
    if (found === undefined) {
      this.#create(table, { columns, keys });
      return;
    }
    const missing = columns.filter(({ name }) => !found.has(this.#dialect.folded(name)));
    if (missing.length === 0) return;
    const names = missing.map(({ name }) => JSON.stringify(name)).join(', ');
    if (!this.#config['auto.evolve'] || missing.some(({ isKey }) => isKey)) {
      throw this.#missing(
        `table ${JSON.stringify(table)} has no column ${names}`,
        missing.some(({ isKey }) => isKey)
          ? 'give the table the key that pk.fields names'
          : 'add it, leave it out with fields.whitelist, or set auto.evolve=true',
      );
    }
    demandRoom(table, found.size + missing.length);
    for (const column of missing) this.#change(this.#dialect.addColumn(table, column), table);
  }

  #create(table: string, { columns, keys }: Pick<RowShape, 'columns' | 'keys'>): void {
    if (!this.#config['auto.create']) throw this.missingTable(table);
    demandRoom(table, columns.length);
    const keyNames = keys.map(({ name }) => name);
    this.#change(this.#dialect.createTable(table, columns, keyNames), table);
  }

  missingTable(table: string): FatalTaskError {
    return this.#missing(
      `there is no table ${JSON.stringify(table)}`,
      'create it, correct table.name.format, or set auto.create=true',
    );
  }

  #change(statement: string, table: string): void {
    try {
      this.#database.exec(statement);
    } finally {
      // What was asked belongs to a transaction that may yet be rolled back.
      this.#knownVersion = -1;
      this.#columns.delete(this.#dialect.folded(table));
    }
  }

  #columnsOf(table: string): ReadonlyMap<string, string> | undefined {
    const folded = this.#dialect.folded(table);
    const known = this.#columns.get(folded);
    if (known !== undefined) return known;
    if (folded.startsWith('_sortie_')) {
      throw this.#missing(`table ${JSON.stringify(table)} is the product's own`, 'correct table.name.format');
    }
    const rows = this.#select.all(table) as unknown as readonly { readonly name: string; readonly type: string }[];
    if (rows.length === 0) return undefined;
    const columns = new Map(rows.map(({ name, type }) => [this.#dialect.folded(name), type]));
    this.#columns.set(folded, columns);
    return columns;
  }

  #missing(what: string, next: string): FatalTaskError {
    return new FatalTaskError(`${what} in ${this.#config['connection.url']}; next: ${next}, then restart the connector`);
  }
}

function demandRoom(table: string, columns: number): void {
  if (columns <= COLUMNS_MAX) return;
  throw new RecordError(
    `table ${JSON.stringify(table)} would have ${columns} columns with this record, ${COLUMNS_MAX} are allowed; next: choose fields with fields.whitelist`,
    { details: { table } },
  );
}
