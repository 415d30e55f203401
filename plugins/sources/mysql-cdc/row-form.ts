/** Rows of a table's layout as structs: of all columns, and of those of its key. Made once for each layout. */
import type { Cell, Row } from '../../../clients/binlog/cell.ts';
import type { Column } from '../../../clients/binlog/column.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import type { Field, Schema, Struct, Value } from '../../../core/record/schema.ts';
import { type StructBuilder, setField } from '../../../core/record/struct.ts';
import type { CdcSettings } from './cdc-config.ts';
import { type ColumnForm, columnForm } from './column-form.ts';
import { type ColumnRule, columnRule, hashed, masked } from './column-rules.ts';
import type { TableShape } from './table-shape.ts';

interface FieldForm {
  readonly name: string;
  /** Of the column, and so of its cell in a row. */
  readonly index: number;
  readonly optional: boolean;
  readonly form: ColumnForm;
}

export class RowForm {
  readonly #table: string;
  readonly #takesInvalid: boolean;
  readonly #fields: readonly FieldForm[];
  readonly #key: readonly FieldForm[];

  constructor({ database, table, columns, primaryKey }: TableShape, config: CdcSettings) {
    this.#table = `${database}.${table}`;
    this.#takesInvalid = config['invalid.dates'] === 'null';
    const all = columns.map((column, index): RuledField => {
      const rule = columnRule(config, `${this.#table}.${column.name}`);
      const isMoment = column.kind === 'date' || column.kind === 'datetime' || column.kind === 'timestamp';
      const optional = column.optional || (isMoment && this.#takesInvalid && config['time.precision.mode'] !== 'string');
      return { name: column.name, index, optional, rule, form: formOf(column, rule, config) };
    });
    this.#fields = all.filter(({ rule }) => rule !== 'leaveOut');
    this.#key = primaryKey.map((index) => all[index] as RuledField);
    const hidden = all.find(({ rule, index }) => rule === 'mask' && primaryKey.includes(index));
    if (hidden !== undefined) throw new FatalTaskError(maskedKey(`${this.#table}.${hidden.name}`));
  }

  get hasKey(): boolean {
    return this.#key.length > 0;
  }

  get fields(): readonly Field[] {
    return schemaFields(this.#fields);
  }

  get keyFields(): readonly Field[] {
    return schemaFields(this.#key);
  }

  row(cells: Row): Struct {
    return this.#struct(this.#fields, cells);
  }

  key(cells: Row): Struct {
    return this.#struct(this.#key, cells);
  }

  isSameKey(a: Row, b: Row): boolean {
    return this.#key.every(({ index }) => isSameCell(a[index] as Cell, b[index] as Cell));
  }

  #struct(fields: readonly FieldForm[], cells: Row): Struct {
    const struct: StructBuilder = {};
    for (let at = 0; at < fields.length; at += 1) {
      const field = fields[at] as FieldForm;
      const cell = cells[field.index] as Cell;
      setField(struct, field.name, cell === null ? null : this.#value(field, cell));
    }
    return struct;
  }

  #value({ name, form }: FieldForm, cell: NonNullable<Cell>): Value {
    const value = form.toValue(cell);
    if (value !== undefined) return value;
    if (this.#takesInvalid) return null;
    throw new FatalTaskError(
      `column ${name} of ${this.#table} holds ${String(cell)}, a date that no calendar has; next: set invalid.dates to null, or time.precision.mode to string`,
    );
  }
}

interface RuledField extends FieldForm {
  readonly rule: ColumnRule;
}

function formOf(column: Column, rule: ColumnRule, config: CdcSettings): ColumnForm {
  if (rule === 'mask') return masked;
  return rule === 'hash' ? hashed(config['column.hash.salt']) : columnForm(column, config);
}

function maskedKey(column: string): string {
  return `column ${column} is masked, and all rows would have the same key; next: hash it, with column.hash.list`;
}

function schemaFields(fields: readonly FieldForm[]): readonly Field[] {
  return fields.map(({ name, optional, form }) => ({ name, schema: { ...form.schema, optional } as Schema }));
}

function isSameCell(a: Cell, b: Cell): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
