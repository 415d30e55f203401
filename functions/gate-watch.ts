/**
 * Keeps a running slice in sight of its gate: it ends within a second of a pause, a stop or a new configuration (I9), and at its
 * next look when its host is about to end.
 */
import type { Cursor } from '../core/cursor/cursor.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import type { Invocation } from './invocation.ts';
import { SliceOver } from './work.ts';

/** A running slice looks at its cursor at least so often. */
const GATE_CHECK_MS = 1_000;

export class GateWatch {
  readonly #invocation: Invocation;
  readonly #shard: StoredCursor<Cursor>;
  #seenAtMs = 0;

  constructor(invocation: Invocation, shard: StoredCursor<Cursor>) {
    this.#invocation = invocation;
    this.#shard = shard;
  }

  /** A write of the cursor was a look at it, too. */
  noteSeen(): void {
    this.#seenAtMs = this.#invocation.host.clock.monotonicMs();
  }

  /**
   * Reads the cursor where the last read is a second ago. Nothing of the slice goes on meanwhile, so a store that is away for a
   * moment costs time and no slice.
   *
   * @throws {SliceOver} when the slice must end; {RetryableError} when the store does not answer for `forMs`.
   */
  async look({ forMs }: { readonly forMs: number }): Promise<void> {
    if (this.#invocation.host.clock.monotonicMs() - this.#seenAtMs >= GATE_CHECK_MS) {
      await this.#shard.refresh({ forMs });
      this.noteSeen();
    }
    this.demandOpen();
  }

  /** @throws {SliceOver} when the gate, as it was last seen, does not let this slice go on, or the host is about to end. */
  demandOpen(): void {
    if (!this.isOpen()) throw new SliceOver();
  }

  /** Once a gate is closed, nothing more than a commit follows (I9). */
  isOpen(): boolean {
    const { state, revision } = this.#shard.cursor.gate;
    const { host, connector } = this.#invocation;
    return state === 'running' && revision === connector.revision && !host.sandbox.closing.aborted;
  }

  /** How long a wait may last so that the next look is not late. */
  waitMaxMs(): number {
    return Math.max(0, this.#seenAtMs + GATE_CHECK_MS - this.#invocation.host.clock.monotonicMs());
  }
}
