/** A world of many connectors, queues and hosts, and the product's scheduler in it. */

import { assert } from '../../../core/assert.ts';
import { encodeConnector } from '../../../core/connector.ts';
import { decodeCursor, encodeCursor } from '../../../core/cursor/codec.ts';
import { createLogCursor, type LogCursor } from '../../../core/cursor/cursor.ts';
import { raiseGate } from '../../../core/cursor/steer.ts';
import { cursorKey } from '../../../core/cursor/stored-cursor.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import { offset } from '../../../core/offset.ts';
import type { Metrics, Telemetry } from '../../../core/ports.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import type { Registry } from '../../../plugins/api/registry.ts';
import { registry } from '../../../plugins/registry.ts';
import { discardSink } from '../../../plugins/sinks/discard-sink.ts';
import { RunHistory } from '../../../scheduler/run-history.ts';
import { Scheduler } from '../../../scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS, type SchedulerSettings } from '../../../scheduler/settings.ts';
import { SeededRandom } from '../world/seeded-random.ts';
import { VirtualTime } from '../world/virtual-time.ts';
import { CountedStore, noCounts } from './counted-store.ts';
import { CounterLog } from './counter-log.ts';
import { DeliveryLedger } from './delivery-ledger.ts';
import { type ConnectorSetup, ModelledConnector } from './modelled-connector.ts';
import { ModelledInvocation } from './modelled-invocation.ts';
import { ModelledTarget } from './modelled-target.ts';
import { Platform, type PlatformTerms } from './platform.ts';
import { ScaleClock } from './scale-clock.ts';

const START_MS = Date.UTC(2026, 0, 1);

/** One call of DynamoDB from the same region. */
const STORE_ROUND_TRIP_MS = 5;

export interface WorldTerms {
  readonly seed: number;
  readonly platform: PlatformTerms;
  readonly storeRoundTripMs?: number;
  readonly settings?: Partial<SchedulerSettings>;
}

export class ScaleWorld {
  readonly time = new VirtualTime(START_MS);
  readonly random: SeededRandom;
  readonly log: CounterLog;
  readonly store: CountedStore;
  readonly schedulerCounts = noCounts();
  readonly ledger = new DeliveryLedger((what) => this.violate(what));
  readonly platform: Platform;
  readonly settings: SchedulerSettings;
  readonly scheduler: Scheduler;
  readonly connectors = new Map<string, ModelledConnector>();
  /** The first thing that was not to happen. */
  violation: string | null = null;

  constructor({ seed, platform, storeRoundTripMs = STORE_ROUND_TRIP_MS, settings = {} }: WorldTerms) {
    const { time } = this;
    const clock = new ScaleClock(time);
    this.random = new SeededRandom(`scale ${seed}`);
    this.log = new CounterLog({ time, random: this.#part('log', seed) });
    this.store = new CountedStore({ time, clock, random: this.#part('store', seed), roundTripMs: storeRoundTripMs });
    this.settings = { ...DEFAULT_SCHEDULER_SETTINGS, invocationsMax: platform.hosts, ramp: platform.ramp, ...settings };
    const hosts = {
      store: this.store.countedBy(noCounts()),
      clock,
      random: this.#part('hosts', seed),
      log: this.log,
      ledger: this.ledger,
      skewMaxMs: this.settings.skewMaxMs,
    };
    this.platform = new Platform(platform, {
      time,
      random: this.#part('platform', seed),
      run: (offer) => new ModelledInvocation(hosts, this.connectorOf(offer.uid), offer).run(),
      violate: (what) => this.violate(what),
    });
    const store = this.store.countedBy(this.schedulerCounts);
    this.scheduler = new Scheduler({
      store,
      broker: this.log,
      clock,
      random: this.#part('scheduler', seed),
      telemetry: QUIET,
      metrics: QUIET,
      registry: LOADED,
      invoker: this.platform,
      history: new RunHistory({ store, clock }),
      settings: this.settings,
    });
  }

  get backlog(): number {
    return this.log.appended - this.ledger.delivered;
  }

  connectorOf(uid: string): ModelledConnector {
    const connector = this.connectors.get(uid);
    assert(connector !== undefined, `no connector ${uid}`);
    return connector;
  }

  /** A connector that has been there for long: its document, and a cursor at the start of each queue. */
  async add(setup: ConnectorSetup, { putsMax = Number.POSITIVE_INFINITY } = {}): Promise<readonly MessageQueue[]> {
    const target = new ModelledTarget(this.time, { putsMax });
    const modelled = new ModelledConnector(setup, { target, createdAtMs: this.time.nowMs });
    const { connector, key, gate } = modelled;
    this.connectors.set(connector.uid, modelled);
    const { documents } = this.store;
    await documents.put(key, encodeConnector(connector), { ifAbsent: true });
    const queues = this.log.create(setup.name, setup.queues);
    const cursor = encodeCursor(raiseGate(createLogCursor(offset(0)), gate));
    for (const queue of queues) await documents.put(cursorKey(queueShardId(connector.uid, queue)), cursor, { ifAbsent: true });
    return queues;
  }

  /** Lets time pass: at most `forMs`, and only while nothing is wrong and `goesOn`. */
  async run(forMs: number, goesOn: () => boolean = () => true): Promise<void> {
    await this.time.runWhile(() => this.violation === null && goesOn(), this.time.nowMs + forMs);
  }

  /** Until the scheduler knows everything there is and has nothing to do. */
  async settle(forMs: number): Promise<void> {
    this.scheduler.start();
    await this.run(forMs);
  }

  /** Each record is delivered once, and the cursors say so. */
  async checkDrained(): Promise<void> {
    for (const { connector, setup } of this.connectors.values()) {
      for (const queue of this.log.queuesOf(setup.name)) {
        const shard = queueShardId(connector.uid, queue);
        const document = await this.store.documents.get(cursorKey(shard));
        const cursor = document === null ? null : (decodeCursor(document.value, shard) as LogCursor);
        this.ledger.checkDrained(shard, cursor, this.log.maxOf(queue));
      }
    }
  }

  violate(what: string): void {
    this.violation ??= `at ${((this.time.nowMs - START_MS) / 1_000).toFixed(3)} s: ${what}`;
  }

  #part(name: string, seed: number): SeededRandom {
    return new SeededRandom(`${name} ${seed}`);
  }
}

const ignore = (): void => undefined;
const QUIET: Telemetry & Metrics = { count: ignore, observe: ignore, forget: ignore, log: ignore, run: ignore };

/** Virtual time does not wait for a module that is loaded when first asked for. */
const LOADED: Registry = { ...registry, findSink: async (name) => (name === discardSink.name ? discardSink : undefined) };
