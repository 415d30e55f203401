/**
 * The time of one put, of which a part is kept for saying how far it came: a put that is aborted says nothing, and all of its
 * records are sent again.
 */
import { RetryableError } from '../../../core/errors.ts';
import type { CancelSignal, Clock } from '../../../core/ports.ts';

/** Of the time a put has; the rest is for what is done when the last request is given up. */
const SHARE = 0.9;

export class PutTime {
  readonly #clock: Clock;
  readonly #put: CancelSignal;
  readonly #startedAtMs: number;
  readonly #forMs: number;
  readonly #end: () => void;
  /** Of the requests under way: each has its own, for a platform may hold on to whatever listens to a signal. */
  readonly #running = new Set<AbortController>();
  #isOver = false;
  #longestMs = 0;

  constructor(clock: Clock, { forMs, signal }: { readonly forMs: number; readonly signal: CancelSignal }) {
    this.#clock = clock;
    this.#put = signal;
    this.#startedAtMs = clock.monotonicMs();
    this.#forMs = forMs * SHARE;
    const done = new AbortController();
    const over = (): void => this.#giveUp();
    void clock.sleep(this.#forMs, done.signal).then(() => {
      if (!done.signal.aborted) over();
    });
    signal.addEventListener('abort', over, { once: true });
    this.#end = () => {
      done.abort(null);
      signal.removeEventListener('abort', over);
    };
  }

  /** @throws {RetryableError} when the put was aborted, so that nobody hears what it answers. */
  demandWanted(): void {
    if (this.#put.aborted) throw new RetryableError('the put was aborted', { code: 'target.timed_out' });
  }

  /** To be called when the put answers. */
  end(): void {
    this.#end();
  }

  /** The signal aborts when the time is over. */
  async request<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const sentAtMs = this.#clock.monotonicMs();
    const running = new AbortController();
    this.#running.add(running);
    if (this.#isOver) running.abort(null);
    try {
      return await send(running.signal);
    } finally {
      this.#running.delete(running);
      this.#longestMs = Math.max(this.#longestMs, this.#clock.monotonicMs() - sentAtMs);
    }
  }

  /** Whether one more request is likely to be answered, also where it takes twice as long as the slowest so far. */
  hasRoom(): boolean {
    return !this.#isOver && this.#clock.monotonicMs() - this.#startedAtMs + 2 * this.#longestMs <= this.#forMs;
  }

  #giveUp(): void {
    this.#isOver = true;
    for (const running of this.#running) running.abort(null);
  }
}
