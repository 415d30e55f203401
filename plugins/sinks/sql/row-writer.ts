/** One record into its table, as statements of the transaction that is open. Synchronous. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { RecordError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { Struct, Value } from '../../../core/record/schema.ts';
import { ShapeError } from '../../../core/record/shape-error.ts';
import { fieldOf } from '../../../core/record/struct.ts';
import type { SqlDialect, SqlValue } from './dialect.ts';
import { type RowChange, RowChanges } from './row-change.ts';
import { type Column, type DeclaredType, type RowShape, rowShape } from './row-shape.ts';
import { ShapeCache } from './shape-cache.ts';
import type { SqlSinkSettings } from './sql-config.ts';
import { rowError } from './sql-error.ts';
import { tableNames } from './table-name.ts';
import type { TargetTables } from './target-tables.ts';

const NO_ROW: Struct = {};

export class RowWriter {
  readonly #database: DatabaseSync;
  readonly #dialect: SqlDialect;
  readonly #config: SqlSinkSettings;
  readonly #tables: TargetTables;
  readonly #tableOf: (record: ConnectRecord) => string | null;
  readonly #changes = new RowChanges();
  readonly #shapes: ShapeCache;

  constructor(database: DatabaseSync, dialect: SqlDialect, config: SqlSinkSettings, tables: TargetTables) {
    this.#database = database;
    this.#dialect = dialect;
    this.#config = config;
    this.#tables = tables;
    this.#tableOf = tableNames(config['table.name.format']);
    const declaredType: DeclaredType = (table, column) => tables.declaredType(table, column);
    this.#shapes = new ShapeCache((row) => rowShape(config, dialect, declaredType, row));
  }

  /** Statements of another schema are of no use. */
  forget(): void {
    this.#shapes.clear();
  }

  /** @throws {RecordError} when the row was refused; whatever else is thrown is about more than the record. */
  write(record: ConnectRecord): void {
    const table = this.#tableOf(record);
    if (table === null) return;
    const change = this.#changes.of(record);
    switch (change.kind) {
      case 'write':
        this.#write(table, record, change);
        break;
      case 'delete':
        this.#demandDeletes();
        this.#delete(table, record, change);
        break;
      case 'truncate':
        this.#demandDeletes();
        if (this.#isThere(table)) this.#database.exec(this.#dialect.truncate(table));
    }
  }

  #write(table: string, record: ConnectRecord, { row, schema, before }: RowChange & { readonly kind: 'write' }): void {
    const shape = this.#shapes.of({ table, record, row, schema });
    if (before !== null && this.#config['insert.mode'] !== 'update') this.#removeOld(shape, oldKey(shape, record, before, row));
    const { write = this.#prepareWrite(shape) } = shape.statements;
    run(write, valuesOf(shape.columns, record, row), table);
  }

  #delete(table: string, record: ConnectRecord, { before, schema }: RowChange & { readonly kind: 'delete' }): void {
    const byKey = this.#config['pk.mode'] === 'record_key';
    if (!byKey && before === null)
      throw new RecordError(
        'the record deletes a row without naming it: with pk.mode=record_value, only a row before the change does',
      );
    if (!this.#isThere(table)) return;
    // The key alone decides, so a tombstone and an event of the same key share their shape.
    const row = byKey ? NO_ROW : (before ?? NO_ROW);
    const shape = this.#shapes.of({ table, record, row, schema: byKey ? null : schema });
    this.#remove(shape, valuesOf(shape.keys, record, row));
  }

  #removeOld(shape: RowShape, key: readonly SqlValue[] | null): void {
    if (key !== null && this.#isThere(shape.table)) this.#remove(shape, key);
  }

  #remove(shape: RowShape, key: readonly SqlValue[]): void {
    const { remove = this.#prepareRemove(shape) } = shape.statements;
    run(remove, key, shape.table);
  }

  /** @throws {FatalTaskError} when it is missing and is not to be created. */
  #isThere(table: string): boolean {
    if (this.#tables.has(table)) return true;
    if (this.#config['auto.create']) return false;
    throw this.#tables.missingTable(table);
  }

  #demandDeletes(): void {
    if (!this.#config['delete.enabled']) {
      throw new RecordError('the record deletes; next: set delete.enabled=true, or keep such records out with a transform');
    }
  }

  #prepareWrite(shape: RowShape): StatementSync {
    this.#tables.prepare(shape);
    const { table, columns, keys } = shape;
    const [names, keyNames] = [columns.map(nameOf), keys.map(nameOf)];
    const mode = this.#config['insert.mode'];
    const write = this.#database.prepare(
      mode === 'insert' ? this.#dialect.insert(table, names) : this.#dialect[mode](table, names, keyNames),
    );
    shape.statements.write = write;
    return write;
  }

  #prepareRemove(shape: RowShape): StatementSync {
    const remove = this.#database.prepare(this.#dialect.remove(shape.table, shape.keys.map(nameOf)));
    shape.statements.remove = remove;
    return remove;
  }
}

function nameOf({ name }: Column): string {
  return name;
}

function run(statement: StatementSync, values: readonly SqlValue[], table: string): void {
  try {
    statement.run(...values);
  } catch (error) {
    throw rowError(error, table) ?? error;
  }
}

function valuesOf(columns: readonly Column[], record: ConnectRecord, row: Struct): readonly SqlValue[] {
  const values = new Array<SqlValue>(columns.length);
  for (let index = 0; index < columns.length; index += 1) {
    const column = columns[index] as Column;
    values[index] = bound(column, column.read(record, row));
  }
  return values;
}

/** @throws {RecordError} naming the column. */
function bound({ name, bind, isKey }: Column, value: Value): SqlValue {
  try {
    const sqlValue = bind(value);
    if (sqlValue === null && isKey) throw new ShapeError('a key column must not be null');
    return sqlValue;
  } catch (error) {
    // The stack ends at some ten thousand levels of nesting, a string at half a gigabyte.
    if (!(error instanceof ShapeError) && !(error instanceof RangeError)) throw error;
    throw new RecordError(`column ${JSON.stringify(name)}: ${error.message}`, { details: { column: name }, cause: error });
  }
}

/**
 * The key a row had before a change that moved it to another one; `null` where it stays. A key column that the row does not have
 * under its name cannot be compared.
 */
function oldKey({ keys }: RowShape, record: ConnectRecord, before: Struct, row: Struct): readonly SqlValue[] | null {
  const values: SqlValue[] = [];
  let moved = 0;
  for (const column of keys) {
    const [old, current] = [fieldOf(before, column.name), fieldOf(row, column.name)];
    const isKnown = old !== undefined && current !== undefined;
    const value = bound(column, isKnown ? old : column.read(record, row));
    if (isKnown && !isSame(value, bound(column, current))) moved += 1;
    values.push(value);
  }
  return moved === 0 ? null : values;
}

function isSame(a: SqlValue, b: SqlValue): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
