import { FatalTaskError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import { base64 } from '../../converters/base64.ts';
import type { Cell } from './row-image.ts';

/** Where a reader stands. */
export interface CdcCheckpoint {
  /** 1: about a log that is named after the connector alone; so are all that follow it, until the offsets are reset. */
  readonly v: 1 | 2;
  /** All changes up to this one are given. */
  readonly seq: bigint;
  /** Of the change behind it, so many records are given already. */
  readonly part: number;
  /** All captures below this one are read as a whole. */
  readonly capture: number;
  /** Of this one, rows are read up to here: the rowid, or the primary key of a table without; empty before the first row. */
  readonly after: readonly Cell[];
  /** How many rows of a table without rowid there were up to `after`, as of change `seq`. */
  readonly rank: { readonly seq: bigint; readonly rows: bigint } | null;
}

interface StoredCheckpoint {
  readonly v: number;
  readonly seq: string;
  readonly part?: number;
  readonly capture: number;
  readonly after?: readonly Json[];
  readonly rank?: readonly [seq: string, rows: string];
}

export function encodeCheckpoint({ v, seq, part, capture, after, rank }: CdcCheckpoint): Json {
  return {
    v,
    seq: String(seq),
    ...(part > 0 && { part }),
    capture,
    ...(after.length > 0 && { after: after.map(encodeCell) }),
    ...(rank !== null && { rank: [String(rank.seq), String(rank.rows)] }),
  };
}

/** `null` for none. @throws {FatalTaskError} for what this source did not write. */
export function decodeCheckpoint(json: Json): CdcCheckpoint | null {
  if (json === null) return null;
  try {
    const { v, seq, part = 0, capture, after = [], rank } = json as unknown as StoredCheckpoint;
    if ((v !== 1 && v !== 2) || !Number.isSafeInteger(part) || !Number.isSafeInteger(capture))
      throw new TypeError('not of version 1 or 2');
    return {
      v,
      seq: BigInt(seq),
      part,
      capture,
      after: after.map(decodeCell),
      rank: rank === undefined ? null : { seq: BigInt(rank[0]), rows: BigInt(rank[1]) },
    };
  } catch (error) {
    throw new FatalTaskError(
      `not a checkpoint of sqlite-cdc-source: ${JSON.stringify(json)}; next: reset the offsets of the connector`,
      { cause: error },
    );
  }
}

function encodeCell(cell: Cell): Json {
  if (typeof cell === 'bigint') return { i: String(cell) };
  return cell instanceof Uint8Array ? { b: base64.encode(cell) } : cell;
}

function decodeCell(json: Json): Cell {
  if (typeof json !== 'object' || json === null) return json as Cell;
  const { i, b } = json as { readonly i?: string; readonly b?: string };
  return i === undefined ? base64.decode(b ?? '') : BigInt(i);
}
