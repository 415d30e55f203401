/** Somebody who acts on connectors at any moment, through the product's own actions, and may be killed between two gates. */
import { connectorKey, decodeConnector, readConnector } from '../../../core/connector.ts';
import type { Json } from '../../../core/json.ts';
import { type Offset, offset } from '../../../core/offset.ts';
import type { StateStore } from '../../../core/ports.ts';
import { parseShardId, queueOfShard, type ShardId } from '../../../core/shard-id.ts';
import {
  changeConfig,
  createConnector,
  deleteConnector,
  resetOffsets,
  restartShards,
  setTargetState,
} from '../../../scheduler/connector-actions.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { Incarnation } from './incarnation.ts';
import { storeOf } from './ports.ts';
import { SeededRandom } from './seeded-random.ts';
import type { Setup } from './setup.ts';
import type { World } from './world.ts';

const SKEW_MAX_MS = 5_000;

/** Long enough that a put comes along, in most runs. */
const HANGING_MS = 6_000;
const LOOK_EVERY_MS = 20;

/** Of a process that is to die between two gates, at each gate: so that it is not always the first. */
const DIES_HERE = 0.5;

export class Operator {
  readonly #world: World;
  readonly #random: SeededRandom;
  #hands = 0;
  /** In the middle of something. */
  isActing = false;

  constructor(world: World) {
    this.#world = world;
    this.#random = new SeededRandom(`operator ${world.seed}`);
  }

  async createAll(): Promise<void> {
    for (const setup of this.#world.setups) await this.#create(setup);
  }

  /** Acts now and then until `untilMs`. */
  start(untilMs: number): void {
    const { time } = this.#world;
    const next = (): void => {
      if (time.nowMs >= untilMs) return;
      if (this.isActing) {
        time.after(this.#random.between(100, 1_000), next);
        return;
      }
      this.isActing = true;
      void this.#act().then(() => {
        this.isActing = false;
        time.after(this.#random.between(2_000, 15_000), next);
      });
    };
    time.after(this.#random.between(1_000, 10_000), next);
    this.#world.connectorRead = (name) => {
      if (!this.isActing && this.#world.faults.strikes('configuration changed', 0.01)) void this.#changeBehindHost(name);
    };
  }

  /** A host has read the configuration, and is about to claim with it. */
  async #changeBehindHost(name: string): Promise<void> {
    this.isActing = true;
    await this.#changeConfig(this.#world.setup(name) as Setup);
    this.isActing = false;
  }

  async #act(): Promise<void> {
    const setup = this.#random.pick(this.#world.setups);
    const { faults } = this.#world;
    if (faults.strikes('connector paused', 0.4)) await this.#closeForAWhile(setup, 'paused');
    if (faults.strikes('connector stopped', 0.2)) await this.#closeForAWhile(setup, 'stopped');
    if (faults.strikes('offsets reset', 0.4)) await this.#reset(setup);
    if (faults.strikes('configuration changed', 0.4)) await this.#changeConfig(setup);
    if (faults.strikes('connector deleted and created again', 0.12)) await this.#recreate(setup);
  }

