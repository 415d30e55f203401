/**
 * The lock that lets one scheduler of several do the work. It only saves work: two that plan at once offer twice, and what is
 * offered twice is claimed once. Each change of who leads, as far as this side sees it, is one line of the log.
 */
import { messageOf, RetryableError } from '../core/errors.ts';
import type { Clock, Random, StateStore, Telemetry } from '../core/ports.ts';

const KEY = { partition: 'scheduler', sort: 'leader' };

/** A leader that is gone is replaced after so long. */
const HELD_MS = 15_000;
const RENEW_EVERY_MS = 5_000;

interface Lock {
  readonly owner: string;
  readonly untilMs: number;
  /** Who holds it, where processes have marks. */
  readonly leader: Leader | null;
  /** Those that held it before, the last ones. */
  readonly before: readonly Leader[];
}

interface Leader {
  /** Of its process. */
  readonly mark: string;
  /** How the ids of its offers begin. */
  readonly offers: string;
}

/** What a process that ended had claimed runs out within a minute: hardly as many end meanwhile. */
const BEFORE_MAX = 8;

/** Tells which processes have ended, where that can be known: on the same machine. */
export interface ProcessMarks {
  /** This process's own. */
  readonly own: string | null;
  hasEnded(mark: string): boolean;
  /** Whether it has ended, and all that it has started to run invocations. */
  hasEndedWithHosts(mark: string): boolean;
}

export interface LeaderLockDeps {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly skewMaxMs: number;
  /** Without them, one that was killed is waited for until its lock has run out. */
  readonly processes?: ProcessMarks;
  /** How the ids of this scheduler's offers begin. */
  readonly offers: string;
}

export class LeaderLock {
  readonly #deps: LeaderLockDeps;
  readonly #owner: string;
  #untilMs = Number.NEGATIVE_INFINITY;
  #term = 0;
  /** It was taken from somebody else, or may have been: the store has not said. */
  #isTaken = false;
  /** Those that led before, and may have left invocations that run. */
  #before: readonly Leader[] = [];
  #endedOffers: readonly string[] = [];
  /** Who led when that was last told: an owner, or nobody because the store was away. */
  #told: string | null = null;

  constructor(deps: LeaderLockDeps) {
    this.#deps = deps;
    this.#owner = deps.random.id();
  }

  /** Whether it is held, as far as this side's monotonic clock tells. */
  get isHeld(): boolean {
    return this.#deps.clock.monotonicMs() < this.#untilMs;
  }

  /** Another number whenever it was taken after somebody else may have done the work. */
  get term(): number {
    return this.#term;
  }

  /**
   * How the ids of offers begin whose invocations have ended with the process of a scheduler that led before. It may take a while
   * until that is known of all of them; the answer is another array when it is known of more.
   */
  endedOffers(): readonly string[] {
    const hasEnded = ({ mark }: Leader): boolean => this.#deps.processes?.hasEndedWithHosts(mark) === true;
    const ended = this.#before.filter(hasEnded);
    if (ended.length > 0) {
      this.#before = this.#before.filter((leader) => !ended.includes(leader));
      this.#endedOffers = [...this.#endedOffers, ...ended.map(({ offers }) => offers)];
    }
    return this.#endedOffers;
  }

