/** Kafka Connect's rates: of the window that runs and the one before it, so that a rate is of the last 30 to 60 seconds. */
const WINDOW_MS = 30_000;

export class RateMeter {
  #beganAtMs: number;
  #current = 0;
  #before = 0;

  /** Times are monotonic. */
  constructor(nowMs: number) {
    this.#beganAtMs = nowMs;
  }

  add(count: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#current += count;
  }

  perSecond(nowMs: number): number {
    this.#turn(nowMs);
    return (this.#before + this.#current) / ((WINDOW_MS + nowMs - this.#beganAtMs) / 1_000);
  }

  #turn(nowMs: number): void {
    const windows = Math.floor((nowMs - this.#beganAtMs) / WINDOW_MS);
    if (windows === 0) return;
    this.#before = windows === 1 ? this.#current : 0;
    this.#current = 0;
    this.#beganAtMs += windows * WINDOW_MS;
  }
}
