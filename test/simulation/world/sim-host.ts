/** A machine that runs invocations in one process, and starts that process anew some time after it died. */
import { LocalSecrets, NO_SECRETS } from '../../../adapters/secrets/local-secrets.ts';
import type { InvocationEnd, Offer } from '../../../core/offer.ts';
import { newOwner } from '../../../core/owner.ts';
import { DEFAULT_SETTINGS, type Host } from '../../../functions/host.ts';
import { runInvocation } from '../../../functions/run-invocation.ts';
import { Sandbox } from '../../../functions/sandbox.ts';
import { Incarnation } from './incarnation.ts';
import { brokerOf, storeOf, telemetryOf } from './ports.ts';
import { SeededRandom } from './seeded-random.ts';
import { registryOf } from './sim-plugins.ts';
import type { World } from './world.ts';

/** How long platforms let one invocation run: longer than a claim and its quantum, about as long, and hardly longer than a put. */
const LIMITS_MS = [40_000, 40_000, 15_000, 7_000];

/** What becomes of an invocation, as an invoker hears of it. */
type OnEnd = (end: InvocationEnd) => void;

interface Life {
  readonly process: Incarnation;
  readonly host: Host;
  readonly running: Set<OnEnd>;
}

export class SimHost {
  readonly name: string;
  readonly #world: World;
  readonly #claimMs: number;
  readonly #limitMs: number;
  readonly #slots: number;
  #lives = 0;
  #life: Life | null = null;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.#slots = world.isCrowded ? 1 : world.random.int(1, 3);
    this.#limitMs = world.random.pick(LIMITS_MS);
    // Versions differ in what they hold to be right; their documents are the same.
    this.#claimMs =
      world.random.chance(0.3) && world.faults.mayHappen('two versions at once') ? 12_000 : DEFAULT_SETTINGS.claimMs;
    if (this.#claimMs !== DEFAULT_SETTINGS.claimMs) world.faults.note('two versions at once');
    this.#start();
  }

  get process(): Incarnation | null {
    return this.#life?.process ?? null;
  }

  freeSlots(): number {
    return this.#life === null ? 0 : this.#slots - this.#life.running.size;
  }

  /** Whether the offer was taken; then `onEnd` is called when its invocation has ended, or died. */
  take(offer: Offer, onEnd: OnEnd = () => undefined): boolean {
    const life = this.#life;
    if (life === null || life.process.isFrozen || this.freeSlots() <= 0) return false;
    const owner = newOwner(offer.id, life.host.random);
    const ends: OnEnd = (end) => onEnd(end.kind === 'died' ? { ...end, owner } : end);
    if (this.#world.faults.strikes('13 start failed', 0.01)) {
      life.process.kill('start failed');
      return false;
    }
    if (this.#world.faults.strikes('10 hard timeout in mid-slice', 0.02)) {
      this.#world.time.after(this.#world.random.between(5, 400), () => life.process.kill('hard timeout'));
    }
    life.running.add(ends);
    life.process.took(offer);
    this.#world.offers.took(offer);
    this.#world.note(life.process.name, `takes ${offer.id}: ${offer.mode} of ${offer.shard}`);
    runInvocation(life.host, offer, { limitMs: this.#limitMs, owner }).then(
      (result) => {
        life.running.delete(ends);
        life.process.ended(offer);
        this.#world.noteRunEnded(owner);
        ends({ kind: 'completed', result });
        const unsaid = life.process.audit.ended(offer.shard);
        if (unsaid !== null) this.#world.violate('I10', `${life.process.name}: ${unsaid}`);
      },
      (error: unknown) =>
        this.#world.violate('assertion', `${offer.shard}: ${String(error instanceof Error ? error.stack : error)}`),
    );
    return true;
  }

  #start(): void {
    this.#lives += 1;
    const name = `${this.name}.${this.#lives}`;
    const skewMs = this.#world.random.between(-1_200, 1_200);
    const process: Incarnation = new Incarnation(name, this.#world, { skewMs, onDeath: () => this.#died(life) });
    const host: Host = {
      store: storeOf(this.#world, process),
      broker: brokerOf(this.#world, process),
      clock: process.clock,
      random: new SeededRandom(`${this.#world.seed} ${name}`),
      fetch: () => Promise.reject(new TypeError('no plugin of the simulation uses the web')),
      telemetry: telemetryOf(this.#world, process),
      registry: registryOf(this.#world, process),
      sandbox: new Sandbox(process.clock),
      secrets: new LocalSecrets(NO_SECRETS),
      settings: { skewMaxMs: 5_000, claimMs: this.#claimMs },
    };
    const life: Life = { process, host, running: new Set() };
    this.#life = life;
  }

  #died({ process, running }: Life): void {
    this.#life = null;
    const { time, random } = this.#world;
    const tell = (end: InvocationEnd): void => {
      for (const onEnd of running) onEnd(end);
    };
    // The end of a process is often seen; that of a machine is not.
    if (random.chance(0.6)) {
      time.after(random.between(1, 500), () => {
        process.noticeDeath();
        tell({ kind: 'died', owner: null, isGone: true, message: 'its process ended' });
      });
    } else tell({ kind: 'lost', message: 'connection lost' });
    time.after(random.between(100, 3_000), () => this.#start());
  }
}
