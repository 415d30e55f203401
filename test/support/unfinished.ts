/**
 * What a cursor says is still to be done: its open ranges, and everything from `next` on. Two cursors that leave the same to
 * do are equal here however they cut it, so that "no range is lost" is one comparison.
 */
import type { LogCursor } from '../../core/cursor/cursor.ts';
import type { Offset } from '../../core/offset.ts';

/** `end: null`: all that follows. */
export interface Stretch {
  readonly start: bigint;
  readonly end: bigint | null;
}

/** Ascending; stretches that touch are one. */
export function unfinishedOf(cursor: LogCursor): readonly Stretch[] {
  const open = cursor.open.map(({ start, end }): Stretch => ({ start, end }));
  return merged([...open, { start: cursor.next, end: null }]);
}

/** What is left once `[from, upTo)` is finished. */
export function without(stretches: readonly Stretch[], from: Offset, upTo: Offset): readonly Stretch[] {
  return merged(
    stretches.flatMap(({ start, end }) => [
      { start, end: end === null || end > from ? from : end },
      { start: start > upTo ? start : upTo, end },
    ]),
  );
}

function merged(stretches: readonly Stretch[]): readonly Stretch[] {
  const result: Stretch[] = [];
  const ascending = stretches
    .filter(({ start, end }) => end === null || end > start)
    .sort((a, b) => (a.start < b.start ? -1 : 1));
  for (const { start, end } of ascending) {
    const last = result.at(-1);
    if (last === undefined || (last.end !== null && last.end < start)) result.push({ start, end });
    else if (last.end !== null && (end === null || end > last.end)) result[result.length - 1] = { start: last.start, end };
  }
  return result;
}
