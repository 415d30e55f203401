/** Fills topics and source tables while the run goes on, and does to logs what clusters and their operators do. */
import type { OpenRange } from '../../../core/cursor/cursor.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import { advance, maxOffset, offset } from '../../../core/offset.ts';
import type { OutgoingRecord } from '../../../core/ports.ts';
import { POSITION_HEADER, SOURCE_HEADER } from '../../../core/record/position-headers.ts';
import { SeededRandom } from './seeded-random.ts';
import { rowId, type SinkSetup, type SourceSetup } from './setup.ts';
import type { World } from './world.ts';

const encoder = new TextEncoder();

/** Beyond 2^53, so that a digit lost on the way shows (I8). */
const LARGE = 9_007_199_254_740_993n;

/** Of another connector's shard. */
const FOREIGN_HEADERS: OutgoingRecord['headers'] = [
  [SOURCE_HEADER, 'somebody-else/source/rows/0#1'],
  [POSITION_HEADER, '3'],
];

/** A topic must be gone for longer than clocks may differ: otherwise store times cannot tell the new one from the old. */
const RECREATED_AFTER_MS = 8_000;

/** About as long as a send to the old topic may hang. */
const REFILLED_AFTER_MS = 8_000;

/** As many as a poll takes at most, and then some. */
const SILENT_ROWS_MAX = 16;

/** Spread over two or three queues: most likely each gets one. */
const PEER_RECORDS = 8;

/** A leader switch takes seconds. */
const AWAY_MS = [300, 12_000] as const;

const CROWD_EVERY_MS = 2_000;
/** For the first queue of the first sink, whose batches have up to 15 records and take more than half a second. */
const CROWD_RECORDS = 60;

