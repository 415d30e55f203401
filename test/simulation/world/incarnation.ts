/**
 * One life of a host: a process that makes calls over a network, and may be killed or frozen at any of them.
 *
 * A call is a request that travels, an operation that happens on the other side, and a reply that travels back. A process that
 * is killed never hears a reply again: its code stands still at its next await for ever. What it had sent may still arrive. A
 * frozen process hears everything later.
 */

import type { Connector } from '../../../core/connector.ts';
import type { ErrorCode } from '../../../core/error-codes.ts';
import { RetryableError } from '../../../core/errors.ts';
import type { Offer } from '../../../core/offer.ts';
import type { CancelSignal, Clock } from '../../../core/ports.ts';
import type { ShardId } from '../../../core/shard-id.ts';
import { RunAudit } from '../checks/run-audit.ts';
import type { Faults } from '../faults/faults.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';

export type Side = 'store' | 'broker' | 'target' | 'source';

export interface Surroundings {
  readonly time: VirtualTime;
  readonly faults: Faults;
  readonly random: SeededRandom;
  readonly trace: Trace;
  /** Sides that answer nobody for now, by the end of their outage. */
  readonly outages: Map<Side, number>;
}

/** Usual travel times, one way, in ms. */
const LATENCY_MS: Readonly<Record<Side, readonly [number, number]>> = {
  store: [0.5, 3],
  broker: [0.5, 4],
  target: [1, 8],
  source: [1, 6],
};

/** Beyond a claim, and what comes after it. */
const FREEZES_MS = [30_000, 60_000, 120_000];

/** What a caller waits before it gives up on a reply. */
const NO_REPLY_AFTER_MS = 400;

const UNAVAILABLE: Readonly<Record<Side, ErrorCode>> = {
  store: 'store.unavailable',
  broker: 'broker.unavailable',
  target: 'target.unavailable',
  source: 'source.unavailable',
};

export interface CallOptions {
  readonly side: Side;
  readonly what: string;
  /** Changes something on the other side. */
  readonly writes: boolean;
  /** The reply may fail at once, and the write land a while later. */
  readonly mayBeLate?: boolean;
  /** On its answer the caller sends what must not be sent once its claim is over. */
  readonly sendFollows?: boolean;
}

export class Incarnation {
  readonly name: string;
  readonly #around: Surroundings;
  readonly skewMs: number;
  readonly #revisions = new Map<string, number>();
  #jumpedMs = 0;
  /** Reads of the store that arrived there. */
  storeReads = 0;
  #died = false;
  /** An invoker has seen the end of it, so what it held may be claimed at once. */
  isSeenDead = false;
  #frozenUntilMs = 0;
  /** A freeze that nothing ends before its time. */
  #outlasts = false;
  /** What waits for it to thaw. */
  readonly #waiting: (() => void)[] = [];
  readonly #offers = new Map<ShardId, readonly Offer[]>();
  readonly audit = new RunAudit();
  #cutOff: { readonly untilMs: number; readonly way: 'out' | 'back'; readonly side: Side } | null = null;
  readonly #onDeath: () => void;

  constructor(
    name: string,
    around: Surroundings,
    { skewMs, onDeath }: { readonly skewMs: number; readonly onDeath: () => void },
  ) {
    this.name = name;
    this.#around = around;
    this.skewMs = skewMs;
    this.#onDeath = onDeath;
  }

  get isFrozen(): boolean {
    return this.#frozenUntilMs > this.#around.time.nowMs;
  }

  /** The newest revision of each connector that this process has read, by uid. */
  noteConnector({ uid, revision }: Connector): void {
    this.#revisions.set(uid, Math.max(revision, this.#revisions.get(uid) ?? 0));
  }

