/** How many records a batch may have: half as many after one that was refused, twice as many after one that was taken. */
export class BatchSize {
  #max: number;
  #current: number;

  constructor(max: number) {
    this.#max = max;
    this.#current = max;
  }

  get current(): number {
    return this.#current;
  }

  taken(count: number): void {
    // One that was short for another reason says nothing of a longer one.
    if (count >= this.#current) this.#current = Math.min(this.#current * 2, this.#max);
  }

  /** `isTooLarge`: whatever the records are, so many are never taken. */
  refused(count: number, { isTooLarge }: { readonly isTooLarge: boolean }): void {
    this.#current = Math.max(1, Math.floor(count / 2));
    if (isTooLarge) this.#max = this.#current;
  }
}
