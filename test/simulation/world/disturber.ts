/** What befalls hosts and the network between them, at any moment. */
import type { Side } from './incarnation.ts';
import { SeededRandom } from './seeded-random.ts';
import type { SimHost } from './sim-host.ts';
import type { SimScheduler } from './sim-scheduler.ts';
import type { World } from './world.ts';

/** With the skew a host is born with, two clocks then differ by less than the five seconds the product allows. */
const CLOCK_JUMP_MS = 1_200;

export class Disturber {
  readonly #world: World;
  readonly #hosts: readonly SimHost[];
  readonly #schedulers: readonly SimScheduler[];
  readonly #random: SeededRandom;

  constructor(world: World, hosts: readonly SimHost[], schedulers: readonly SimScheduler[]) {
    this.#world = world;
    this.#hosts = hosts;
    this.#schedulers = schedulers;
    this.#random = new SeededRandom(`disturber ${world.seed}`);
  }

  start(untilMs: number): void {
    const { time } = this.#world;
    const next = (): void => {
      if (time.nowMs >= untilMs) return;
      this.#disturb();
      time.after(this.#random.between(300, 4_000), next);
    };
    time.after(this.#random.between(100, 2_000), next);
  }

  /** A run in which hardly anything went wrong tells little: then processes die, until there were so many faults. */
  makeUp(faultsMin: number): void {
    const { faults } = this.#world;
    let struck = [...faults.counts.values()].reduce((sum, count) => sum + count, 0);
    for (const { process } of [...this.#hosts, ...this.#schedulers]) {
      if (struck >= faultsMin || process === null || !faults.mayHappen('6 killed at an await')) continue;
      faults.note('6 killed at an await');
      process.kill('too little has happened');
      struck += 1;
    }
  }

  /** Everything is well again. */
  stop(): void {
    this.#world.outages.clear();
    this.#world.awayUntilMs.clear();
    for (const { process } of [...this.#hosts, ...this.#schedulers]) process?.thaw();
  }

  #disturb(): void {
    const { faults } = this.#world;
    const random = this.#random;
    const process = random.pick(this.#hosts).process;
    if (process !== null) {
      if (faults.strikes('9 frozen for minutes', 0.08)) process.freeze(random.pick([2_000, 30_000, 180_000]));
      if (faults.strikes('29 clock jumped', 0.2)) process.jumpClock(random.between(-CLOCK_JUMP_MS, CLOCK_JUMP_MS));
      if (faults.strikes('30 cut off one way', 0.1)) {
        process.cutOff(
          random.pick(['store', 'broker', 'target'] as const),
          random.pick(['out', 'back'] as const),
          random.between(1_000, 40_000),
        );
      }
    }
    if (this.#schedulers.length > 0) this.#disturbScheduler(random.pick(this.#schedulers));
    if (faults.strikes('20 store unavailable', 0.04)) this.#outage('store');
    if (faults.strikes('target unavailable', 0.05)) this.#outage(random.pick(['target', 'broker', 'source'] as const));
  }

  /** Frozen for longer than it holds its lock, a leader goes on in the middle of what it did while another one leads. */
  #disturbScheduler(scheduler: SimScheduler): void {
    const { faults, setups, uids } = this.#world;
    const { process } = scheduler;
    if (process === null) return;
    const uid = uids.get(this.#random.pick(setups).name);
    if (uid !== undefined && faults.strikes('connector triggered', 0.2)) scheduler.trigger(uid);
    if (faults.strikes('scheduler killed', 0.1)) process.kill('scheduler killed');
    else if (faults.strikes('scheduler frozen', 0.1)) process.freeze(this.#random.pick([2_000, 20_000, 60_000]));
    else if (faults.strikes('scheduler stopped', 0.1)) scheduler.stop();
  }

  #outage(side: Side): void {
    const { outages, time } = this.#world;
    outages.set(side, time.nowMs + this.#random.pick([1_500, 10_000, 90_000]));
    this.#world.note('network', `${side} is out`);
  }
}
