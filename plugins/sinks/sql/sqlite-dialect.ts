import { foldedName, quoted } from '../../../clients/sqlite/quoted.ts';
import type { ColumnKind } from './column-kind.ts';
import type { NewColumn, SqlDialect } from './dialect.ts';
import { affinityOf, kept } from './sqlite-affinity.ts';
import { sqliteBind } from './sqlite-bind.ts';

/**
 * SQLite's columns take any type; a declared one makes of some values another. Decimals and times are text, which its own functions
 * read and which keeps every digit. `any` declares none, so that what comes later is kept as it is.
 */
function typeOf(kind: ColumnKind): string {
  if (typeof kind === 'object') return 'TEXT';
  switch (kind) {
    case 'integer':
      return 'INTEGER';
    case 'real':
      return 'REAL';
    case 'boolean':
      return 'BOOLEAN';
    case 'bytes':
      return 'BLOB';
    case 'text':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'document':
      return 'TEXT';
    case 'any':
      return '';
  }
}

function declaration({ name, kind }: NewColumn): string {
  return `${quoted(name)} ${typeOf(kind)}`.trimEnd();
}

function list(names: readonly string[]): string {
  return names.map(quoted).join(', ');
}

function equalities(names: readonly string[], separator: string): string {
  return names.map((name) => `${quoted(name)} = ?`).join(separator);
}

function insert(table: string, columns: readonly string[]): string {
  return `INSERT INTO ${quoted(table)} (${list(columns)}) VALUES (${columns.map(() => '?').join(', ')})`;
}

export const sqliteDialect: SqlDialect = {
  quoted,
  folded: foldedName,
  bind(kind, declared = typeOf(kind)) {
    const bind = sqliteBind(kind);
    const affinity = affinityOf(declared);
    return affinity === 'none' ? bind : (value) => kept(bind(value), affinity, declared);
  },

  insert,

  upsert(table, columns, keys) {
    const rest = columns.filter((name) => !keys.includes(name));
    const set = rest.map((name) => `${quoted(name)} = excluded.${quoted(name)}`).join(', ');
    return `${insert(table, columns)} ON CONFLICT (${list(keys)}) DO ${set === '' ? 'NOTHING' : `UPDATE SET ${set}`}`;
  },

  update(table, columns, keys) {
    const rest = columns.filter((name) => !keys.includes(name));
    // A statement without a column to set is none; this one finds the row and leaves it as it is.
    const set = rest.length === 0 ? keys.map((name) => `${quoted(name)} = ${quoted(name)}`).join(', ') : equalities(rest, ', ');
    return `UPDATE ${quoted(table)} SET ${set} WHERE ${equalities(keys, ' AND ')}`;
  },

  remove: (table, keys) => `DELETE FROM ${quoted(table)} WHERE ${equalities(keys, ' AND ')}`,
  truncate: (table) => `DELETE FROM ${quoted(table)}`,

  createTable(table, columns, keys) {
    const declarations = columns.map((column) => declaration(column) + (keys.includes(column.name) ? ' NOT NULL' : ''));
    const key = keys.length === 0 ? [] : [`PRIMARY KEY (${list(keys)})`];
    return `CREATE TABLE ${quoted(table)} (${[...declarations, ...key].join(', ')})`;
  },

  addColumn: (table, column) => `ALTER TABLE ${quoted(table)} ADD COLUMN ${declaration(column)}`,
};
