/** A part of a table that is read by a shard of its own, as the names of that shard say it. */

/** First name of all of them. */
const RANGES = 'snapshot';

/** Found when all others are: what is not there by then never will be. */
export const LAST_FOUND: readonly string[] = [RANGES];

export interface TableRange {
  readonly database: string;
  readonly table: string;
  /** `null`: the table as a whole. */
  readonly within: KeyRange | null;
}

/** Of the first column of the key, whole numbers. `null`: without an end there. */
export interface KeyRange {
  readonly column: string;
  readonly above: bigint | null;
  readonly upTo: bigint | null;
}

export function rangeNames({ database, table, within }: TableRange): readonly string[] {
  const names = [RANGES, database, table];
  return within === null ? names : [...names, within.column, boundText(within.above), boundText(within.upTo)];
}

export function isRange([first]: readonly string[]): boolean {
  return first === RANGES;
}

/** `null`: not of a table. */
export function rangeOf(names: readonly string[]): TableRange | null {
  const [, database, table, column, above = '', upTo = ''] = names;
  if (!isRange(names) || database === undefined || table === undefined) return null;
  return { database, table, within: column === undefined ? null : { column, above: boundOf(above), upTo: boundOf(upTo) } };
}

function boundText(bound: bigint | null): string {
  return bound === null ? '' : String(bound);
}

function boundOf(text: string): bigint | null {
  return text === '' ? null : BigInt(text);
}
