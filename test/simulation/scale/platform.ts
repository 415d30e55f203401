/**
 * A platform that runs functions, as AWS Lambda does: one invocation per environment, environments stay warm, and new ones start
 * only as fast as its ramp allows (1,000 in 10 s for one function,
 * https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html, read 2026-11-26).
 */
import type { InvocationEnd, InvocationResult, Offer } from '../../../core/offer.ts';
import type { RampTerms } from '../../../core/planner/ramp.ts';
import type { Invoker } from '../../../core/ports.ts';
import type { SeededRandom } from '../world/seeded-random.ts';
import type { VirtualTime } from '../world/virtual-time.ts';

/** One way of a call of the platform. */
const WAY_MS = [4, 12] as const;
/** A new environment of a Node function of 512 MB. */
const COLD_START_MS = [150, 400] as const;
const WARM_START_MS = 1;

/** A start that the ramp allows at the very moment it is asked for. */
const ROUNDING = 1e-6;

export interface PlatformTerms {
  /** Environments at once. */
  readonly hosts: number;
  readonly ramp: RampTerms;
}

export class Platform implements Invoker {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #terms: PlatformTerms;
  readonly #run: (offer: Offer) => Promise<InvocationResult>;
  readonly #violate: (what: string) => void;
  #environments = 0;
  #idle = 0;
  #underWay = 0;
  #starts: number;
  #startsAtMs: number;
  /** Invocations whose code runs. */
  running = 0;
  invocations = 0;
  readonly runningOf = new Map<string, number>();

  constructor(
    terms: PlatformTerms,
    {
      time,
      random,
      run,
      violate,
    }: {
      readonly time: VirtualTime;
      readonly random: SeededRandom;
      readonly run: (offer: Offer) => Promise<InvocationResult>;
      readonly violate: (what: string) => void;
    },
  ) {
    this.#terms = terms;
    this.#time = time;
    this.#random = random;
    this.#run = run;
    this.#violate = violate;
    this.#starts = terms.ramp.burst;
    this.#startsAtMs = time.nowMs;
  }

  /** Invocations that may run now. */
  get allowed(): number {
    this.#refill();
    return Math.min(this.#terms.hosts, Math.floor(this.#environments + this.#starts + ROUNDING));
  }

  freeSlots(): number {
    return this.#terms.hosts - this.#underWay;
  }

  async invoke(offer: Offer): Promise<InvocationEnd> {
    this.#underWay += 1;
    await this.#way();
    const startMs = this.#environmentFor(offer);
    if (startMs === null) {
      this.#underWay -= 1;
      return { kind: 'refused', message: 'too many requests' };
    }
    await this.#time.delay(startMs);
    this.#count(offer.uid, 1);
    const result = await this.#run(offer);
    this.#count(offer.uid, -1);
    this.#idle += 1;
    await this.#way();
    this.#underWay -= 1;
    return { kind: 'completed', result };
  }

  /** How long it takes to start; `null` where the platform lets none start, which no scheduler is to try. */
  #environmentFor({ shard }: Offer): number | null {
    this.invocations += 1;
    if (this.#idle > 0) {
      this.#idle -= 1;
      return WARM_START_MS;
    }
    this.#refill();
    if (this.#environments >= this.#terms.hosts || this.#starts < 1 - ROUNDING) {
      this.#violate(`an invocation for ${shard} was asked for beyond the ${this.allowed} that the platform allows`);
      return null;
    }
    this.#environments += 1;
    this.#starts -= 1;
    return this.#random.between(...COLD_START_MS);
  }

  #count(uid: string, more: 1 | -1): void {
    this.running += more;
    this.runningOf.set(uid, (this.runningOf.get(uid) ?? 0) + more);
  }

  #refill(): void {
    const { burst, perSecond } = this.#terms.ramp;
    const elapsedMs = this.#time.nowMs - this.#startsAtMs;
    this.#starts = Math.min(burst, this.#starts + (perSecond * elapsedMs) / 1_000);
    this.#startsAtMs = this.#time.nowMs;
  }

  #way(): Promise<void> {
    return this.#time.delay(this.#random.between(...WAY_MS));
  }
}