  hasRead(uid: string, revision: number): boolean {
    return (this.#revisions.get(uid) ?? 0) >= revision;
  }

  /** Whether it may not have been able to look at anything for a while since then. */
  wasFrozenSince(atMs: number): boolean {
    return this.#frozenUntilMs >= atMs;
  }

  took(offer: Offer): void {
    this.#offers.set(offer.shard, [...this.offersOf(offer.shard), offer]);
    this.audit.started(offer.shard);
  }

  /** The same offer may be taken twice: each end gives back one of them. */
  ended(offer: Offer): void {
    const offers = this.offersOf(offer.shard);
    this.#offers.set(offer.shard, offers.toSpliced(offers.indexOf(offer), 1));
  }

  /** In the hands of its invocations; of a dead process, those it died with. */
  offersOf(shard: ShardId): readonly Offer[] {
    return this.#offers.get(shard) ?? [];
  }

  isAlive(): boolean {
    return !this.#died;
  }

  kill(why: string): void {
    if (!this.isAlive()) return;
    this.#around.trace.add(this.#around.time.nowMs, this.name, `killed: ${why}`);
    this.#died = true;
    this.#onDeath();
  }

  noticeDeath(): void {
    this.isSeenDead = true;
  }

  /** `outlasts`: also when everything else is well again. */
  freeze(durationMs: number, { outlasts = false }: { readonly outlasts?: boolean } = {}): void {
    this.#around.trace.add(this.#around.time.nowMs, this.name, `frozen for ${Math.round(durationMs)} ms`);
    this.#frozenUntilMs = this.#around.time.nowMs + durationMs;
    this.#outlasts = outlasts;
  }

  thaw(): void {
    this.#cutOff = null;
    if (this.#outlasts && this.isFrozen) return;
    this.#frozenUntilMs = Math.min(this.#frozenUntilMs, this.#around.time.nowMs);
    for (const goOn of this.#waiting.splice(0)) goOn();
  }

  cutOff(side: Side, way: 'out' | 'back', durationMs: number): void {
    this.#cutOff = { side, way, untilMs: this.#around.time.nowMs + durationMs };
  }

  /** The wall clock of this host moves; with the skew it stays within what the product allows. */
  jumpClock(byMs: number): void {
    this.#jumpedMs = byMs;
  }

  readonly clock: Clock = {
    nowMs: () => this.#around.time.nowMs + this.skewMs + this.#jumpedMs,
    monotonicMs: () => this.#around.time.nowMs,
    sleep: (durationMs, signal) => this.#sleep(durationMs, signal),
  };

  async call<T>(
    { side, what, writes, mayBeLate = false, sendFollows = false }: CallOptions,
    operation: (isLate: boolean) => Promise<T> | T,
  ): Promise<T> {
    const { time, faults, trace, random } = this.#around;
    if (!this.isAlive()) return never();
    if (faults.strikes('6 killed at an await', 0.004)) this.kill(`before ${what}`);
    if (!this.isAlive()) return never();

    await time.delay(this.#latencyMs(side));
    // What a process had sent when it died has left it, or has not.
    if (!this.isAlive() && random.chance(0.5)) return never();
    await this.#refuse(side, what);

    if (mayBeLate && faults.strikes(side === 'target' ? 'put lands late' : '22 send lands late', 0.01)) {
      time.after(random.between(10, 900), () => void Promise.resolve(operation(true)).catch(() => undefined));
      trace.add(time.nowMs, this.name, `${what}: lands late`);
      await this.heard();
      throw unavailable(side, 'no reply');
    }
    const outcome = await settled(() => operation(false));
    trace.add(time.nowMs, this.name, `${what}: ${outcome.kind === 'done' ? 'ok' : String(outcome.error)}`);

    const fault =
      side === 'store'
        ? '8 killed after a commit, before its reply'
        : '7 killed after a write to log or target, before its reply';
    if (writes && faults.strikes(fault, 0.006)) this.kill(`after ${what}`);
    await time.delay(this.#latencyMs(side));
    if (sendFollows && faults.strikes('9 frozen for minutes', 0.2)) this.freeze(random.pick(FREEZES_MS), { outlasts: true });
    await this.heard();
    if (writes && side !== 'target' && faults.strikes(side === 'store' ? '15 store reply lost' : '22 send reply lost', 0.02)) {
      await time.delay(NO_REPLY_AFTER_MS);
      await this.heard();
      throw unavailable(side, 'no reply');
    }
    if (this.#isCutOff(side, 'back')) throw unavailable(side, 'no reply');
    if (outcome.kind === 'failed') throw outcome.error;
    return outcome.value;
  }

  async #refuse(side: Side, what: string): Promise<void> {
    const { time, faults, trace, outages } = this.#around;
    const throttled = { store: '18 store throttled', broker: '27 flow control', target: 'target unavailable', source: null }[
      side
    ];
    const isOut = (outages.get(side) ?? 0) > time.nowMs;
    const isThrottled = throttled !== null && faults.strikes(throttled as '18 store throttled', 0.02);
    if (!isOut && !isThrottled && !this.#isCutOff(side, 'out')) return;
    trace.add(time.nowMs, this.name, `${what}: refused`);
    await time.delay(isThrottled ? this.#latencyMs(side) : NO_REPLY_AFTER_MS);
    await this.heard();
    throw unavailable(side, isThrottled ? 'too many requests' : 'no answer');
  }

  #isCutOff(side: Side, way: 'out' | 'back'): boolean {
    const cut = this.#cutOff;
    return cut !== null && cut.side === side && cut.way === way && cut.untilMs > this.#around.time.nowMs;
  }

  #latencyMs(side: Side): number {
    const { random, faults } = this.#around;
    const [min, max] = LATENCY_MS[side];
    const slow = side === 'store' && faults.strikes('19 store slow', 0.05) ? random.between(100, 2_000) : 0;
    return random.between(min, max) + slow;
  }

  /** The process takes note of something: never, once it is dead; after it thaws, while it is frozen. */
  async heard(): Promise<void> {
    const { time } = this.#around;
    while (this.isAlive() && this.#frozenUntilMs > time.nowMs) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        time.after(this.#frozenUntilMs - time.nowMs, resolve);
      });
    }
    if (!this.isAlive()) await never();
  }

  #sleep(durationMs: number, signal?: CancelSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => void this.heard().then(resolve);
      if (signal?.aborted === true) return wake();
      const callOff = this.#around.time.after(durationMs, wake);
      const cutShort = (): void => {
        callOff();
        wake();
      };
      signal?.addEventListener('abort', cutShort, { once: true });
    });
  }
}

function unavailable(side: Side, message: string): RetryableError {
  return new RetryableError(`${side}: ${message}`, { code: UNAVAILABLE[side] });
}

type Settled<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'failed'; readonly error: unknown };

async function settled<T>(operation: () => Promise<T> | T): Promise<Settled<T>> {
  try {
    return { kind: 'done', value: await operation() };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
