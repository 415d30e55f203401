/** What is to be looked at again, and when: a heap, so that a look costs what is due and not what exists. */
interface Entry<Item> {
  readonly atMs: number;
  readonly item: Item;
}

export class Agenda<Item> {
  readonly #heap: Entry<Item>[] = [];

  /** When the first item is due; `null` when there is none. */
  get nextAtMs(): number | null {
    return this.#heap[0]?.atMs ?? null;
  }

  /** An item may be in it several times: whoever takes one out looks whether it is still due. */
  add(item: Item, atMs: number): void {
    const heap = this.#heap;
    const entry = { atMs, item };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry<Item>;
      if (above.atMs <= atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** The next item that is due at `nowMs`; `undefined` when none is. */
  takeDue(nowMs: number): Item | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = this.#heap.pop() as Entry<Item>;
    if (this.#heap.length > 0) this.#sink(last);
    return first.item;
  }

  #sink(entry: Entry<Item>): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      const less = right !== undefined && right.atMs < left.atMs ? right : left;
      if (less === right) child += 1;
      if (entry.atMs <= less.atMs) break;
      heap[at] = less;
      at = child;
    }
    heap[at] = entry;
  }
}