  async #closeForAWhile(setup: Setup, state: 'paused' | 'stopped'): Promise<void> {
    await this.#attempt(setup, (deps) => setTargetState(deps, setup.name, state));
    await this.#world.time.delay(this.#random.between(500, 12_000));
    await this.#attempt(setup, (deps) => setTargetState(deps, setup.name, 'running'));
  }

  /** Also when nothing else fails: somebody's process dies in the middle of a pause, most likely. */
  async leaveHalfPaused(setup: Setup): Promise<void> {
    await this.#attempt(setup, (deps) => setTargetState(deps, setup.name, 'paused'), { dies: true });
  }

  /** Stops, waits until nothing can be held any more, and starts a new generation from the earliest position. */
  async #reset(setup: Setup): Promise<void> {
    if (this.#world.faults.active && this.#random.chance(0.6)) await this.#untilAPutHangs(setup);
    await this.#attempt(setup, (deps) => setTargetState(deps, setup.name, 'stopped'));
    await this.#world.time.delay(30_000);
    await this.#attempt(setup, async (deps) => {
      const connector = await readConnector(deps, setup.name);
      if (connector !== null)
        await resetOffsets(deps, connector, { positions: await this.#earliest(connector.uid), skewMaxMs: SKEW_MAX_MS });
    });
    await this.#attempt(setup, (deps) => setTargetState(deps, setup.name, 'running'));
  }

  /** The last put before a stop may outlive the reset: then only its generation tells it from what comes after. */
  async #untilAPutHangs({ name }: Setup): Promise<void> {
    const { time } = this.#world;
    const until = { name, ms: time.nowMs + HANGING_MS };
    this.#world.putsHang = until;
    while (this.#world.putsHang === until && time.nowMs < until.ms) await time.delay(LOOK_EVERY_MS);
    this.#world.putsHang = null;
  }

  async #earliest(uid: string): Promise<ReadonlyMap<ShardId, Offset | Json>> {
    const positions = new Map<ShardId, Offset | Json>();
    for (const [shard] of this.#world.cursorsOf(uid)) {
      const queue = queueOfShard(shard);
      const [bounds] = queue === undefined ? [null] : await this.#world.broker.bounds([queue]);
      positions.set(shard, queue === undefined ? null : (bounds?.min ?? offset(0)));
    }
    return positions;
  }

  async #changeConfig(setup: Setup): Promise<void> {
    setup.config = { ...setup.config, 'consumer.override.max.poll.records': String(this.#random.int(2, 15)) };
    await this.#attempt(setup, (deps) => changeConfig(deps, setup.name, setup.config));
  }

  async #recreate(setup: Setup): Promise<void> {
    await this.#attempt(setup, (deps) => deleteConnector(deps, setup.name));
    await this.#world.time.delay(this.#random.between(0, 3_000));
    if ((await this.#world.store.get(connectorKey(setup.name))) === null) await this.#create(setup);
  }

  async #create(setup: Setup): Promise<void> {
    // Values in an old target belong to the old connector: what is there must not be mistaken for work of the new one.
    if (setup.kind === 'sink') {
      setup.target = memoryTarget(setup.effect);
      this.#world.equip(setup.target);
    }
    await this.#attempt(setup, async (deps) => {
      const { uid } = await createConnector(deps, { name: setup.name, config: setup.config });
      this.#world.uids.set(setup.name, uid);
    });
    const document = await this.#world.store.get(connectorKey(setup.name));
    if (document === null) await this.#create(setup);
    else this.#world.uids.set(setup.name, decodeConnector(document.value, setup.name).uid);
  }

  /** One action by a process of its own, which may die on the way; then it stays half done. */
  async #attempt(
    setup: Setup,
    act: (deps: Parameters<typeof setTargetState>[0]) => Promise<unknown>,
    { dies = this.#world.faults.draws('14 operator killed between two gates', 0.3) }: { readonly dies?: boolean } = {},
  ): Promise<void> {
    const { time } = this.#world;
    this.#hands += 1;
    const attempt = { isOver: false };
    const process = new Incarnation(`operator.${this.#hands}`, this.#world, {
      skewMs: 0,
      onDeath: () => {
        attempt.isOver = true;
      },
    });
    const store = storeOf(this.#world, process);
    const deps = {
      store: dies ? this.#dyingBetweenGates(store, process) : store,
      clock: process.clock,
      random: new SeededRandom(`${this.#world.seed} operator ${this.#hands}`),
    };
    act(deps).then(
      async () => {
        await this.#acknowledge(setup);
        attempt.isOver = true;
      },
      (error: unknown) => {
        this.#world.note(process.name, `gives up: ${String(error)}`);
        attempt.isOver = true;
      },
    );
    while (!attempt.isOver) await time.delay(20);
  }

  /** Its process dies behind one of its gate writes, while another gate of the connector is still to be written. */
  #dyingBetweenGates(store: StateStore, process: Incarnation): StateStore {
    return {
      ...store,
      put: async (key, value, condition, options) => {
        const result = await store.put(key, value, condition, options);
        const { uid } = key.partition.startsWith('cursors/') ? parseShardId(key.sort as ShardId) : { uid: '' };
        const revisions = this.#world.cursorsOf(uid).map(([, { gate }]) => gate.revision);
        const isBetween = Math.min(...revisions) < Math.max(...revisions);
        if (!('version' in result) || !isBetween || !this.#random.chance(DIES_HERE)) return result;
        this.#world.faults.note('14 operator killed between two gates');
        process.kill('between two gates');
        return new Promise(() => undefined);
      },
    };
  }

  /** What was answered: every gate is raised to this revision by now. */
  async #acknowledge({ name }: Setup): Promise<void> {
    const document = await this.#world.store.get(connectorKey(name));
    if (document === null) return;
    const { uid, revision, targetState } = decodeConnector(document.value, name);
    const gates = this.#world.cursorsOf(uid);
    // Another action may be half done on top of this one.
    if (targetState !== 'deleted' && gates.every(([, { gate }]) => gate.revision === revision))
      this.#noteAcknowledged(uid, revision);
  }

  #noteAcknowledged(uid: string, revision: number): void {
    const { acknowledged, time } = this.#world;
    const earlier = acknowledged.get(uid) ?? [];
    if (earlier.at(-1)?.revision !== revision) acknowledged.set(uid, [...earlier, { revision, atMs: time.nowMs }]);
  }

  /** Once nothing fails any more: whatever is left half done is done, and whatever failed is looked at. */
  async heal(): Promise<void> {
    for (const setup of this.#world.setups) {
      const document = await this.#world.store.get(connectorKey(setup.name));
      if (document === null) await this.#create(setup);
      else if (decodeConnector(document.value, setup.name).targetState === 'deleted') await this.#recreate(setup);
      await this.#attempt(setup, (deps) => setTargetState(deps, setup.name, 'running'));
      const failed = this.#failures(setup);
      if (failed.some((code) => code === 'shard.log_truncated')) await this.#reset(setup);
      else if (failed.length > 0) {
        if (failed.includes('shard.log_gap')) setup.config = { ...setup.config, 'log.gap.policy': 'skip' };
        if (failed.some((code) => code.startsWith('record.'))) setup.config = { ...setup.config, 'errors.tolerance': 'all' };
        await this.#attempt(setup, (deps) => changeConfig(deps, setup.name, setup.config));
        await this.#attempt(setup, async (deps) => {
          const connector = await readConnector(deps, setup.name);
          if (connector !== null) await restartShards(deps, connector);
        });
      }
    }
  }

  #failures({ name }: Setup): string[] {
    const cursors = this.#world.cursorsOf(this.#world.uids.get(name) ?? '');
    return cursors.flatMap(([, { status }]) => (status.state === 'failed' ? [status.code] : []));
  }
}
