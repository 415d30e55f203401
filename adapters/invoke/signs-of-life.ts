import type { WakingTime } from './waking-time.ts';

/** So seldom, because a busy host tells of itself. */
const ASK_EVERY_MS = 1_000;

/** When a host was heard of, and for how long it has left a question unanswered. */
export class SignsOfLife {
  readonly #time: WakingTime;
  #heardAtMs: number;
  #askedAtMs: number | null = null;

  constructor(time: WakingTime) {
    this.#time = time;
    this.#heardAtMs = time.nowMs;
  }

  /** Since it was asked whether it is there; 0 where it has answered. */
  get silentMs(): number {
    return this.#askedAtMs === null ? 0 : this.#time.nowMs - this.#askedAtMs;
  }

  /** It had the time to answer, and has not. */
  get areMissing(): boolean {
    return this.silentMs >= ASK_EVERY_MS;
  }

  /** Anything at all. */
  heard(): void {
    this.#heardAtMs = this.#time.nowMs;
    this.#askedAtMs = null;
  }

  /** Calls `ask` where nothing was heard lately, and nothing is to be answered yet. */
  askIfQuiet(ask: () => void): void {
    if (this.#askedAtMs !== null || this.#time.nowMs - this.#heardAtMs < ASK_EVERY_MS) return;
    this.#askedAtMs = this.#time.nowMs;
    ask();
  }
}
