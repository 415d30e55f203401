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
export function within<T>(
  clock: Clock,
  limitMs: number,
  step: (signal: CancelSignal) => Promise<T>,
  abort = new AbortController(),
): Promise<T | typeof TIMED_OUT> {
  return unlessOver((done) => clock.sleep(limitMs, done), step, abort);
}

/** The same until a deadline that `step` itself may move on. */
export function untilDeadline<T>(
  clock: Clock,
  remainingMs: () => number,
  step: (signal: CancelSignal) => Promise<T>,
): Promise<T | typeof TIMED_OUT> {
  const over = async (done: CancelSignal): Promise<void> => {
    // Each turn sleeps as long as is left, so there are as many as the deadline was moved on.
    do await clock.sleep(Math.max(remainingMs(), 0), done);
    while (remainingMs() > 0 && !done.aborted);
  };
  return unlessOver(over, step, new AbortController());
}

async function unlessOver<T>(
  over: (done: CancelSignal) => Promise<void>,
  step: (signal: CancelSignal) => Promise<T>,
  abort: AbortController,
): Promise<T | typeof TIMED_OUT> {
  const done = new AbortController();
  const timer = over(done.signal).then((): typeof TIMED_OUT => {
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
