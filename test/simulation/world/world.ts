/** Everything there is in one simulated run, and the truth about it that no part of the product sees. */
import { MemoryLogBroker } from '../../../adapters/memory/memory-log-broker.ts';
import { MemoryStateStore } from '../../../adapters/memory/memory-state-store.ts';
import type { Cursor } from '../../../core/cursor/cursor.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import type { Offset } from '../../../core/offset.ts';
import type { Clock, OutgoingRecord } from '../../../core/ports.ts';
import type { LogRecord } from '../../../core/record/connect-record.ts';
import type { ShardId } from '../../../core/shard-id.ts';
import type { SliceIdentity } from '../../../plugins/api/sink.ts';
import type { MemoryTarget } from '../../support/memory-target.ts';
import { OfferAudit } from '../checks/offer-audit.ts';
import { SliceLedger } from '../checks/slice-ledger.ts';
import { Faults } from '../faults/faults.ts';
import { faultsOf, type ScenarioName } from '../faults/scenarios.ts';
import type { Incarnation, Side, Surroundings } from './incarnation.ts';
import { isRefused, refused } from './payload.ts';
import { SeededRandom } from './seeded-random.ts';
import { drawSetups, type History, type Setup } from './setup.ts';
import { Trace } from './trace.ts';
import { VirtualTime } from './virtual-time.ts';

/** 2026-01-01, so that moments read as such. */
const START_MS = Date.UTC(2026, 0, 1);

/** Offers that are senseless reach states of the engine that a scheduler spares it. */
const STANDS_IN = 0.3;

/** Few, for each costs two minutes of simulated work. */
const IS_CROWDED = 0.02;

/** A violated invariant ends the run. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** What the operator was told: from then on nothing starts that the state does not allow. */
export interface Acknowledged {
  readonly revision: number;
  readonly atMs: number;
}

export class World implements Surroundings {
  readonly seed: number;
  readonly time = new VirtualTime(START_MS);
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly outages = new Map<Side, number>();
  readonly clock: Clock;
  readonly store: MemoryStateStore;
  readonly broker: MemoryLogBroker;
  readonly setups: readonly Setup[];
  /** Whether offers come from a stand-in, which is often wrong, and not from the product's scheduler. */
  readonly standsIn: boolean;
  /** Whether one connector keeps the only host busy for a while, once nothing fails any more. */
  readonly isCrowded: boolean;
  crowdedUntilMs = 0;
  readonly history: History = new Map();
  /** Records of each shard and generation that are finished: delivered durably, dead-lettered, or dropped. */
  readonly #finished = new Map<string, Set<unknown>>();
  readonly #begun = new Map<ShardId, SliceIdentity>();
  readonly #endedRuns = new Set<string>();
  readonly cursors = new Map<ShardId, Cursor>();
  /** Every shard that ever had a cursor. */
  readonly shards = new Set<ShardId>();
  readonly owners = new Map<string, Incarnation>();
  /** Of each connector by name, as it is now. */
  readonly uids = new Map<string, string>();
  /** When a shard last moved on. */
  readonly committedAtMs = new Map<ShardId, number>();
  /** By uid, oldest first. */
  readonly acknowledged = new Map<string, readonly Acknowledged[]>();
  readonly slices = new SliceLedger();
  readonly offers = new OfferAudit();
  /** Since when nothing fails any more. */
  wellSinceMs: number | null = null;
  /** Everything is delivered, and nothing new comes: sources are polled now and then. */
  isDrained = false;
  /** Topics of sources that were deleted, with rows in them. */
  readonly lostTopics = new Set<string>();
  /** How many sends to a source's topic are on their way for seconds. */
  readonly hangingSends = new Map<string, number>();
  /** Topics of sinks that lost a queue, or were deleted: whatever was read of them need not be there any more. */
  readonly brokenTopics = new Set<string>();
  /** By queue, until when its broker is away, and the log does not know it. */
  readonly awayUntilMs = new Map<string, number>();
  /** By queue, the highest offset that retention ever took everything below. */
  readonly removedTo = new Map<string, Offset>();
  /** Hears of each connector that a host has just read, before the host goes on. */
  connectorRead: (name: string) => void = () => undefined;
  readonly transitions = new Map<string, number>();
  /** The next put of this connector hangs, until somebody looks. */
  putsHang: { readonly name: string } | null = null;
  violation: Violation | null = null;

