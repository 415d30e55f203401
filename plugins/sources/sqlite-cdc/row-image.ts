/**
 * Rows as SQLite gives them, as the values of a schema. A value that is not of its column's declared type keeps its own (I8), and
 * the row gets a schema that says so.
 */

import type { Struct, Value } from '../../../core/record/schema.ts';
import { type StructBuilder, setField } from '../../../core/record/struct.ts';
import type { CapturedColumn, TableLayout } from './captured-table.ts';
import type { ColumnType } from './column-type.ts';

export type Cell = null | bigint | number | string | Uint8Array;

/** The type of a value, by a letter: `.` as declared, `n` a null where none was to be. */
export type TypeLetter = '.' | 'n' | 'i' | 'f' | 's' | 'b';

export interface Image {
  readonly row: Struct;
  /** A letter for each column; empty where all are as declared. */
  readonly types: string;
}

export function imageOf({ columns }: TableLayout, cells: readonly Cell[], from: number): Image {
  const row: StructBuilder = {};
  let differs = false;
  for (let index = 0; index < columns.length; index += 1) {
    const column = columns[index] as CapturedColumn;
    const cell = cells[from + index] as Cell;
    const value = asDeclared(column.type, cell);
    if (value === undefined || (value === null && !column.optional)) differs = true;
    setField(row, column.name, value === undefined ? cell : value);
  }
  return { row, types: differs ? typesOf(columns, cells, from) : '' };
}

/** `undefined` when the value is of another type. */
function asDeclared(type: ColumnType, cell: Cell): Value | undefined {
  if (cell === null) return null;
  switch (type) {
    case 'int64':
      return typeof cell === 'bigint' ? cell : undefined;
    case 'float64':
      return typeof cell === 'number' ? cell : asDouble(cell);
    case 'string':
      return typeof cell === 'string' ? cell : undefined;
    case 'bytes':
      return cell instanceof Uint8Array ? cell : undefined;
    case 'boolean':
      return cell === 0n ? false : cell === 1n ? true : undefined;
  }
}

/** A NUMERIC column keeps whole numbers as integers. */
function asDouble(cell: Cell): number | undefined {
  if (typeof cell !== 'bigint') return undefined;
  const number = Number(cell);
  return Number.isSafeInteger(number) ? number : undefined;
}

function typesOf(columns: readonly CapturedColumn[], cells: readonly Cell[], from: number): string {
  return columns.map((column, index) => letterOf(column, cells[from + index] as Cell)).join('');
}

function letterOf({ type, optional }: CapturedColumn, cell: Cell): TypeLetter {
  const value = asDeclared(type, cell);
  if (value === null) return optional ? '.' : 'n';
  if (value !== undefined) return '.';
  if (typeof cell === 'bigint') return 'i';
  if (typeof cell === 'number') return 'f';
  return typeof cell === 'string' ? 's' : 'b';
}

/** The letters of some of the columns; empty where all are as declared. */
export function typesAt(types: string, indexes: readonly number[]): string {
  if (types === '') return '';
  const letters = indexes.map((index) => types[index] ?? '.').join('');
  return /^\.*$/.test(letters) ? '' : letters;
}
