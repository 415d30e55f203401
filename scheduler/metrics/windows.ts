/** Kafka Connect's windows: the one that runs and the one before it, so that what is said of them is of the last 30 to 60 seconds. */
const WINDOW_MS = 30_000;

export class Windows<Sum> {
  readonly #empty: () => Sum;
  #beganAtMs: number;
  /** `null`: nothing came. What is idle keeps nothing. */
  #current: Sum | null = null;
  #before: Sum | null = null;

  /** Times are monotonic. */
  constructor(nowMs: number, empty: () => Sum) {
    this.#beganAtMs = nowMs;
    this.#empty = empty;
  }

  /** What is to be added to. */
  current(nowMs: number): Sum {
    this.#turn(nowMs);
    this.#current ??= this.#empty();
    return this.#current;
  }

  /** What came in both, and for how long they have run. */
  seen(nowMs: number): { readonly sums: readonly Sum[]; readonly seconds: number } {
    this.#turn(nowMs);
    const sums = [this.#before, this.#current].filter((sum) => sum !== null);
    return { sums, seconds: (WINDOW_MS + nowMs - this.#beganAtMs) / 1_000 };
  }

  #turn(nowMs: number): void {
    const windows = Math.floor((nowMs - this.#beganAtMs) / WINDOW_MS);
    if (windows === 0) return;
    this.#before = windows === 1 ? this.#current : null;
    this.#current = null;
    this.#beganAtMs += windows * WINDOW_MS;
  }
}
