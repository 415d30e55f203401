/**
 * The lock that lets one scheduler of several do the work. It only saves work: two that plan at once offer twice, and what is
 * offered twice is claimed once.
 */
import { RetryableError } from '../core/errors.ts';
import type { Clock, Random, StateStore } from '../core/ports.ts';

const KEY = { partition: 'scheduler', sort: 'leader' };

/** A leader that is gone is replaced after so long. */
const HELD_MS = 15_000;
const RENEW_EVERY_MS = 5_000;

interface Lock {
  readonly owner: string;
  readonly untilMs: number;
}

export class LeaderLock {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #owner: string;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor({ store, clock, random }: { readonly store: StateStore; readonly clock: Clock; readonly random: Random }) {
    this.#store = store;
    this.#clock = clock;
    this.#owner = random.id();
  }

  /** Whether it is held, as far as this side's monotonic clock tells. */
  get isHeld(): boolean {
    return this.#clock.monotonicMs() < this.#untilMs;
  }

  /** Takes or renews it where that is due, and answers whether it is held. */
  async hold(): Promise<boolean> {
    const askedAtMs = this.#clock.monotonicMs();
    if (askedAtMs < this.#untilMs - HELD_MS + RENEW_EVERY_MS) return true;
    try {
      const document = await this.#store.get(KEY);
      const lock = document === null ? null : parsed(document.value);
      const isFree = lock === null || lock.owner === this.#owner || lock.untilMs <= this.#clock.nowMs();
      if (!isFree) return this.isHeld;
      const value = JSON.stringify({ v: 1, owner: this.#owner, untilMs: this.#clock.nowMs() + HELD_MS });
      const condition = document === null ? { ifAbsent: true as const } : { ifVersion: document.version };
      if ('version' in (await this.#store.put(KEY, value, condition))) this.#untilMs = askedAtMs + HELD_MS;
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
    }
    return this.isHeld;
  }

  /** So that the next one need not wait. */
  async release(): Promise<void> {
    if (!this.isHeld) return;
    this.#untilMs = Number.NEGATIVE_INFINITY;
    const document = await this.#store.get(KEY);
    if (document !== null && parsed(document.value)?.owner === this.#owner)
      await this.#store.delete(KEY, { ifVersion: document.version });
  }
}

/** A lock of a format that is not known counts as free: it only saves work. */
function parsed(text: string): Lock | null {
  try {
    const lock = JSON.parse(text) as Partial<Lock> | null;
    return typeof lock?.owner === 'string' && typeof lock.untilMs === 'number'
      ? { owner: lock.owner, untilMs: lock.untilMs }
      : null;
  } catch {
    return null;
  }
}
