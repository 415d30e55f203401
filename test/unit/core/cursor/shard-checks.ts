/** What must hold after each step: the cursor says what the naive shard says, and only holders have changed anything. */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { decodeCursor, encodeCursor } from '../../../../core/cursor/codec.ts';
import { assertLogCursor, type LogCursor, watermark } from '../../../../core/cursor/cursor.ts';
import { FencedError } from '../../../../core/errors.ts';
import { aShard } from '../../../support/builders.ts';
import { type NaiveShard, type Run, upTo } from './naive-shard.ts';

/** `mixed`: the connector's configuration changes between ordered and not. */
export type Order = 'ordered' | 'unordered' | 'mixed';

export interface Model {
  readonly shard: NaiveShard;
  readonly order: Order;
  /** Last writes of runs, to be sent again. */
  readonly writes: Map<Run, (cursor: LogCursor) => LogCursor>;
  watermark: number;
  claims: number;
}

export interface Real {
  cursor: LogCursor;
}

/** I1, I3, I4; no range is lost; what is stored is what was meant. */
export function checkInvariants(model: Model, cursor: LogCursor, generationBefore: number): void {
  const { shard, order } = model;
  assertLogCursor(cursor);
  deepStrictEqual(decodeCursor(encodeCursor(cursor), aShard), cursor);
  strictEqual(Number(cursor.next), shard.next);
  const open = new Set(cursor.open.flatMap(({ start, end }) => upTo(Number(start), Number(end ?? start))));
  for (const each of upTo(0, shard.next)) strictEqual(open.has(each), !shard.isDone(each), `offset ${each} (I1)`);
  const held = cursor.open.map((range) => [Number(range.start), range.kind === 'held' ? range.holder.owner : null]);
  deepStrictEqual(
    held,
    shard.pieces.map(({ start, run }) => [start, run?.owner ?? null]),
    'holders (I2, I4)',
  );
  if (order === 'ordered') ok(cursor.open.length <= 1, 'an ordered shard has one open range (I4)');
  const mark = Number(watermark(cursor));
  if (cursor.generation === generationBefore) ok(mark >= model.watermark, `watermark ${mark} (I3)`);
  model.watermark = mark;
}

/** The write lands just when the run still holds its slice; else it is fenced, or what it is about is finished (I2). */
export function write(
  { shard, writes }: Model,
  real: Real,
  run: Run,
  { to, transition }: { readonly to: number; readonly transition: (cursor: LogCursor) => LogCursor },
): boolean {
  const holds = shard.pieceOf(run) !== undefined;
  const before = real.cursor;
  const after = unlessFenced(() => transition(before));
  if (holds) {
    ok(after !== null, 'a holder was fenced (I2)');
    real.cursor = after;
    writes.set(run, transition);
    return true;
  }
  if (after === null) return false;
  strictEqual(after, before, 'a stale epoch changed something (I2)');
  strictEqual(run.generation, shard.generation, 'an epoch of another generation was let through (I2)');
  for (const each of upTo(run.from, to)) ok(shard.isDone(each), `offset ${each} was said to be finished (I1)`);
  return false;
}

export function unlessFenced<T>(transition: () => T): T | null {
  try {
    return transition();
  } catch (error) {
    if (error instanceof FencedError) return null;
    throw error;
  }
}
