/**
 * Time that passes only when everything that could run has run.
 *
 * Events happen in order of their moment, then of their making. Between two events all promise reactions run, so that all
 * promises that an event settles have had their say before the next one: the same events give the same run.
 */
type Run = () => void;

interface Event {
  readonly atMs: number;
  readonly order: number;
  /** `null` once nobody waits for it any more. */
  run: Run | null;
}

export class VirtualTime {
  nowMs: number;
  #order = 0;
  readonly #heap: Event[] = [];

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  /** Answers how to call it off. */
  after(delayMs: number, run: Run): () => void {
    this.#order += 1;
    const event: Event = { atMs: this.nowMs + Math.max(delayMs, 0), order: this.#order, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Runs while `goesOn`, something is left to happen, and it happens before `untilMs`. */
  async runWhile(goesOn: () => boolean, untilMs: number): Promise<void> {
    await drained();
    while (goesOn()) {
      const event = this.#heap[0];
      if (event === undefined || event.atMs > untilMs) return;
      this.#pop();
      if (event.run === null) continue;
      this.nowMs = event.atMs;
      event.run();
      await drained();
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (isBefore(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Event)) child += 1;
      if (isBefore(last, heap[child] as Event)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.order < b.order;
}

/**
 * Resolves when every promise reaction that is due has run. Called from such a reaction: Node empties the queue of reactions
 * before it looks at the next tick, and needs no turn of the event loop for it, which would cost more than the event itself.
 */
function drained(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
