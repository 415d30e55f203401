/** A source that has nothing more for now says for how long it wants to be left alone. Only a tail waits for that. */
import { bounded } from '../core/bounded.ts';
import type { GateWatch } from './gate-watch.ts';
import { IDLE_MAX_MS, type Invocation, TAIL_IDLE_MS } from './invocation.ts';
import type { PreparedPoll } from './prepare-poll.ts';

export class SourcePause {
  readonly #invocation: Invocation;
  readonly #gate: GateWatch;
  #forMs: number | null = null;
  #idleSinceMs: number | null = null;

  constructor(invocation: Invocation, gate: GateWatch) {
    this.#invocation = invocation;
    this.#gate = gate;
  }

  /** What the last poll wished; `null`: to be polled on. */
  get forMs(): number | null {
    return this.#forMs;
  }

  /** Whether it is a while that polls bring nothing. */
  get isIdle(): boolean {
    return this.#idleSinceMs !== null;
  }

  note({ records, result: { idleForMs } }: PreparedPoll): void {
    this.#forMs = idleForMs === undefined ? null : bounded(idleForMs, IDLE_MAX_MS);
    if (records.length > 0) this.#idleSinceMs = null;
    else if (this.#forMs !== null) this.#idleSinceMs ??= this.#invocation.host.clock.monotonicMs();
  }

  /**
   * Waits as the source asked, with the gate in sight. `false`: nobody waits for that any more, be it no tail or one that was idle for
   * too long.
   *
   * @throws {SliceOver} when the gate is closed meanwhile (I9).
   */
  async wait(lookForMs: () => number): Promise<boolean> {
    const { clock, sandbox } = this.#invocation.host;
    if (this.#forMs === null) return true;
    if (this.#invocation.offer.mode !== 'tail') return false;
    const nowMs = clock.monotonicMs();
    const leftMs = (this.#idleSinceMs ?? nowMs) + TAIL_IDLE_MS - nowMs;
    if (leftMs <= 0 || this.#forMs > leftMs) return false;
    const untilMs = nowMs + this.#forMs;
    for (let forMs = this.#forMs; forMs > 0; forMs = untilMs - clock.monotonicMs()) {
      await clock.sleep(Math.min(forMs, this.#gate.waitMaxMs()), sandbox.closing);
      await this.#gate.look({ forMs: lookForMs() });
    }
    return true;
  }
}
