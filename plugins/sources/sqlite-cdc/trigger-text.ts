/** Pieces of triggers. The application's own SQLite runs them, so they use nothing that is newer than 3.8. */
import { quoted } from '../../../clients/sqlite/quoted.ts';
import type { TableLayout } from './captured-table.ts';

export const NOW_MS = "CAST((julianday('now') - 2440587.5) * 86400000.0 + 0.5 AS INTEGER)";

/** Columns of an image in a table of the product. */
export function cells(count: number): string {
  return Array.from({ length: count }, (_, index) => `v${index}`).join(', ');
}

/** Whether two names stand for the same row of a table. */
export function sameRow({ rowid, key, columns }: TableLayout, a: string, b: string): string {
  if (rowid !== null) return `${a}.${rowid} = ${b}.${rowid}`;
  return key
    .map((index) => quoted(columns[index]?.name ?? ''))
    .map((name) => `${a}.${name} = ${b}.${name}`)
    .join(' AND ');
}
