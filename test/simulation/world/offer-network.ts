/** Carries a scheduler's offers to hosts, and what became of them back; on the way some are lost, doubled or late. */
import type { InvocationEnd, Offer } from '../../../core/offer.ts';
import type { Invoker } from '../../../core/ports.ts';
import { queueOfShard, type ShardId } from '../../../core/shard-id.ts';
import type { Incarnation } from './incarnation.ts';
import { SeededRandom } from './seeded-random.ts';
import type { SimHost } from './sim-host.ts';
import type { World } from './world.ts';

type Answer = (end: InvocationEnd) => void;

const LATENCY_MS = [0.5, 5] as const;

/** What an invoker waits before it calls a connection lost; some never do. */
const LOST_AFTER_MS = [500, 8_000] as const;

export class OfferNetwork implements Invoker {
  readonly #world: World;
  readonly #hosts: readonly SimHost[];
  readonly #caller: Incarnation;
  readonly #random: SeededRandom;

  constructor(world: World, hosts: readonly SimHost[], caller: Incarnation) {
    this.#world = world;
    this.#hosts = hosts;
    this.#caller = caller;
    this.#random = new SeededRandom(`offers ${world.seed} ${caller.name}`);
  }

  freeSlots(): number {
    return this.#hosts.reduce((free, host) => free + host.freeSlots(), 0);
  }

  invoke(offer: Offer): Promise<InvocationEnd> {
    const { faults, time } = this.#world;
    return new Promise((resolve) => {
      if (!this.#caller.isAlive()) return;
      this.#check(offer);
      // The first answer counts.
      const answer: Answer = (end) => {
        if (end.kind !== 'lost') this.#world.offers.answered(this.#caller.name, offer);
        void this.#caller.heard().then(() => resolve(end));
      };
      if (faults.strikes('3 offer lost', 0.15)) this.#lose(answer);
      else this.#carry(offer, answer);
      if (faults.strikes('1 offer doubled', 0.2)) this.#carry(offer, ignore);
      if (faults.strikes('2 offer delayed', 0.1))
        time.after(this.#random.between(1_000, 60_000), () => this.#carry(offer, ignore));
      if (faults.strikes('4 offers reordered', 0.2)) time.after(this.#random.between(10, 900), () => this.#carry(offer, ignore));
    });
  }

  #check(offer: Offer): void {
    const { offers, time, wellSinceMs } = this.#world;
    const tasksMax = Number(this.#world.setup(offer.connector)?.config['tasks.max']);
    const wrong = offers.sent(this.#caller.name, offer, { tasksMax, nowMs: time.nowMs, wellSinceMs });
    if (wrong !== null) this.#world.violate('offers', wrong);
  }

  #carry(offer: Offer, answer: Answer): void {
    const { time, faults } = this.#world;
    time.after(this.#random.between(...LATENCY_MS), () => {
      const free = this.#hosts.filter((host) => host.freeSlots() > 0);
      const host = this.#random.pick(free.length > 0 ? free : this.#hosts);
      const taken = host.take(offer, (end) => this.#bringBack(end, answer));
      if (taken) noteZombie(this.#world, offer.shard);
      else {
        faults.note('12 start throttled');
        this.#bringBack({ kind: 'refused', message: 'no slot' }, answer);
      }
    });
  }

  #bringBack(end: InvocationEnd, answer: Answer): void {
    if (end.kind === 'lost' || this.#world.faults.strikes('outcome lost', 0.1)) this.#lose(answer);
    else this.#world.time.after(this.#random.between(...LATENCY_MS), () => answer(end));
  }

  #lose(answer: Answer): void {
    if (this.#random.chance(0.3)) return;
    this.#world.time.after(this.#random.between(...LOST_AFTER_MS), () => answer({ kind: 'lost', message: 'connection lost' }));
  }
}

const ignore: Answer = () => undefined;

/** A frozen host whose claim has run out, and another that starts on the same shard. */
export function noteZombie(world: World, shard: ShardId): void {
  const cursor = world.cursors.get(shard);
  if (queueOfShard(shard) === undefined || cursor?.kind !== 'log') return;
  for (const range of cursor.open) {
    if (range.kind !== 'held' || range.holder.deadlineAtMs + 5_000 > world.time.nowMs) continue;
    if (world.owners.get(range.holder.owner)?.isFrozen === true) world.faults.note('5 zombie beside its successor');
  }
}
