/** The next rows of a table, in the order of its key. */
import type { Cell } from '../../../clients/binlog/cell.ts';
import type { Column } from '../../../clients/binlog/column.ts';
import { selected } from './snapshot-cells.ts';
import { literal, name } from './sql-text.ts';
import type { KeyRange } from './table-range.ts';
import type { TableShape } from './table-shape.ts';

export interface ChunkQuery {
  /** Cells of the key behind which it begins; `null`: at the first row. */
  readonly after: readonly Cell[] | null;
  /** Rows of the table outside are left out; `null`: none is outside. */
  readonly within: KeyRange | null;
  /** Of a table without a key: rows that are passed over, as the server scans them. */
  readonly skipped: number;
  readonly rows: number;
  /** Waits for whoever has changed these rows and is not done. */
  readonly waitsForWriters: boolean;
}

export function chunkQuery(shape: TableShape, { after, within, skipped, rows, waitsForWriters }: ChunkQuery): string {
  const { database, table, columns, primaryKey } = shape;
  const from = `SELECT ${columns.map(selected).join(', ')} FROM ${name(database)}.${name(table)}`;
  const lock = waitsForWriters ? ' FOR SHARE' : '';
  // Along an index rows could come in another order, which changes of them change.
  if (primaryKey.length === 0) return `${from} USE INDEX () LIMIT ${rows} OFFSET ${skipped}${lock}`;
  const key = primaryKey.map((index) => columns[index] as Column);
  const conditions = [...(after === null ? [] : [isBehind(key, after)]), ...bounds(within)];
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `${from}${where} ORDER BY ${key.map(ordered).join(', ')} LIMIT ${rows}${lock}`;
}

function bounds(within: KeyRange | null): readonly string[] {
  if (within === null) return [];
  const { column, above, upTo } = within;
  return [...(above === null ? [] : [`${name(column)} > ${above}`]), ...(upTo === null ? [] : [`${name(column)} <= ${upTo}`])];
}

/** Members of an ENUM or SET are ordered by their numbers, and would be compared as texts. */
function ordered({ name: column, kind }: Column): string {
  return kind === 'enum' || kind === 'set' ? `(${name(column)} + 0)` : name(column);
}

/** Written out, for an index is not used for tuples: `a >= 1 AND (a > 1 OR (a = 1 AND b > 2))`. The first comparison says where it begins. */
function isBehind(key: readonly Column[], after: readonly Cell[]): string {
  const values = key.map((column, index) => keyLiteral(column, after[index] ?? ''));
  const compared = (index: number, how: string): string => `${ordered(key[index] as Column)} ${how} ${values[index]}`;
  if (key.length === 1) return compared(0, '>');
  const cases = key.map((_, index) => {
    const same = Array.from({ length: index }, (__, before) => compared(before, '='));
    return `(${[...same, compared(index, '>')].join(' AND ')})`;
  });
  return `${compared(0, '>=')} AND (${cases.join(' OR ')})`;
}

function keyLiteral({ kind, members }: Column, cell: NonNullable<Cell>): string {
  if (kind === 'enum') return String(members.indexOf(String(cell)) + 1);
  if (kind === 'set') return String(memberBits(members, String(cell)));
  if (kind === 'bit') return String(BigInt(`0x${Buffer.from(cell as Uint8Array).toString('hex')}`));
  return literal(cell);
}

function memberBits(members: readonly string[], chosen: string): bigint {
  const names = new Set(chosen.split(','));
  return members.reduce((bits, member, index) => (names.has(member) ? bits | (1n << BigInt(index)) : bits), 0n);
}
