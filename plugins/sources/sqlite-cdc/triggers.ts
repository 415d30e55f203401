/**
 * Triggers that write each change of a row into the change log, in the transaction of the change: what is rolled back leaves no
 * trace, and numbers of changes are in the order of commits, for SQLite has one writer at a time.
 *
 * The row after a change is read from the table, not from `NEW`: a trigger of the application may have changed it again, and
 * would have been logged before. Values stay what they are (no JSON: it has no blobs, and older versions write reals with 15
 * digits). The application's own SQLite runs the triggers, so they use nothing that is newer than 3.8.
 */
import { literal, quoted } from '../../../clients/sqlite/quoted.ts';
import type { CapturedTable } from './captured-table.ts';
import type { OwnNames } from './own-names.ts';

/** Images are in columns v0, v1, ...: one image for a new or deleted row; for a changed one the old, then the new. */
export function imageColumns({ columns }: Pick<CapturedTable, 'columns'>): number {
  return 2 * columns.length;
}

const NOW_MS = "CAST((julianday('now') - 2440587.5) * 86400000.0 + 0.5 AS INTEGER)";

export function triggers(names: OwnNames, table: CapturedTable): readonly string[] {
  const { columns, rowid } = table;
  const images = (of: string) => columns.map(({ name }) => `${of}.${quoted(name)}`);
  const known = (of: string) => (rowid === null ? 'NULL' : `${of}.${rowid}`);
  const into = (count: number) => {
    const cells = Array.from({ length: count }, (_, index) => `v${index}`);
    return `INSERT INTO ${quoted(names.changes)} (${['capture', 'op', 'at_ms', 'row_id', ...cells].join(', ')})`;
  };
  const values = (op: string, of: string, cells: readonly string[]) =>
    [table.capture, literal(op), NOW_MS, known(of), ...cells].join(', ');
  const fromTable = `FROM ${quoted(table.name)} AS now_there WHERE ${sameRow(table)}`;
  const create = (event: string, body: string) =>
    `CREATE TRIGGER ${quoted(names.trigger(table.capture, event))} AFTER ${event} ON ${quoted(table.name)} FOR EACH ROW BEGIN ${body}; END`;
  const n = columns.length;
  return [
    create('INSERT', `${into(n)} SELECT ${values('c', 'now_there', images('now_there'))} ${fromTable}`),
    create(
      'UPDATE',
      `${into(2 * n)} SELECT ${values('u', 'now_there', [...images('OLD'), ...images('now_there')])} ${fromTable}`,
    ),
    create('DELETE', `${into(n)} VALUES (${values('d', 'OLD', images('OLD'))})`),
  ];
}

function sameRow({ rowid, key, columns }: CapturedTable): string {
  if (rowid !== null) return `now_there.${rowid} = NEW.${rowid}`;
  return key
    .map((index) => quoted(columns[index]?.name ?? ''))
    .map((name) => `now_there.${name} = NEW.${name}`)
    .join(' AND ');
}
