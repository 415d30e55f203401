/** The SQLite state store: compare-and-set by one process, and by several on the same documents. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteStateStore } from '../adapters/sqlite/sqlite-state-store.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import { quantile, type Report } from './figure.ts';
import { counterDocument, countIn, sortOf } from './store/counter-document.ts';
import { openRawDocuments, RAW_CODE, RAW_SETTING } from './store/raw-documents.ts';
import type { Written } from './store/writer.ts';

/** Store and reference take turns, so that both meet the same noise of the machine. */
const ROUNDS = 5;
const ROUND_MS = 500;
const WARM_UP_MS = 300;

const PROCESSES = 4;
const DOCUMENTS = 64;
const PROCESS_ROUNDS = 2;
const PROCESS_ROUND_MS = 1_250;

const GOAL_PUTS_PER_SECOND = 40_000;
const GOAL_PUTS_PER_SECOND_SHARED = 30_000;
const GOAL_PUT_P99_MS = 1;

export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-bench-'));
  try {
    report.note(`files in ${folder}; documents of ${counterDocument(0).length} characters; Node ${process.version}`);
    report.note(`reference: ${RAW_CODE}\n  ${RAW_SETTING}`);
    await oneProcess(report, folder);
    await severalProcesses(report, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function oneProcess(report: Report, folder: string): Promise<void> {
  const store = await storeChain(join(folder, 'one.db'));
  const raw = rawChain(join(folder, 'one-raw.db'));
  await putsPerSecond(store.put, WARM_UP_MS);
  await putsPerSecond(raw.put, WARM_UP_MS);
  let storeSum = 0;
  let rawSum = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    storeSum += await putsPerSecond(store.put, ROUND_MS);
    rawSum += await putsPerSecond(raw.put, ROUND_MS);
  }
  store.close();
  raw.close();
  report.figure({
    name: 'put on the version known, one process',
    value: storeSum / ROUNDS,
    unit: 'puts/s',
    reference: rawSum / ROUNDS,
    goal: { atLeast: GOAL_PUTS_PER_SECOND },
  });
}

async function putsPerSecond(put: () => Promise<void> | void, durationMs: number): Promise<number> {
  const startedAtMs = performance.now();
  let puts = 0;
  let elapsedMs = 0;
  while (elapsedMs < durationMs) {
    await put();
    puts += 1;
    elapsedMs = performance.now() - startedAtMs;
  }
  return (puts / elapsedMs) * 1_000;
}

async function storeChain(path: string) {
  const store = new SqliteStateStore({ path, clock: systemClock, random: systemRandom });
  const key = { partition: 'bench', sort: sortOf(0) };
  await store.put(key, counterDocument(0), { ifAbsent: true });
  let version = (await store.get(key))?.version ?? '';
  let count = 0;
  return {
    close: () => store.close(),
    async put(): Promise<void> {
      count += 1;
      const answer = await store.put(key, counterDocument(count), { ifVersion: version });
      if ('conflict' in answer) throw new Error('a conflict without a second writer');
      version = answer.version;
    },
  };
}

function rawChain(path: string) {
  const raw = openRawDocuments(path);
  raw.insert(sortOf(0), counterDocument(0));
  let { version } = raw.get(sortOf(0));
  return {
    close: () => raw.close(),
    put(): void {
      if (!raw.replace(sortOf(0), counterDocument(version), version)) throw new Error('a conflict without a second writer');
      version += 1;
    },
  };
}

async function severalProcesses(report: Report, folder: string): Promise<void> {
  const path = join(folder, 'shared.db');
  const rawPath = join(folder, 'shared-raw.db');
  const store = new SqliteStateStore({ path, clock: systemClock, random: systemRandom });
  const raw = openRawDocuments(rawPath);
  for (let index = 0; index < DOCUMENTS; index += 1) {
    await store.put({ partition: 'bench', sort: sortOf(index) }, counterDocument(0), { ifAbsent: true });
    raw.insert(sortOf(index), counterDocument(0));
  }
  const ofStore: Written[] = [];
  const ofRaw: Written[] = [];
  for (let round = 0; round < PROCESS_ROUNDS; round += 1) {
    ofStore.push(...(await writersOf('store', path)));
    ofRaw.push(...(await writersOf('raw', rawPath)));
  }
  const logBytes = statSync(`${path}-wal`).size;
  const { documents } = await store.list('bench', { limit: DOCUMENTS });
  const counted = documents.reduce((sum, { value }) => sum + countIn(value), 0);
  store.close();
  raw.close();
  reportShared(report, { ofStore, ofRaw, logBytes, counted });
}

interface Shared {
  readonly ofStore: readonly Written[];
  readonly ofRaw: readonly Written[];
  readonly logBytes: number;
  readonly counted: number;
}

function reportShared(report: Report, { ofStore, ofRaw, logBytes, counted }: Shared): void {
  const measuredS = (PROCESS_ROUNDS * PROCESS_ROUND_MS) / 1_000;
  const putMs = putMsOf(ofStore);
  const conflicts = sum(ofStore, 'measuredConflicts') / measuredS;
  const shown = [0.5, 0.9, 0.99, 0.999, 1].map((share) => `${share * 100} %: ${quantile(putMs, share).toFixed(3)} ms`);
  report.note(`${PROCESSES} processes, ${DOCUMENTS} documents, each process reads and puts in a loop`);
  report.note(`  ${Math.round(conflicts)} conflicts/s (reference ${Math.round(sum(ofRaw, 'measuredConflicts') / measuredS)})`);
  report.note(`  share of puts within: ${shown.join(', ')}; log of ${(logBytes / 2 ** 20).toFixed(0)} MiB`);
  report.figure({
    name: `puts that won, ${PROCESSES} processes`,
    value: sum(ofStore, 'measuredPuts') / measuredS,
    unit: 'puts/s',
    reference: sum(ofRaw, 'measuredPuts') / measuredS,
    goal: { atLeast: GOAL_PUTS_PER_SECOND_SHARED },
  });
  report.figure({
    name: `99th percentile of a put, ${PROCESSES} processes`,
    value: quantile(putMs, 0.99),
    unit: 'ms',
    reference: quantile(putMsOf(ofRaw), 0.99),
    goal: { atMost: GOAL_PUT_P99_MS },
  });
  report.figure({ name: 'errors', value: sum(ofStore, 'errors'), unit: 'calls', goal: { atMost: 0 } });
  report.figure({ name: 'lost puts', value: Math.abs(sum(ofStore, 'puts') - counted), unit: 'puts', goal: { atMost: 0 } });
}

/** All start together, and all end before this resolves. */
async function writersOf(kind: 'store' | 'raw', path: string): Promise<Written[]> {
  const script = fileURLToPath(new URL('./store/writer.ts', import.meta.url));
  const args = [kind, path, String(DOCUMENTS), String(PROCESS_ROUND_MS)];
  const writers = Array.from({ length: PROCESSES }, () => fork(script, args, { serialization: 'advanced' }));
  await Promise.all(writers.map((writer) => once(writer, 'message')));
  const ends = writers.map((writer) => Promise.all([once(writer, 'message'), once(writer, 'exit')]));
  for (const writer of writers) writer.send('start');
  return (await Promise.all(ends)).map(([[written]]) => written as Written);
}

function putMsOf(written: readonly Written[]): Float64Array {
  return Float64Array.from(written.flatMap(({ putMs }) => [...putMs]));
}

function sum(written: readonly Written[], field: 'puts' | 'measuredPuts' | 'measuredConflicts' | 'errors'): number {
  return written.reduce((total, { [field]: count }) => total + count, 0);
}
