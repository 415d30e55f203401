/**
 * Rows that `INSERT OR REPLACE` and `UPDATE OR REPLACE` remove because they stand in the way of a unique index: SQLite fires no
 * trigger for them, unless the application asks for recursive ones. (A row of the same primary key is no matter: the new one
 * takes its place. One whose key is the same only to the key's collation is removed, too.)
 *
 * 1. Before a row is written, those that hold its unique values are set aside. Nobody knows yet whether they will be replaced, or
 *    the statement is refused, ignored or turned into an update.
 * 2. After it is written, those set aside that are gone are logged as deleted, before the row itself. Then all are forgotten.
 * 3. A row that is deleted otherwise is logged by its own trigger and not looked for any more.
 *
 * Unique indexes on expressions are not seen.
 */
import { literal, quoted } from '../../../clients/sqlite/quoted.ts';
import type { CapturedTable, UniqueColumn } from './captured-table.ts';
import type { OwnNames } from './own-names.ts';
import { cells, NOW_MS, sameRow } from './trigger-text.ts';

/** Statements for the body of a trigger before a row is written. */
export function setAside({ replaced }: OwnNames, table: CapturedTable, event: 'INSERT' | 'UPDATE'): string {
  const { columns, rowid, capture, unique } = table;
  const isTaken = (column: UniqueColumn): string => {
    const [at, collation] = typeof column === 'number' ? [column] : column;
    const name = quoted(columns[at]?.name ?? '');
    return `r.${name} = NEW.${name}${collation === undefined ? '' : ` COLLATE ${quoted(collation)}`}`;
  };
  const conflicts = unique.map((index) => `(${index.map(isTaken).join(' AND ')})`);
  const itself = event === 'UPDATE' ? ` AND NOT (${sameRow(table, 'r', 'OLD')})` : '';
  const images = columns.map((column) => `r.${quoted(column.name)}`).join(', ');
  return (
    `INSERT INTO ${quoted(replaced)} (capture, row_id, ${cells(columns.length)}) ` +
    `SELECT ${capture}, ${rowid === null ? 'NULL' : `r.${rowid}`}, ${images} FROM ${quoted(table.name)} AS r ` +
    `WHERE (${conflicts.join(' OR ')})${itself};`
  );
}

/** For the body of a trigger after a row was written: first of all. */
export function logReplaced({ replaced, changes }: OwnNames, table: CapturedTable): string {
  const { columns, capture, rowid, key } = table;
  const list = cells(columns.length);
  const there =
    rowid === null
      ? key.map((index) => isVery(`r.${quoted(columns[index]?.name ?? '')}`, `gone.v${index}`)).join(' AND ')
      : `r.${rowid} = gone.row_id`;
  return (
    `INSERT INTO ${quoted(changes)} (capture, op, at_ms, row_id, ${list}) ` +
    `SELECT ${capture}, ${literal('d')}, ${NOW_MS}, gone.row_id, ${list} FROM ${quoted(replaced)} AS gone ` +
    `WHERE gone.capture = ${capture} AND NOT EXISTS (SELECT 1 FROM ${quoted(table.name)} AS r WHERE ${there}); ` +
    `DELETE FROM ${quoted(replaced)} WHERE capture = ${capture};`
  );
}

/** First as an index compares them, by which the row is found, then byte by byte. */
function isVery(column: string, value: string): string {
  return `${column} = ${value} AND ${column} = ${value} COLLATE BINARY`;
}

/** For the body of a trigger after a row was deleted. */
export function forgetDeleted({ replaced }: OwnNames, { capture, rowid, key, columns }: CapturedTable): string {
  const same =
    rowid === null
      ? key.map((index) => `v${index} = OLD.${quoted(columns[index]?.name ?? '')}`).join(' AND ')
      : `row_id = OLD.${rowid}`;
  return `DELETE FROM ${quoted(replaced)} WHERE capture = ${capture} AND ${same};`;
}
