/** A process that runs the product's scheduler, and is started anew some time after it died. */
import type { Metrics } from '../../../core/ports.ts';
import { RunHistory } from '../../../scheduler/run-history.ts';
import { Scheduler } from '../../../scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../../scheduler/settings.ts';
import { Incarnation } from './incarnation.ts';
import { OfferNetwork } from './offer-network.ts';
import { brokerOf, storeOf, telemetryOf } from './ports.ts';
import { SeededRandom } from './seeded-random.ts';
import type { SimHost } from './sim-host.ts';
import { registryOf } from './sim-plugins.ts';
import type { World } from './world.ts';

const QUIET: Metrics = { count: () => undefined, observe: () => undefined, forget: () => undefined };

export class SimScheduler {
  readonly name: string;
  readonly #world: World;
  readonly #hosts: readonly SimHost[];
  #lives = 0;
  #life: { readonly process: Incarnation; readonly scheduler: Scheduler } | null = null;

  constructor(world: World, hosts: readonly SimHost[], name: string) {
    this.#world = world;
    this.#hosts = hosts;
    this.name = name;
  }

  get process(): Incarnation | null {
    return this.#life?.process ?? null;
  }

  /** Invocations that it believes to be running, while it leads. */
  get running(): number {
    const scheduler = this.#life?.scheduler;
    return scheduler?.leads === true ? scheduler.running : 0;
  }

  get leads(): boolean {
    return this.#life?.scheduler.leads === true;
  }

  /** Somebody asks it for work that would wait for its time; nobody waits for the answer. */
  trigger(uid: string): void {
    this.#life?.scheduler.trigger(uid).catch((error: unknown) => this.#world.note(this.name, `no trigger: ${String(error)}`));
  }

  /** Its process is told to end, ends, and is followed by another. */
  stop(): void {
    const life = this.#life;
    if (life === null) return;
    this.#world.note(life.process.name, 'is told to end');
    void life.scheduler.stop().then(
      () => life.process.kill('has ended'),
      (error: unknown) => this.#world.violate('assertion', `${life.process.name} could not stop: ${String(error)}`),
    );
  }

  start(): void {
    const { time, random, seed } = this.#world;
    this.#lives += 1;
    const name = `${this.name}.${this.#lives}`;
    const skewMs = random.between(-1_200, 1_200);
    const process: Incarnation = new Incarnation(name, this.#world, {
      skewMs,
      onDeath: () => {
        this.#life = null;
        time.after(random.between(100, 5_000), () => this.start());
      },
    });
    const store = storeOf(this.#world, process);
    const scheduler = new Scheduler({
      store,
      broker: brokerOf(this.#world, process),
      clock: process.clock,
      random: new SeededRandom(`${seed} ${name}`),
      telemetry: telemetryOf(this.#world, process),
      metrics: QUIET,
      registry: registryOf(this.#world, process),
      invoker: new OfferNetwork(this.#world, this.#hosts, process),
      history: new RunHistory({ store, clock: process.clock }),
      // Sized for worlds of some hundred records, whose slices are to be many.
      settings: { ...DEFAULT_SCHEDULER_SETTINGS, sliceTargetMs: random.pick([20, 200, 2_000]) },
    });
    this.#life = { process, scheduler };
    scheduler.start();
  }
}
