/** A value that survives `JSON.stringify` and `JSON.parse` unchanged; 64-bit numbers go in as decimal text. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Two values that have to be equal. */
interface Pair {
  readonly a: Json;
  readonly b: Json;
}

/** Equal as JSON: the order of keys does not count. */
export function jsonEquals(a: Json, b: Json): boolean {
  // A list of pairs instead of recursion: 16 KB of JSON may nest 8,000 deep, more than the call stack holds.
  const left: Pair[] = [{ a, b }];
  for (let pair = left.pop(); pair !== undefined; pair = left.pop()) {
    if (!isShallowlyEqual(pair, left)) return false;
  }
  return true;
}

/** Compares all but the parts, and adds those to `left`. */
function isShallowlyEqual({ a, b }: Pair, left: Pair[]): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (isArray(a) || isArray(b)) {
    if (!isArray(a) || !isArray(b) || a.length !== b.length) return false;
    for (const [index, item] of a.entries()) left.push({ a: item, b: b[index] ?? null });
    return true;
  }
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false;
    left.push({ a: a[key] ?? null, b: b[key] ?? null });
  }
  return true;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
