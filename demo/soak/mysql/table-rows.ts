/** Rows of the tables, as the source has them and as records of its topics say them. */
import type { Comparison } from '../../comparison.ts';

export const DATABASE = 'busy';

export interface TableRows {
  readonly key: readonly string[];
  /** Those that the table has by now. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** Cells by their columns. */
export type Row = Readonly<Record<string, unknown>>;

const EXAMPLES_MAX = 5;

/** By their names. `found`: rows that records add up to. */
export function compareTables(tables: ReadonlyMap<string, TableRows>, found: ReadonlyMap<string, readonly Row[]>): Comparison {
  const examples: string[] = [];
  let [rows, mismatches] = [0, 0];
  for (const [name, table] of tables) {
    const isThere = textsByKey(table, found.get(name) ?? []);
    const expected = textsByKey(table, table.rows);
    rows += expected.size;
    for (const key of new Set([...expected.keys(), ...isThere.keys()])) {
      const [want, is] = [expected.get(key), isThere.get(key)];
      if (want === is) continue;
      mismatches += 1;
      if (examples.length < EXAMPLES_MAX) examples.push(`${name} ${key}: ${is ?? 'nothing'} instead of ${want ?? 'nothing'}`);
    }
  }
  return { rows, mismatches, examples };
}

/** A column that a record does not have was added later, and is null. */
function textsByKey({ key, columns }: TableRows, rows: readonly Row[]): ReadonlyMap<string, string> {
  return new Map(rows.map((row) => [textOf(key, row), textOf(columns, row)]));
}

/** Integers are numbers, bigints or digits, which print alike. */
export function textOf(columns: readonly string[], row: Row): string {
  return columns.map((column) => `${column}=${String(row[column] ?? null)}`).join(' ');
}
