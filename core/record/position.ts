/**
 * A source's own place of one record, compared part by part: `[1n, 9n] < [1n, 10n] < [2n]`. For a binlog the file, the
 * byte and the row.
 */
export type Position = readonly bigint[];

/** Below zero when `a` comes first, zero when both are the same place. A prefix comes before what it begins. */
export function comparePositions(a: Position, b: Position): number {
  for (let index = 0; index < a.length && index < b.length; index += 1) {
    const left = a[index] ?? 0n;
    const right = b[index] ?? 0n;
    if (left !== right) return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

/** As text for a record's header: `12.3456.7`. */
export function formatPosition(position: Position): string {
  let text = '';
  for (let index = 0; index < position.length; index += 1) text += index === 0 ? String(position[0]) : `.${position[index]}`;
  return text;
}

/** `undefined` when the text is not one `formatPosition` writes. */
export function parsePosition(text: string): Position | undefined {
  return /^\d+(\.\d+)*$/.test(text) ? text.split('.').map(BigInt) : undefined;
}
