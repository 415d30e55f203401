/** One tick of a daemon that has much to look after and little that changed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLogBroker } from '../adapters/memory/memory-log-broker.ts';
import { SqliteStateStore } from '../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { Clock, StateStore } from '../core/ports.ts';
import { changeConfig } from '../scheduler/connector-actions.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../scheduler/settings.ts';
import { type CountingStore, countingStore } from './counting-store.ts';
import { quantile, type Report } from './figure.ts';
import { type IdleConnector, newDaemon, newIdleConnector, untilAllSeen } from './scheduler/daemon.ts';

const CONNECTORS = 10_000;
const QUEUES = 8;
const SHARDS = CONNECTORS * QUEUES;

/** Each tick: 1% of the shards. */
const CHANGED_BY_OUTCOMES = 720;
const CHANGED_BY_OTHERS_CONNECTORS = 10;

const TICK_EVERY_MS = 1_000;
const WARM_UP_TICKS = 10;
const TICKS = 60;

const GOAL_TICK_MS = 50;

export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  const clock = new ShiftedClock();
  const sqlite = new SqliteStateStore({ path: join(folder, 'state.db'), clock, random: systemRandom });
  try {
    report.note(`${CONNECTORS} connectors of ${QUEUES} queues each; state in ${folder}, log in memory; Node ${process.version}`);
    report.note(
      `each tick: ${CHANGED_BY_OUTCOMES} shards changed by invocations, ${CHANGED_BY_OTHERS_CONNECTORS} connectors and their ${CHANGED_BY_OTHERS_CONNECTORS * QUEUES} cursors by another process`,
    );
    report.note(`${TICKS} ticks, ${TICK_EVERY_MS} ms apart; invocations run between them`);
    await measure(report, sqlite, clock);
  } finally {
    sqlite.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(report: Report, sqlite: StateStore, clock: ShiftedClock): Promise<void> {
  const log = new MemoryLogBroker({ clock });
  const connectors: IdleConnector[] = [];
  for (let index = 0; index < CONNECTORS; index += 1) {
    // By slices, not by tails: these would wait for records between the ticks.
    const fields = { index, queues: QUEUES, config: { 'freshness.ms': '1' } };
    connectors.push(await newIdleConnector({ store: sqlite, log, clock }, fields));
  }
  const bench = new TickBench({ sqlite, clock, log, connectors });
  await untilAllSeen(bench.scheduler, connectors, () => bench.tick());
  for (let tick = 0; tick < WARM_UP_TICKS; tick += 1) await bench.round();

  const durationsMs = new Float64Array(TICKS);
  const processorMs = new Float64Array(TICKS);
  const before = bench.counted.counts();
  const ranBefore = bench.ran;
  for (let tick = 0; tick < TICKS; tick += 1) {
    const took = await bench.round();
    durationsMs[tick] = took.durationMs;
    processorMs[tick] = took.processorMs;
  }
  const after = bench.counted.counts();
  await bench.scheduler.stop();

  // Documents that were written: a cursor for each invocation; a connector, its cursors and a note for each change.
  const changed = (bench.ran - ranBefore) / TICKS + CHANGED_BY_OTHERS_CONNECTORS * (QUEUES + 2);
  const all = CONNECTORS + SHARDS;
  const perTick = (count: 'documentsRead' | 'gets' | 'lists' | 'puts') => (after[count] - before[count]) / TICKS;
  report.note(
    `each tick, on average: ${perTick('gets')} gets, ${perTick('lists')} lists and ${perTick('puts')} puts of the store; ${changed} documents changed, of ${all}`,
  );
  report.figure({ name: 'tick, median', value: quantile(durationsMs, 0.5), unit: 'ms', goal: { atMost: GOAL_TICK_MS } });
  report.figure({ name: 'processor time of a tick, median', value: quantile(processorMs, 0.5), unit: 'ms', goal: 'printed' });
  report.figure({ name: 'tick, 95th percentile', value: quantile(durationsMs, 0.95), unit: 'ms', goal: 'printed' });
  report.figure({
    name: 'documents read in a tick, mean',
    value: perTick('documentsRead'),
    unit: 'documents',
    goal: { atMost: changed + all / 60 },
  });
}

interface Took {
  readonly durationMs: number;
  /** Less where others keep the machine busy, more where garbage is collected beside it. */
  readonly processorMs: number;
}

class TickBench {
  readonly counted: CountingStore;
  readonly scheduler: Scheduler;
  /** Invocations that have ended. */
  ran = 0;
  readonly #sqlite: StateStore;
  readonly #clock: ShiftedClock;
  readonly #log: MemoryLogBroker;
  readonly #connectors: readonly IdleConnector[];
  readonly #queues: readonly MessageQueue[];
  #nextQueue = 0;
  #nextConnector = 0;
  #running = 0;
  #tickAtMs = 0;
  /** Opens when the tick is over: what invocations do at once is no part of it. */
  #gate = Promise.withResolvers<void>();

  constructor({
    sqlite,
    clock,
    log,
    connectors,
  }: {
    readonly sqlite: StateStore;
    readonly clock: ShiftedClock;
    readonly log: MemoryLogBroker;
    readonly connectors: readonly IdleConnector[];
  }) {
    this.#sqlite = sqlite;
    this.#clock = clock;
    this.#log = log;
    this.#connectors = connectors;
    // One queue of each connector after the other: no connector has more to do than others.
    this.#queues = Array.from({ length: QUEUES }, (_, queueId) =>
      connectors.flatMap(({ queues }) => queues[queueId] ?? []),
    ).flat();
    this.counted = countingStore(sqlite);
    this.scheduler = newDaemon({
      store: this.counted.store,
      hostStore: sqlite,
      log,
      clock,
      settings: { watchesMax: SHARDS },
      slots: DEFAULT_SCHEDULER_SETTINGS.invocationsMax,
      starts: () => {
        this.#running += 1;
        return this.#gate.promise;
      },
      ended: () => {
        this.#running -= 1;
        this.ran += 1;
      },
    });
  }

  /** Something changes, and a tick learns of it; answers how long that took. */
  async round(): Promise<Took> {
    for (let count = 0; count < CHANGED_BY_OUTCOMES; count += 1) {
      const queue = this.#queues[this.#nextQueue++ % this.#queues.length] as MessageQueue;
      await this.#log.send(queue, [{ key: null, value: null, tag: null, headers: [], bornAtMs: 0 }]);
    }
    const deps = { store: this.#sqlite, clock: this.#clock, random: systemRandom };
    for (let count = 0; count < CHANGED_BY_OTHERS_CONNECTORS; count += 1) {
      const { connector } = this.#connectors[this.#nextConnector++ % CONNECTORS] as IdleConnector;
      await changeConfig(deps, connector.name, connector.config);
    }
    const took = await this.tick();
    this.#gate.resolve();
    while (this.#running > 0) await systemClock.sleep(1);
    this.#gate = Promise.withResolvers();
    return took;
  }

  async tick(): Promise<Took> {
    this.#clock.advanceTo(this.#tickAtMs + TICK_EVERY_MS);
    this.#tickAtMs = this.#clock.monotonicMs();
    const usage = process.cpuUsage();
    const startedAtMs = performance.now();
    await this.scheduler.tick();
    const durationMs = performance.now() - startedAtMs;
    const { user, system } = process.cpuUsage(usage);
    return { durationMs, processorMs: (user + system) / 1_000 };
  }
}

/** The system's, moved on between ticks: a minute of ticks need not take one. */
class ShiftedClock implements Clock {
  #shiftMs = 0;
  readonly sleep = systemClock.sleep;

  nowMs(): number {
    return systemClock.nowMs() + this.#shiftMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#shiftMs;
  }
  advanceTo(monotonicMs: number): void {
    this.#shiftMs += Math.max(0, Math.ceil(monotonicMs - this.monotonicMs()));
  }
}
