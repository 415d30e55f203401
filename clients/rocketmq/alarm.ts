/** One timer for many who wait: it goes off when the first of their times has come. */
import type { Clock } from '../../core/ports.ts';

/** A reason of its own spares each end an exception with a stack. */
const OVER = 'over';

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #set: { readonly atMs: number; readonly off: AbortController } | null = null;

  /** `ring` sets it again where somebody waits for longer. */
  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Monotonic; does nothing where it goes off before. */
  set(atMs: number): void {
    if (this.#set !== null && this.#set.atMs <= atMs) return;
    this.off();
    const off = new AbortController();
    this.#set = { atMs, off };
    void this.#clock.sleep(atMs - this.#clock.monotonicMs(), off.signal).then(() => {
      if (off.signal.aborted) return;
      this.#set = null;
      this.#ring();
    });
  }

  /** Nobody waits any more. */
  off(): void {
    this.#set?.off.abort(OVER);
    this.#set = null;
  }
}
