/** Cells as JSON, for a checkpoint. */
import type { Cell } from '../../../clients/binlog/cell.ts';
import type { Json } from '../../../core/json.ts';

export function encodeCell(cell: Cell): Json {
  if (typeof cell === 'bigint') return { i: String(cell) };
  return cell instanceof Uint8Array ? { x: Buffer.from(cell).toString('hex') } : cell;
}

export function decodeCell(json: Json): Cell {
  if (typeof json !== 'object' || json === null) return json as Cell;
  const { i, x } = json as { readonly i?: string; readonly x?: string };
  return i === undefined ? new Uint8Array(Buffer.from(x ?? '', 'hex')) : BigInt(i);
}
