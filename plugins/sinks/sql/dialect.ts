/**
 * What differs from one SQL database to the next: texts of statements, types of columns, and what a value is bound as. Pure.
 * Names come from records and configurations, so they are always quoted; values are always bound.
 */
import type { Value } from '../../../core/record/schema.ts';
import type { ColumnKind } from './column-kind.ts';

export type SqlValue = null | bigint | number | string | Uint8Array;

/** A value of a record as what is bound for it. @throws {ShapeError} for what the column's kind cannot hold exactly (I8). */
export type Bind = (value: Value) => SqlValue;

export interface SqlDialect {
  quoted(name: string): string;
  /** Two names that mean the same table or column give the same text. */
  folded(name: string): string;
  /** `declared`: the type of the column where it is there already; otherwise it will be one of this kind. */
  bind(kind: ColumnKind, declared: string | undefined): Bind;
  insert(table: string, columns: readonly string[]): string;
  /** `keys` are among the columns. */
  upsert(table: string, columns: readonly string[], keys: readonly string[]): string;
  /** Parameters: the columns that are no keys, in order, then the keys. */
  update(table: string, columns: readonly string[], keys: readonly string[]): string;
  remove(table: string, keys: readonly string[]): string;
  truncate(table: string): string;
  createTable(table: string, columns: readonly NewColumn[], keys: readonly string[]): string;
  addColumn(table: string, column: NewColumn): string;
}

export interface NewColumn {
  readonly name: string;
  readonly kind: ColumnKind;
}
