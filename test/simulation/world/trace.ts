import { createHash, type Hash } from 'node:crypto';

/** What happened, line by line: hashed whole, and kept where somebody wants to read it. */
export class Trace {
  readonly #hash: Hash = createHash('sha256');
  readonly #lines: string[] = [];
  readonly #linesMax: number;

  constructor({ linesMax }: { readonly linesMax: number }) {
    this.#linesMax = linesMax;
  }

  add(atMs: number, who: string, what: string): void {
    const line = `${atMs.toFixed(3).padStart(12)}  ${who.padEnd(10)}  ${what}`;
    this.#hash.update(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * this.#linesMax) this.#lines.splice(0, this.#lines.length - this.#linesMax);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }

  lines(): readonly string[] {
    return this.#lines.slice(-this.#linesMax);
  }
}
