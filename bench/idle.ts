/** What connectors cost that have nothing to do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLogBroker } from '../adapters/memory/memory-log-broker.ts';
import { SqliteStateStore } from '../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import type { StateStore } from '../core/ports.ts';
import { countingStore } from './counting-store.ts';
import type { Report } from './figure.ts';
import { newDaemon, newIdleConnector } from './scheduler/daemon.ts';

const CONNECTORS = 1_000;
const MEASURED_MS = 60_000;

/** The first looks at all topics take 20 s, at 50 a second. */
const WARM_UP_MS = 30_000;

const GOAL_STORE_OPERATIONS_PER_SECOND = 20;
const GOAL_CPU_SHARE = 0.01;

export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  const sqlite = new SqliteStateStore({ path: join(folder, 'state.db'), clock: systemClock, random: systemRandom });
  try {
    report.note(`${CONNECTORS} drained sinks of one queue each; state in ${folder}, log in memory; Node ${process.version}`);
    report.note(`measured for ${MEASURED_MS / 1_000} s, after ${WARM_UP_MS / 1_000} s`);
    await measure(report, sqlite);
  } finally {
    sqlite.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(report: Report, sqlite: StateStore): Promise<void> {
  const log = new MemoryLogBroker({ clock: systemClock });
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
  report.figure({ name: 'invocations', value: invocations - before.invocations, unit: 'invocations', goal: { exactly: 0 } });
  report.figure({
    name: 'store operations',
    value: Object.values(operations).reduce((sum, value) => sum + value, 0),
    unit: '/s',
    goal: { atMost: GOAL_STORE_OPERATIONS_PER_SECOND },
  });
  report.figure({
    name: 'processor time',
    value: (cpu.user + cpu.system) / 1_000 / elapsedMs,
    unit: 'of a core',
    goal: { atMost: GOAL_CPU_SHARE },
  });
}