export class Producer {
  readonly #world: World;
  readonly #random: SeededRandom;
  #produced = 0;
  #quiet = 0;
  readonly #deadlyQueues = new Map<string, number>();
  records = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = new SeededRandom(`producer ${world.seed}`);
  }

  /** Topics as they are when connectors start, with a first load in them. */
  async createTopics(): Promise<void> {
    for (const setup of this.#world.setups) {
      if (setup.kind !== 'sink') continue;
      this.#world.broker.createTopic(setup.topic, { queues: this.#random.int(2, 3) });
      await this.#produce(setup, this.#random.int(60, 110));
    }
    for (const setup of this.#world.setups) if (setup.kind === 'source') this.#grow(setup, this.#random.int(40, 80));
  }

  start(untilMs: number): void {
    const { time } = this.#world;
    const next = (): void => {
      if (time.nowMs < untilMs) void this.#step().then(() => time.after(this.#random.between(200, 4_000), next));
    };
    time.after(this.#random.between(100, 2_000), next);
    const disturb = (): void => {
      if (time.nowMs < untilMs) void this.#disturb().then(() => time.after(this.#random.between(2_000, 9_000), disturb));
    };
    time.after(this.#random.between(1_000, 8_000), disturb);
  }

  /** At least so many records flow through every run. */
  async topUp(records: number): Promise<void> {
    const sink = this.#world.setups.find((setup): setup is SinkSetup => setup.kind === 'sink');
    if (sink !== undefined && this.records < records) await this.#produce(sink, records - this.records);
  }

  /** A record is condemned only while another shard of its connector moves: those that have come to their end get more. */
  async wakePeers(): Promise<void> {
    for (const setup of this.#world.setups) {
      const cursors = this.#world.cursorsOf(this.#world.uids.get(setup.name) ?? '');
      const isStuck = cursors.some(([, { status }]) => status.state === 'failed' && status.code === 'record.deadly');
      if (isStuck && setup.kind === 'sink') await this.#produce(setup, PEER_RECORDS);
    }
  }

  /** One queue gets more than can be put, the others now and then a record. */
  crowd(untilMs: number): void {
    const { time } = this.#world;
    const next = (): void => {
      if (time.nowMs < untilMs) void this.#crowdOnce().then(() => time.after(CROWD_EVERY_MS, next));
    };
    next();
  }

  async #crowdOnce(): Promise<void> {
    let count = CROWD_RECORDS;
    for (const { kind, topic, ...setup } of this.#world.setups) {
      if (kind !== 'sink' || !('effect' in setup)) continue;
      for (const queue of await this.#world.broker.queues(topic)) {
        const records = Array.from({ length: count }, () => this.#record(queue, setup.effect));
        this.records += count;
        count = 1;
        await this.#appendIfThere(queue, records);
      }
    }
  }

  async #step(): Promise<void> {
    for (const setup of this.#world.setups) {
      if (setup.kind === 'source') this.#grow(setup, this.#random.int(0, 8));
      else await this.#produce(setup, this.#random.int(0, 11));
    }
  }

  #grow(setup: SourceSetup, count: number): void {
    for (const [part, rows] of setup.rows) {
      for (let made = 0; made < count; made += 1) {
        const tooLarge = setup.exactlyOnce && setup.target === null && this.#world.faults.strikes('27 record too large', 0.02);
        const silent = this.#quiet > 0 || this.#world.faults.draws('checkpoint moved without records', 0.05);
        // Several in a row, so that a poll brings nothing else.
        this.#quiet = silent ? (this.#quiet + 1) % SILENT_ROWS_MAX : 0;
        rows.push({ key: `p${part}-k${this.#random.int(0, 6)}`, id: rowId(part, rows.length), tooLarge, silent });
        this.records += 1;
      }
    }
  }

  async #produce({ topic, effect }: SinkSetup, count: number): Promise<void> {
    const queues = await this.#world.broker.queues(topic);
    const batches = new Map<MessageQueue, OutgoingRecord[]>();
    for (let made = 0; made < count && queues.length > 0; made += 1) {
      const queue = this.#random.pick(queues);
      const record = this.#record(queue, effect);
      const copies = this.#world.faults.strikes('24 record doubled by its producer', 0.05) ? [record, record] : [record];
      batches.set(queue, [...(batches.get(queue) ?? []), ...copies]);
      this.records += copies.length;
    }
    if (batches.size > 1 && this.#world.faults.strikes('25 queues out of step', 0.3)) {
      const [late] = batches.keys();
      const records = late === undefined ? [] : (batches.get(late) ?? []);
      if (late !== undefined) batches.delete(late);
      this.#world.time.after(this.#random.between(100, 3_000), () => void this.#appendIfThere(late as MessageQueue, records));
    }
    for (const [queue, records] of batches) await this.#appendIfThere(queue, records);
  }

  async #appendIfThere(queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<void> {
    const [bounds] = await this.#world.broker.bounds([queue]);
    if (bounds !== null) await this.#world.append(queue, records);
  }

  /** In one queue of a topic only: with no other one that moves, such a record is taken for the environment, and kept. */
  #maybeDeadly({ topic, queueId }: MessageQueue): boolean {
    return (this.#deadlyQueues.get(topic) ?? queueId) === queueId;
  }

  /** A key lives in one queue, so that its last record is the last one of its queue. */
  #record(queue: MessageQueue, effect: SinkSetup['effect']): OutgoingRecord {
    const { topic, queueId } = queue;
    const { faults } = this.#world;
    this.#produced += 1;
    const key = `q${queueId}-k${this.#random.int(0, 5)}`;
    const id = this.#produced;
    const base = { key: encoder.encode(key), tag: null, headers: [], bornAtMs: this.#world.time.nowMs };
    if (this.#random.chance(0.05)) return { ...base, value: null };
    if (faults.strikes('32 poison record', 0.02)) return { ...base, value: encoder.encode(`{"id":${id},`) };
    const refuse = this.#random.chance(0.01) && faults.mayHappen('target refused a record');
    // Only beside other shards that commit, and where refused records may pass, is it found and set aside.
    const deadly = effect !== 'append' && this.#maybeDeadly(queue) && faults.strikes('11 out of memory on a record', 0.003);
    if (deadly) this.#deadlyQueues.set(topic, queueId);
    const flags = `${refuse ? ',"refuse":true' : ''}${deadly ? ',"deadly":true' : ''}`;
    return { ...base, value: encoder.encode(`{"id":${id},"key":"${key}","large":${LARGE + BigInt(id)}${flags}}`) };
  }

  /** Others write into a source's topic, too; and somebody deletes it. */
  async #disturbSource({ topic }: SourceSetup): Promise<void> {
    const { faults, broker, time } = this.#world;
    const queues = await broker.queues(topic);
    if (queues.length === 0) return;
    if (faults.strikes('record of another producer', 0.5)) {
      const headers = this.#random.chance(0.5) ? FOREIGN_HEADERS : [];
      await broker.send(this.#random.pick(queues), [foreignRecord(time.nowMs, headers)]);
    }
    // One of its brokers, or the only one: mostly while a send to it is on its way, or somebody is in doubt about one.
    if (faults.strikes('26 broker of a source away', (this.#world.hangingSends.get(topic) ?? 0) > 0 ? 0.7 : 0.2)) {
      const untilMs = time.nowMs + this.#random.between(...AWAY_MS);
      for (const queue of this.#random.chance(0.5) ? queues : [this.#random.pick(queues)])
        this.#world.awayUntilMs.set(queueKey(queue), untilMs);
    }
    if (faults.strikes('topic of a source created anew', (this.#world.hangingSends.get(topic) ?? 0) > 0 ? 0.7 : 0.1))
      await this.#recreateOfSource(topic, queues);
  }

  /** Most of all while a send to it is on its way: so soon that it lands in the new topic, or not. */
  async #recreateOfSource(topic: string, queues: readonly MessageQueue[]): Promise<void> {
    const { faults, broker, time } = this.#world;
    const bounds = await broker.bounds(queues);
    this.#world.note('cluster', `${topic} is deleted`);
    broker.deleteTopic(topic);
    this.#world.lostTopics.add(topic);
    await time.delay(this.#random.between(0, this.#random.pick([1_000, RECREATED_AFTER_MS])));
    await broker.ensureTopic(topic, { queues: queues.length });
    if (!faults.strikes('topic of a source refilled by others', 0.7)) return;
    // Not at once: what was on its way to the old topic comes before them.
    time.after(this.#random.between(0, REFILLED_AFTER_MS), () => {
      this.#world.note('cluster', `${topic} is refilled by others`);
      for (const [index, queue] of queues.entries()) {
        const past = Number(bounds[index]?.max ?? offset(0)) + this.#random.int(1, 5);
        void this.#appendIfThere(
          queue,
          Array.from({ length: past }, () => foreignRecord(time.nowMs)),
        );
      }
    });
  }

  async #disturb(): Promise<void> {
    const { faults, broker, time } = this.#world;
    for (const setup of this.#world.setups) if (setup.kind === 'source') await this.#disturbSource(setup);
    const sinks = this.#world.setups.filter((setup): setup is SinkSetup => setup.kind === 'sink');
    const setup = sinks.find((sink) => this.#isUncommitted(sink)) ?? this.#random.pick(sinks);
    const queues = await broker.queues(setup.topic);
    if (queues.length === 0) return;
    const queue = this.#random.pick(queues);
    const [bounds] = await broker.bounds([queue]);
    if (bounds === null || bounds === undefined) return;
    if (queues.length < 5 && faults.strikes('26 queue added', 0.15)) broker.addQueues(setup.topic, { queues: 1 });
    if (faults.strikes('26 queue away', 0.3))
      this.#world.awayUntilMs.set(queueKey(queue), time.nowMs + this.#random.between(...AWAY_MS));
    if (queues.length > 2 && faults.strikes('26 queue removed', 0.05)) {
      this.#world.brokenTopics.add(setup.topic);
      broker.removeQueue(queues.at(-1) as MessageQueue);
    } else if (!this.#isUnknowable(setup) && faults.strikes('31 retention overtook the reader', 0.15)) {
      this.#world.note('cluster', `retention of ${queueKey(queue)} up to ${bounds.max}`);
      const to = advance(bounds.min, (bounds.max - bounds.min) / BigInt(this.#random.int(1, 3)));
      broker.truncateBefore(queue, to);
      const { removedTo } = this.#world;
      removedTo.set(queueKey(queue), maxOffset(to, removedTo.get(queueKey(queue)) ?? to));
    } else if (faults.strikes('topic truncated', 0.06)) await this.#recreate(setup, { refill: false });
    else if (faults.strikes('topic created anew and refilled', this.#isUncommitted(setup) ? 1 : 0.1))
      await this.#recreate(setup, { refill: true });
    await time.delay(0);
  }

  /**
   * A topic that was created anew before anything of it was committed is known by its first record alone. Once retention has taken
   * that one, nothing in the cursor tells it from the old one (docs/simulation.md).
   */
  #isUnknowable(setup: SinkSetup): boolean {
    const cursors = this.#world.cursorsOf(this.#world.uids.get(setup.name) ?? '');
    return (
      this.#world.brokenTopics.has(setup.topic) &&
      cursors.some(([, cursor]) => cursor.kind === 'log' && cursor.lastStoredAtMs === null)
    );
  }

  /** Whether a slice was left before its shard committed anything: what it delivered, no store time of a commit tells. */
  #isUncommitted({ name }: SinkSetup): boolean {
    return this.#world
      .cursorsOf(this.#world.uids.get(name) ?? '')
      .some(([, cursor]) => cursor.kind === 'log' && cursor.lastStoredAtMs === null && cursor.open.some(this.#isLeft));
  }

  readonly #isLeft = (range: OpenRange): boolean =>
    range.kind === 'free' || this.#world.owners.get(range.holder.owner)?.isAlive() === false;

  /** Deleted, and created again some time later: empty, or filled past where readers were. */
  async #recreate(setup: SinkSetup, { refill }: { readonly refill: boolean }): Promise<void> {
    const { broker, time, faults } = this.#world;
    const queues = await broker.queues(setup.topic);
    const bounds = await broker.bounds(queues);
    this.#world.note('cluster', `${setup.topic} is deleted`);
    this.#world.brokenTopics.add(setup.topic);
    broker.deleteTopic(setup.topic);
    faults.note('28 topic missing');
    await time.delay(RECREATED_AFTER_MS + this.#random.between(0, 20_000));
    broker.createTopic(setup.topic, { queues: queues.length });
    this.#world.note('cluster', `${setup.topic} is created anew${refill ? ' and refilled' : ''}`);
    if (!refill) return;
    for (const [index, queue] of (await broker.queues(setup.topic)).entries()) {
      const past = Number(bounds[index]?.max ?? offset(0)) + this.#random.int(1, 10);
      await this.#world.append(
        queue,
        Array.from({ length: past }, () => this.#record(queue, setup.effect)),
      );
      this.records += past;
    }
  }
}

/** Of somebody who writes into a source's topic, too. */
function foreignRecord(bornAtMs: number, headers: OutgoingRecord['headers'] = []): OutgoingRecord {
  return { key: null, value: encoder.encode('{"foreign":true}'), tag: null, headers, bornAtMs };
}
