/** The key of a row as a text that no other row of its table has; where there is no key, the row as a whole. */
import type { Cell, Row } from '../../../clients/binlog/cell.ts';
import type { TableShape } from './table-shape.ts';

export function rowKey({ primaryKey }: Pick<TableShape, 'primaryKey'>, row: Row): string {
  let text = '';
  if (primaryKey.length === 0) for (const cell of row) text += cellText(cell);
  else for (const index of primaryKey) text += cellText(row[index] as Cell);
  return text;
}

/** Cells of the key, in its order. */
export function keyCells({ primaryKey }: Pick<TableShape, 'primaryKey'>, row: Row): readonly Cell[] {
  return primaryKey.map((index) => row[index] as Cell);
}

/** The names of the key's columns: of tables with other ones, keys cannot be compared. */
export function keyNames({ columns, primaryKey }: Pick<TableShape, 'primaryKey' | 'columns'>): string {
  const names = primaryKey.length === 0 ? columns.map(({ name }) => name) : primaryKey.map((index) => columns[index]?.name);
  return JSON.stringify(names);
}

/** With its length before it, so that two texts cannot be taken for two others. */
function cellText(cell: Cell): string {
  if (cell === null) return '-';
  const text = cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : String(cell);
  return `${text.length}:${text}`;
}
