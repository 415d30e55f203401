/** How far a range of a table is read. */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { Cell } from '../../../clients/binlog/cell.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import { decodeCell, encodeCell } from './stored-cells.ts';

export interface RangeCheckpoint {
  /** Where changes are given from when all ranges are read, and of which server that is. */
  readonly server: string;
  readonly place: BinlogPlace;
  /** Cells of the key, up to which it is read; `null`: nothing of it is read. */
  readonly after: readonly Cell[] | null;
  /** Rows that were read. */
  readonly rows: number;
}

interface StoredRange {
  readonly v: number;
  readonly server: string;
  readonly file: string;
  readonly pos: number;
  readonly after?: readonly Json[];
  readonly rows?: number;
}

export function encodeRange({ server, place, after, rows }: RangeCheckpoint): Json {
  const stored = { v: 1, server, file: place.file, pos: place.position, rows };
  return after === null ? stored : { ...stored, after: after.map(encodeCell) };
}

/** `null`: none. @throws {FatalTaskError} for what this source did not write. */
export function decodeRange(json: Json): RangeCheckpoint | null {
  if (json === null) return null;
  const { v, server, file, pos, after, rows } = json as unknown as StoredRange;
  if (v !== 1 || typeof server !== 'string' || typeof file !== 'string' || !Number.isSafeInteger(pos)) {
    throw new FatalTaskError(
      `not a checkpoint of a range of mysql-cdc-source: ${JSON.stringify(json)}; next: reset the offsets of the connector`,
    );
  }
  const cells = after === undefined ? null : after.map(decodeCell);
  return { server, place: { file, position: pos }, after: cells, rows: rows ?? 0 };
}
