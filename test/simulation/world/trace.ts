import { createHash, type Hash } from 'node:crypto';

/** Characters: a call of the hash for each line would cost more than hashing it. */
const HASHED_AT_ONCE = 16_384;

/** What happened, line by line: hashed whole, and kept where somebody wants to read it. */
export class Trace {
  readonly #hash: Hash = createHash('sha256');
  #unhashed = '';
  readonly #lines: string[] = [];
  readonly #startMs: number;
  readonly #linesMax: number;

  constructor({ startMs, linesMax }: { readonly startMs: number; readonly linesMax: number }) {
    this.#startMs = startMs;
    this.#linesMax = linesMax;
  }

  add(atMs: number, who: string, what: string): void {
    const line = `${(atMs - this.#startMs).toFixed(3).padStart(12)}  ${who.padEnd(10)}  ${what}`;
    this.#unhashed += line;
    if (this.#unhashed.length > HASHED_AT_ONCE) this.#hashPending();
    this.#lines.push(line);
    if (this.#lines.length > 2 * this.#linesMax) this.#lines.splice(0, this.#lines.length - this.#linesMax);
  }

  digest(): string {
    this.#hashPending();
    return this.#hash.digest('hex');
  }

  #hashPending(): void {
    this.#hash.update(this.#unhashed);
    this.#unhashed = '';
  }

  lines(): readonly string[] {
    return this.#lines.slice(-this.#linesMax);
  }
}
