/** What can be seen of a world from outside, once a simulated second. */
import type { ScaleWorld } from './scale-world.ts';

export interface Sample {
  /** Since the timeline began. */
  readonly atMs: number;
  /** Records that wait or are being delivered. */
  readonly backlog: number;
  readonly deliveredPerSecond: number;
  /** Invocations whose code runs. */
  readonly running: number;
  /** Invocations that the platform and the limits allow. */
  readonly allowed: number;
  /** Ended or refused within the second before, as all that follow. */
  readonly invocationsPerSecond: number;
  readonly storeReadsPerSecond: number;
  readonly storeWritesPerSecond: number;
  readonly conflictsPerSecond: number;
}

const EVERY_MS = 1_000;

export class Timeline {
  readonly #world: ScaleWorld;
  readonly #startMs: number;
  readonly samples: Sample[] = [];
  #before: Totals;

  constructor(world: ScaleWorld) {
    this.#world = world;
    this.#startMs = world.time.nowMs;
    this.#before = totalsOf(world);
    this.#samples();
  }

  get atMs(): number {
    return this.#world.time.nowMs - this.#startMs;
  }

  #samples(): void {
    this.samples.push(this.#sample());
    this.#world.time.after(EVERY_MS, () => this.#samples());
  }

  #sample(): Sample {
    const world = this.#world;
    const before = this.#before;
    const now = totalsOf(world);
    this.#before = now;
    return {
      atMs: this.atMs,
      backlog: world.backlog,
      running: world.platform.running,
      allowed: Math.min(world.platform.allowed, world.settings.invocationsMax),
      deliveredPerSecond: now.delivered - before.delivered,
      invocationsPerSecond: now.invocations - before.invocations,
      storeReadsPerSecond: now.reads - before.reads,
      storeWritesPerSecond: now.writes - before.writes,
      conflictsPerSecond: now.conflicts - before.conflicts,
    };
  }
}

type Totals = ReturnType<typeof totalsOf>;

function totalsOf({ ledger, platform, store }: ScaleWorld) {
  return { delivered: ledger.delivered, invocations: platform.invocations, ...store.counts };
}
