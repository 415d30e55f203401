import type { PrimitiveType } from '../../../core/record/schema.ts';

/** What a column is declared to hold. SQLite keeps any value in any column, so a row may say otherwise. */
export type ColumnType = PrimitiveType & ('int64' | 'float64' | 'string' | 'bytes' | 'boolean');

/**
 * By the declared type, in SQLite's own order of rules. https://www.sqlite.org/datatype3.html, read 2026-11-26
 *
 * Of what would be NUMERIC there, booleans and times are told apart by name. Times stay what the application writes: text as a
 * rule.
 */
export function columnType(declared: string): ColumnType {
  const type = declared.toUpperCase();
  if (type.includes('INT')) return 'int64';
  if (/CHAR|CLOB|TEXT/.test(type)) return 'string';
  if (type.includes('BLOB')) return 'bytes';
  if (/REAL|FLOA|DOUB/.test(type)) return 'float64';
  if (type.includes('BOOL')) return 'boolean';
  if (type === '' || /DATE|TIME|ANY|JSON/.test(type)) return 'string';
  return 'float64';
}
