/** The documents that are written: a count and a filling, 500 characters, as long as a cursor with some open slices. */
const FILLING = 'x'.repeat(488);
const DIGITS = 12;

export function counterDocument(count: number): string {
  return `${String(count).padStart(DIGITS, '0')}${FILLING}`;
}

export function countIn(document: string): number {
  return Number(document.slice(0, DIGITS));
}

export function sortOf(index: number): string {
  return `4hAyvM0sQ2a/orders/broker-a/${index}`;
}
