/**
 * A map whose keys come in ascending order of their UTF-8 bytes. Inserting moves the keys behind the new one, which a
 * plain array does faster than a tree up to some 100,000 keys.
 */
export class SortedMap<Value> {
  readonly #keys: string[] = [];
  readonly #values = new Map<string, Value>();

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#indexOf(key), 0, key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#keys.splice(this.#indexOf(key), 1);
  }

  /** Entries whose key lies behind `after`, all of them when it is absent. The map must not change meanwhile. */
  *entriesAfter(after: string | undefined): Generator<[string, Value]> {
    const start = after === undefined ? 0 : this.#indexOf(after);
    for (let index = start; index < this.#keys.length; index += 1) {
      const key = this.#keys[index];
      const value = key === undefined ? undefined : this.#values.get(key);
      if (key !== undefined && value !== undefined && key !== after) yield [key, value];
    }
  }

  /** Where `key` lies, or would lie. */
  #indexOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.#keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** UTF-8 bytes order as code points do. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

/** Surrogates (U+D800..U+DFFF) stand for the highest code points, but lie below U+E000..U+FFFF as UTF-16 units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
