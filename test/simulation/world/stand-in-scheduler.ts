/**
 * A plain stand-in for the scheduler: looks at cursors, some of them as they were a while ago, and sends offers on their way,
 * some of them twice, late, in another order, or never.
 */
import type { Connector } from '../../../core/connector.ts';
import { connectorKey, decodeConnector } from '../../../core/connector.ts';
import { type Cursor, watermark } from '../../../core/cursor/cursor.ts';
import type { EndedHolder, Offer } from '../../../core/offer.ts';
import { discoveryShardId, parseShardId, queueOfShard, queueShardId, type ShardId } from '../../../core/shard-id.ts';
import { noteZombie } from './offer-network.ts';
import { SeededRandom } from './seeded-random.ts';
import type { SimHost } from './sim-host.ts';
import { isOf, type World } from './world.ts';

const TICK_MS = 600;

/** Another shard that moved on within so long speaks for the environment. */
const PEERS_COMMIT_WITHIN_MS = 30 * 60_000;

export class StandInScheduler {
  readonly #world: World;
  readonly #hosts: readonly SimHost[];
  readonly #random: SeededRandom;
  #stale: ReadonlyMap<ShardId, Cursor> = new Map();
  readonly #connectors = new Map<string, { readonly version: string; readonly connector: Connector }>();
  #offers = 0;

  constructor(world: World, hosts: readonly SimHost[]) {
    this.#world = world;
    this.#hosts = hosts;
    this.#random = new SeededRandom(`offers ${world.seed}`);
  }

  start(): void {
    this.#world.time.after(this.#random.between(0, TICK_MS), () => void this.#tick());
  }

  async #tick(): Promise<void> {
    const cursors = this.#view();
    for (const { name } of this.#world.setups) {
      const connector = await this.#connector(name);
      if (connector === null) continue;
      for (const shard of await this.#shards(connector)) {
        const cursor = cursors.get(shard);
        if (this.#random.chance(await this.#interest(shard, cursor))) this.#offer(connector, shard, cursor);
      }
    }
    this.#world.time.after(TICK_MS, () => void this.#tick());
  }

  async #connector(name: string): Promise<Connector | null> {
    const document = await this.#world.store.get(connectorKey(name));
    if (document === null) return null;
    const known = this.#connectors.get(name);
    if (known?.version === document.version) return known.connector;
    const connector = decodeConnector(document.value, name);
    this.#connectors.set(name, { version: document.version, connector });
    return connector;
  }

  #view(): ReadonlyMap<ShardId, Cursor> {
    if (this.#world.faults.strikes('17 offer from a stale view', 0.2)) return this.#stale;
    const now = new Map(this.#world.cursors);
    if (this.#random.chance(0.1)) this.#stale = now;
    return now;
  }

  async #shards(connector: Connector): Promise<ShardId[]> {
    const setup = this.#world.setup(connector.name);
    if (setup?.kind === 'sink')
      return (await this.#world.broker.queues(setup.topic)).map((queue) => queueShardId(connector.uid, queue));
    const known = this.#world.cursorsOf(connector.uid).map(([shard]) => shard);
    return [...new Set([discoveryShardId(connector.uid), ...known])];
  }

  #offer(connector: Connector, shard: ShardId, cursor: Cursor | undefined): void {
    const { faults, time } = this.#world;
    const offer = this.#make(connector, shard, cursor);
    if (faults.strikes('3 offer lost', 0.2)) return;
    this.#dispatch(offer);
    if (faults.strikes('1 offer doubled', 0.2)) this.#dispatch(offer);
    if (faults.strikes('2 offer delayed', 0.1)) time.after(this.#random.between(1_000, 60_000), () => this.#dispatch(offer));
    if (faults.strikes('4 offers reordered', 0.2)) time.after(this.#random.between(10, 900), () => this.#dispatch(offer));
  }

  /** How likely a shard gets an offer this time: without anything to do, now and then one all the same. */
  async #interest(shard: ShardId, cursor: Cursor | undefined): Promise<number> {
    if (cursor === undefined) return 0.8;
    if (cursor.status.state === 'done') return 0;
    if (cursor.kind === 'checkpoint') return cursor.pollAtMs <= this.#world.time.nowMs ? 0.5 : 0;
    const queue = queueOfShard(shard);
    const [bounds] = queue === undefined ? [] : await this.#world.broker.bounds([queue]);
    return bounds !== undefined && bounds !== null && bounds.max > watermark(cursor) ? 0.8 : 0.05;
  }

  #make(connector: Connector, shard: ShardId, cursor: Cursor | undefined): Offer {
    const random = this.#random;
    this.#offers += 1;
    return {
      id: `offer-${this.#offers}`,
      connector: connector.name,
      uid: connector.uid,
      shard,
      mode: random.chance(0.35) ? 'tail' : 'slice',
      slice: {
        records: random.int(4, 30),
        bytes: random.chance(0.2) ? random.int(100, 1_000) : 1_000_000,
        // Some go on for so long that only a look at the gate ends them in time.
        durationMs: random.chance(0.15) ? 18_000 : random.int(200, 4_000),
      },
      quantumMs: random.pick([0, 300, 2_000, 20_000]),
      ended: this.#ended(cursor),
      peersCommit: this.#peersCommit(shard),
    };
  }

  #ended(cursor: Cursor | undefined): EndedHolder[] {
    if (cursor === undefined) return [];
    const held: EndedHolder[] =
      cursor.kind === 'log'
        ? cursor.open.flatMap((range) =>
            range.kind === 'held' ? [{ owner: range.holder.owner, epoch: range.epoch, isGone: true }] : [],
          )
        : cursor.holder === null
          ? []
          : [{ owner: cursor.holder.owner, epoch: cursor.epoch, isGone: true }];
    return held.filter(({ owner }) => this.#world.owners.get(owner)?.isSeenDead === true);
  }

  #peersCommit(shard: ShardId): boolean {
    const { uid } = parseShardId(shard);
    return [...this.#world.committedAtMs].some(
      ([other, atMs]) => other !== shard && isOf(uid, other) && this.#world.time.nowMs - atMs < PEERS_COMMIT_WITHIN_MS,
    );
  }

  #dispatch(offer: Offer): void {
    const { time, faults } = this.#world;
    time.after(this.#random.between(0.5, 5), () => {
      const host = this.#random.pick(this.#hosts);
      if (host.take(offer)) {
        noteZombie(this.#world, offer.shard);
      } else faults.note('12 start throttled');
    });
  }
}
