/**
 * When this invocation has to stop, kept on two clocks: the monotonic one, which no operator can move, and the wall clock,
 * which goes on while a sandbox is frozen. The earlier one counts.
 */
import type { CancelSignal, Clock } from '../core/ports.ts';

export class Deadline {
  readonly #clock: Clock;
  readonly #monotonicMs: number;
  /** Epoch ms, as stored in the claim. */
  readonly atMs: number;

  constructor(clock: Clock, { inMs }: { readonly inMs: number }) {
    this.#clock = clock;
    this.#monotonicMs = clock.monotonicMs() + inMs;
    this.atMs = clock.nowMs() + inMs;
  }

  remainingMs(): number {
    return Math.min(this.#monotonicMs - this.#clock.monotonicMs(), this.atMs - this.#clock.nowMs());
  }
}

export const TIMED_OUT = Symbol('timed out');

/**
 * Runs `step` for at most `limitMs`. When the time is over its signal aborts and the answer is `TIMED_OUT`, even if the step
 * never settles; what it does later is nobody's any more. Whoever gives its own `abort` may abort it earlier.
 */
export async function within<T>(
  clock: Clock,
  limitMs: number,
  step: (signal: CancelSignal) => Promise<T>,
  abort = new AbortController(),
): Promise<T | typeof TIMED_OUT> {
  const done = new AbortController();
  const timer = clock.sleep(limitMs, done.signal).then((): typeof TIMED_OUT => {
    // With a reason, for without one an exception with a stack is made each time.
    if (!done.signal.aborted) abort.abort(TIMED_OUT);
    return TIMED_OUT;
  });
  try {
    return await Promise.race([step(abort.signal), timer]);
  } finally {
    done.abort(TIMED_OUT);
  }
}
