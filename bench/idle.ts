/** What connectors cost that have nothing to do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedLogBroker } from '../adapters/embedded-log/embedded-log-broker.ts';
import { MemoryLogBroker } from '../adapters/memory/memory-log-broker.ts';
import { SqliteStateStore } from '../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import type { LogBroker, StateStore } from '../core/ports.ts';
import { countingStore } from './counting-store.ts';
import type { Report } from './figure.ts';
import { newDaemon, newIdleConnector, silent } from './scheduler/daemon.ts';

const CONNECTORS = 1_000;
const MEASURED_MS = 60_000;

/** The first looks at all topics take 20 s, at 50 a second. */
const WARM_UP_MS = 30_000;

const GOAL_STORE_OPERATIONS_PER_SECOND = 20;
const GOAL_CPU_SHARE = 0.01;

export async function run(report: Report): Promise<void> {
  report.note(`${CONNECTORS} drained sinks of one queue each; Node ${process.version}`);
  report.note(`measured for ${MEASURED_MS / 1_000} s, after ${WARM_UP_MS / 1_000} s`);
  await inFolder(report, 'log in memory', async (store) => {
    await measure(report, { store, log: new MemoryLogBroker({ clock: systemClock }), kind: 'memory' });
  });
  await inFolder(report, 'embedded log', async (store, folder) => {
    const log = new EmbeddedLogBroker({ folder: join(folder, 'log'), clock: systemClock, telemetry: silent });
    await measure(report, { store, log, kind: 'embedded' });
    await log.close();
  });
}

/** With a store and a folder of its own. */
async function inFolder(report: Report, what: string, body: (store: StateStore, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  const store = new SqliteStateStore({ path: join(folder, 'state.db'), clock: systemClock, random: systemRandom });
  try {
    report.note(`${what}; state in ${folder}`);
    await body(store, folder);
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Idle {
  readonly store: StateStore;
  readonly log: LogBroker;
  readonly kind: string;
}

async function measure(report: Report, { store: sqlite, log, kind }: Idle): Promise<void> {
  for (let index = 0; index < CONNECTORS; index += 1) {
    await newIdleConnector({ store: sqlite, log, clock: systemClock }, { index, queues: 1 });
  }
  const counted = countingStore(sqlite);
  let invocations = 0;
  const scheduler = newDaemon({
    store: counted.store,
    hostStore: counted.store,
    log,
    clock: systemClock,
    slots: CONNECTORS,
    starts() {
      invocations += 1;
    },
  });
  scheduler.start();
  await systemClock.sleep(WARM_UP_MS);

  const before = { ...counted.counts(), invocations, cpu: process.cpuUsage(), atMs: performance.now() };
  await systemClock.sleep(MEASURED_MS);
  const cpu = process.cpuUsage(before.cpu);
  const elapsedMs = performance.now() - before.atMs;
  const after = counted.counts();
  await scheduler.stop();

  const perSecond = (count: Exclude<keyof typeof after, 'documentsRead'>) => ((after[count] - before[count]) / elapsedMs) * 1_000;
  const operations = {
    gets: perSecond('gets'),
    lists: perSecond('lists'),
    puts: perSecond('puts'),
    deletes: perSecond('deletes'),
  };
  report.note(
    `store, each second: ${Object.entries(operations)
      .map(([name, value]) => `${value.toFixed(2)} ${name}`)
      .join(', ')}`,
  );
  report.figure({
    name: `invocations, ${kind} log`,
    value: invocations - before.invocations,
    unit: 'invocations',
    goal: { exactly: 0 },
  });
  report.figure({
    name: `store operations, ${kind} log`,
    value: Object.values(operations).reduce((sum, value) => sum + value, 0),
    unit: '/s',
    goal: { atMost: GOAL_STORE_OPERATIONS_PER_SECOND },
  });
  report.figure({
    name: `processor time, ${kind} log`,
    value: (cpu.user + cpu.system) / 1_000 / elapsedMs,
    unit: 'of a core',
    goal: { atMost: GOAL_CPU_SHARE },
  });
}