  constructor(seed: number, { linesMax, scenario }: { readonly linesMax: number; readonly scenario: ScenarioName }) {
    this.seed = seed;
    this.random = new SeededRandom(`seed ${seed}`);
    this.faults = new Faults(new SeededRandom(`faults ${seed}`), faultsOf(scenario));
    this.trace = new Trace({ startMs: START_MS, linesMax });
    this.clock = {
      nowMs: () => this.time.nowMs,
      monotonicMs: () => this.time.nowMs,
      sleep: (durationMs, signal) =>
        new Promise((resolve) => {
          const callOff = this.time.after(durationMs, resolve);
          signal?.addEventListener('abort', () => {
            callOff();
            resolve();
          });
        }),
    };
    this.store = new MemoryStateStore({ clock: this.clock });
    this.broker = new MemoryLogBroker({ clock: this.clock, recordBytesMax: 2_000 });
    this.standsIn = new SeededRandom(`scheduling ${seed}`).chance(STANDS_IN);
    this.isCrowded = !this.standsIn && new SeededRandom(`crowd ${seed}`).chance(IS_CROWDED);
    this.setups = drawSetups(this.random, new SeededRandom(`limits ${seed}`));
    for (const { target } of this.setups) if (target !== null) this.equip(target);
  }

  note(who: string, what: string): void {
    this.trace.add(this.time.nowMs, who, what);
  }

  /** Lets time pass until something is done. */
  async during(done: Promise<void>): Promise<void> {
    let isDone = false;
    void done.then(() => {
      isDone = true;
    });
    await this.time.runWhile(() => !isDone && this.violation === null, Number.POSITIVE_INFINITY);
  }

  /** The cursors of one connector. */
  cursorsOf(uid: string): [ShardId, Cursor][] {
    return [...this.cursors].filter(([shard]) => isOf(uid, shard));
  }

  violate(invariant: string, message: string): void {
    this.note('CHECK', `${invariant}: ${message}`);
    this.violation ??= new Violation(`${invariant}: ${message}`);
  }

  /** `what` is a log record, or the index of a source's row. */
  finish(shard: ShardId, generation: number, what: unknown): void {
    const key = `${shard}|${generation}`;
    const set = this.#finished.get(key) ?? new Set();
    this.#finished.set(key, set.add(what));
  }

  isFinished(shard: ShardId, generation: number, what: unknown): boolean {
    return this.#finished.get(`${shard}|${generation}`)?.has(what) ?? false;
  }

  /** What the log holds, or ever held, at an offset: more than one record where the topic was created anew. */
  recordsAt(queue: MessageQueue, at: Offset): readonly LogRecord[] {
    return this.history.get(queueKey(queue))?.get(at) ?? [];
  }

  /** The records at an offset that the log held at some time since then. */
  recordsSince(queue: MessageQueue, at: Offset, sinceMs: number): readonly LogRecord[] {
    const records = this.recordsAt(queue, at);
    const first = records.findLastIndex(({ storedAtMs }) => storedAtMs <= sinceMs);
    return records.slice(Math.max(first, 0));
  }

  /** The newest slice a transactional target has seen of a shard. */
  noteBegin({ shard, generation, epoch }: SliceIdentity): void {
    this.#begun.set(shard, { shard, generation, epoch });
  }

  /** I2: once a newer slice has begun, an older one writes nothing into a transactional target. */
  checkWriter({ shard, generation, epoch }: SliceIdentity): void {
    const newest = this.#begun.get(shard);
    if (newest === undefined || newest.generation < generation || (newest.generation === generation && newest.epoch <= epoch))
      return;
    this.violate(
      'I2',
      `generation ${generation} epoch ${epoch} of ${shard} wrote after generation ${newest.generation} epoch ${newest.epoch} had begun`,
    );
  }

  /** Appends to a sink's topic, outside of all faults. */
  async append(queue: MessageQueue, records: readonly OutgoingRecord[]): Promise<void> {
    const { endOffset } = await this.broker.send(queue, records);
    const { records: stored } = await this.broker.read(queue, (endOffset - BigInt(records.length)) as Offset, {
      records: records.length,
      bytes: Number.MAX_SAFE_INTEGER,
      waitMs: 0,
    });
    const byOffset = this.history.get(queueKey(queue)) ?? new Map<Offset, LogRecord[]>();
    this.history.set(queueKey(queue), byOffset);
    for (const record of stored) byOffset.set(record.offset, [...(byOffset.get(record.offset) ?? []), record]);
  }

  /** A target that refuses what says of itself that it will be refused. */
  equip(target: MemoryTarget): void {
    target.refusal = (record) => {
      if (!isRefused(record)) return undefined;
      this.faults.note('target refused a record');
      return refused();
    };
  }

  /** An invocation has answered: what its last write could not give back anybody may take. */
  noteRunEnded(owner: string): void {
    this.#endedRuns.add(owner);
  }

  hasRunEnded(holder: string): boolean {
    return this.#endedRuns.has(holder.slice(0, holder.lastIndexOf('.')));
  }

  transition(name: string): void {
    this.transitions.set(name, (this.transitions.get(name) ?? 0) + 1);
  }

  setup(connector: string): Setup | undefined {
    return this.setups.find(({ name }) => name === connector);
  }
}

/** Whether a shard is the connector's. The uids of a simulation need no encoding. */
export function isOf(uid: string, shard: ShardId): boolean {
  return shard.startsWith(`${uid}/`);
}