  /** Takes or renews it where that is due, and answers whether it is held. */
  async hold(): Promise<boolean> {
    const askedAtMs = this.#deps.clock.monotonicMs();
    if (askedAtMs < this.#untilMs - HELD_MS + RENEW_EVERY_MS) return true;
    try {
      await this.#ask(askedAtMs);
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      if (!this.isHeld) this.#tell('', 'warn', `this scheduler does not lead: ${messageOf(error)}`, { code: error.code });
    }
    return this.isHeld;
  }

  /** So that the next one need not wait. Where the store does not answer it does: then the lock runs out. */
  async release(): Promise<void> {
    if (!this.isHeld) return;
    this.#untilMs = Number.NEGATIVE_INFINITY;
    try {
      const { store } = this.#deps;
      const document = await store.get(KEY);
      if (document !== null && parsed(document.value)?.owner === this.#owner)
        await store.delete(KEY, { ifVersion: document.version });
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
    }
  }

  async #ask(askedAtMs: number): Promise<void> {
    const { store, clock } = this.#deps;
    const document = await store.get(KEY);
    const lock = document === null ? null : parsed(document.value);
    if (lock !== null && lock.owner !== this.#owner && !this.#isOver(lock)) {
      if (!this.isHeld) this.#tellOf(lock);
      return;
    }
    const before = this.#leadersBefore(lock);
    const value = JSON.stringify({
      v: 2,
      owner: this.#owner,
      leader: this.#asLeader(),
      untilMs: clock.nowMs() + HELD_MS,
      before,
    });
    const condition = document === null ? { ifAbsent: true as const } : { ifVersion: document.version };
    // One that finds its own lock, run out or not, knows that nobody else led since it put it, which may not have been answered.
    this.#isTaken ||= lock?.owner !== this.#owner;
    if ('conflict' in (await store.put(KEY, value, condition))) return;
    if (this.#isTaken) {
      this.#term += 1;
      this.#before = before;
      this.#endedOffers = [];
    }
    this.#isTaken = false;
    this.#untilMs = askedAtMs + HELD_MS;
    this.#tell(this.#owner, 'info', `this scheduler leads: ${this.#reason(lock)}`, {});
  }

  #asLeader(): Leader | null {
    const { processes, offers } = this.#deps;
    return processes === undefined || processes.own === null ? null : { mark: processes.own, offers };
  }

  #leadersBefore(lock: Lock | null): readonly Leader[] {
    if (lock === null) return [];
    const { owner, leader, before } = lock;
    return owner === this.#owner || leader === null ? before : [...before, leader].slice(-BEFORE_MAX);
  }

  /** One from a clock that is further ahead than any may be would keep everybody waiting for as long. */
  #isOver(lock: Lock): boolean {
    const nowMs = this.#deps.clock.nowMs();
    return lock.untilMs <= nowMs || lock.untilMs > nowMs + HELD_MS + this.#deps.skewMaxMs || this.#hasEnded(lock);
  }

  #hasEnded({ leader }: Lock): boolean {
    return leader !== null && this.#deps.processes?.hasEnded(leader.mark) === true;
  }

  #reason(before: Lock | null): string {
    if (before === null) return 'no other one did';
    if (before.owner === this.#owner) return 'the store answers again';
    if (this.#hasEnded(before)) return 'the process of the one that did has ended';
    return before.untilMs <= this.#deps.clock.nowMs()
      ? 'the one that did gave no sign any more'
      : 'the one that did has a clock that is too far ahead';
  }

  #tellOf({ owner, untilMs }: Lock): void {
    // One that was killed on another machine cannot say so.
    const until = new Date(untilMs).toISOString();
    this.#tell(owner, 'info', `another scheduler leads; if it was killed, this one takes over at ${until}`, { leader: owner });
  }

  #tell(leader: string, level: 'info' | 'warn', message: string, fields: Readonly<Record<string, unknown>>): void {
    if (leader === this.#told) return;
    this.#told = leader;
    this.#deps.telemetry.log(level, message, fields);
  }
}

/** Who leads as the store has it, by the name that schedulers log; `null`: nobody does, as far as it says. */
export async function readLeader({
  store,
  clock,
}: Pick<LeaderLockDeps, 'store' | 'clock'>): Promise<{ readonly owner: string; readonly untilMs: number } | null> {
  const document = await store.get(KEY);
  const lock = document === null ? null : parsed(document.value);
  return lock === null || lock.untilMs <= clock.nowMs() ? null : { owner: lock.owner, untilMs: lock.untilMs };
}

/** A lock of a format that is not known counts as free: it only saves work. */
function parsed(text: string): Lock | null {
  try {
    const lock = JSON.parse(text) as Partial<Lock> | null;
    if (typeof lock?.owner !== 'string' || typeof lock.untilMs !== 'number') return null;
    const { owner, untilMs, leader, before } = lock;
    return {
      owner,
      untilMs,
      leader: isLeader(leader) ? leader : null,
      before: Array.isArray(before) ? before.filter(isLeader) : [],
    };
  } catch {
    return null;
  }
}

function isLeader(value: unknown): value is Leader {
  const { mark, offers } = (value ?? {}) as Partial<Leader>;
  return typeof mark === 'string' && typeof offers === 'string';
}
