/**
 * Triggers that write each change of a row into the change log, in the transaction of the change: what is rolled back leaves no
 * trace, and numbers of changes are in the order of commits, for SQLite has one writer at a time.
 *
 * The row after a change is read from the table, not from `NEW`: a trigger of the application may have changed it again, and
 * would have been logged before. Values stay what they are (no JSON: it has no blobs, and older versions write reals with 15
 * digits).
 *
 * Another text needs another version of the layout (`captured-table.ts`): triggers that are there are kept as long as that is the same.
 */
import { literal, quoted } from '../../../clients/sqlite/quoted.ts';
import type { CapturedTable, TableLayout } from './captured-table.ts';
import type { OwnNames } from './own-names.ts';
import { forgetDeleted, logReplaced, setAside } from './replaced-rows.ts';
import { cells, NOW_MS, sameRow } from './trigger-text.ts';

/** Images are in columns v0, v1, ...: one image for a new or deleted row; for a changed one the old, then the new. */
export function imageColumns({ columns }: TableLayout): number {
  return 2 * columns.length;
}

/** How many a table of this layout has. */
export function triggersOf({ unique }: TableLayout): number {
  return unique.length === 0 ? 3 : 5;
}

export function triggers(names: OwnNames, table: CapturedTable): readonly string[] {
  const { columns, rowid, unique } = table;
  const n = columns.length;
  const images = (of: string) => columns.map(({ name }) => `${of}.${quoted(name)}`);
  const into = (count: number) => `INSERT INTO ${quoted(names.changes)} (capture, op, at_ms, row_id, ${cells(count)})`;
  const values = (op: string, of: string, image: readonly string[]) =>
    [table.capture, literal(op), NOW_MS, rowid === null ? 'NULL' : `${of}.${rowid}`, ...image].join(', ');
  const fromTable = (image: 'OLD' | 'NEW') => `FROM ${quoted(table.name)} AS r WHERE ${sameRow(table, 'r', image)}`;
  const create = (when: 'BEFORE' | 'AFTER', event: string, body: string) =>
    `CREATE TRIGGER ${quoted(names.trigger(table.capture, `${when} ${event}`))} ${when} ${event} ON ${quoted(table.name)} FOR EACH ROW BEGIN ${body} END`;
  // A row that was moved, and by now is at neither place: a trigger of the application has moved it on, or deleted it.
  const isNowhere = (['NEW', 'OLD'] as const).map((image) => `NOT EXISTS (SELECT 1 ${fromTable(image)})`).join(' AND ');
  const lost = `${into(n)} SELECT ${values('d', 'OLD', images('OLD'))} WHERE NOT (${sameRow(table, 'OLD', 'NEW')}) AND ${isNowhere};`;
  const replaces = unique.length > 0;
  const first = replaces ? logReplaced(names, table) : '';
  return [
    create('AFTER', 'INSERT', `${first} ${into(n)} SELECT ${values('c', 'r', images('r'))} ${fromTable('NEW')};`),
    create(
      'AFTER',
      'UPDATE',
      `${first} ${into(2 * n)} SELECT ${values('u', 'r', [...images('OLD'), ...images('r')])} ${fromTable('NEW')}; ${lost}`,
    ),
    create(
      'AFTER',
      'DELETE',
      `${into(n)} VALUES (${values('d', 'OLD', images('OLD'))}); ${replaces ? forgetDeleted(names, table) : ''}`,
    ),
    ...(replaces ? (['INSERT', 'UPDATE'] as const).map((event) => create('BEFORE', event, setAside(names, table, event))) : []),
  ];
}
