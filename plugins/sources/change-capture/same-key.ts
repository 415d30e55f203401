import type { Struct, Value } from '../../../core/record/schema.ts';

/** Whether two keys of one table are of the same row. */
export function isSameKey(a: Struct, b: Struct): boolean {
  for (const name in a) if (!isSameValue(a[name] ?? null, b[name] ?? null)) return false;
  return true;
}

function isSameValue(a: Value, b: Value): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
