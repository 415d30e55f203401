/** How soon a process that is started moves its first record, and what it takes while there is nothing to do. */
import { spawn } from 'node:child_process';
import { appendFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../adapters/system.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { Report } from './figure.ts';
import { cpuMsOf, residentBytesOf } from './whole/process-use.ts';
import { medians } from './whole/progress.ts';
import type { Sortie } from './whole/sortie.ts';
import { type Whole, withWhole } from './whole/whole.ts';

const ROUNDS = { warmUpRounds: 1, rounds: 7 };
const MOVES_WITHIN_MS = 20_000;

const IDLE_MS = 30_000;
/** Until what was started for the first looks has ended: a thread that was idle for 10 s is one of them. */
const SETTLE_MS = 15_000;

const GOAL_FIRST_RECORD_MS = 700;
const GOAL_RESIDENT_MB = 120;
const GOAL_CPU_SHARE = 0.01;

const PLAIN_PROCESS = fileURLToPath(new URL('./start/plain-process.ts', import.meta.url));
const UNTOUCHED = { 'key.converter': 'bytes', 'value.converter': 'bytes' };

export async function run(report: Report): Promise<void> {
  await withWhole(async (whole) => {
    report.note(`state and log in ${whole.dataFolder}, invocations in threads; Node ${process.version}`);
    await firstRecord(report, whole);
  });
  await withWhole((whole) => idle(report, whole));
}

async function firstRecord(report: Report, whole: Whole): Promise<void> {
  const topic = 'orders';
  await whole.log.ensureTopic(topic, { queues: 1 });
  const [queue] = await whole.log.queues(topic);
  if (queue === undefined) throw new Error('the topic has no queue');
  const file = join(whole.folder, 'out.txt');
  writeFileSync(file, '');
  const sortie = whole.start();
  await sortie.apply('orders', { 'connector.class': 'file-stream-sink', topics: topic, file, format: 'raw', ...UNTOUCHED });
  await startUntilLine(whole, { queue, file, sortie });

  report.note(
    `from spawn() of \`sortie start\`, with one connector in its folder and one record that waits in a topic, until file-stream-sink's file holds it; medians of ${ROUNDS.rounds} starts`,
  );
  report.note(
    '  reference: a Node process that starts a thread, which appends one line to a file; measured in the same way, taking turns',
  );
  const median = await medians(ROUNDS, async () => {
    const plain = await untilGrown(file, () => spawn(process.execPath, [PLAIN_PROCESS, file], { stdio: 'inherit' }));
    const warm = await startUntilLine(whole, { queue, file });
    rmSync(join(whole.dataFolder, 'compiled'), { recursive: true, force: true });
    const cold = await startUntilLine(whole, { queue, file });
    return { plain, warm, cold };
  });
  const ms = { unit: 'ms', reference: median.plain } as const;
  report.figure({ name: 'start to first record', value: median.warm, ...ms, goal: { atMost: GOAL_FIRST_RECORD_MS } });
  report.figure({ name: 'the same, where no compiled code is kept', value: median.cold, ...ms, goal: 'printed' });
}

/** How long it took from the spawn of the process on, ms. A `sortie` that runs already is given the record. */
async function startUntilLine(
  whole: Whole,
  { queue, file, sortie }: { readonly queue: MessageQueue; readonly file: string; readonly sortie?: Sortie },
): Promise<number> {
  const record = { key: null, value: new Uint8Array(100).fill(0x78), tag: null, headers: [], bornAtMs: systemClock.nowMs() };
  const send = (): Promise<unknown> => whole.log.send(queue, [record]);
  let started = sortie;
  if (started === undefined) await send();
  const tookMs = await untilGrown(file, () => {
    started ??= whole.start();
    if (sortie !== undefined) void send();
  });
  await started?.stop();
  return tookMs;
}

async function untilGrown(file: string, act: () => void): Promise<number> {
  const before = statSync(file).size;
  const ended = new AbortController();
  const grown = new Promise<void>((resolve) => {
    watch(file, { signal: ended.signal }, () => {
      if (statSync(file).size > before) resolve();
    });
  });
  const startedAtMs = performance.now();
  act();
  const late = systemClock.sleep(MOVES_WITHIN_MS, ended.signal).then(() => {
    if (!ended.signal.aborted) throw new Error(`nothing was appended to ${file} within ${MOVES_WITHIN_MS} ms`);
  });
  await Promise.race([grown, late]);
  const tookMs = performance.now() - startedAtMs;
  ended.abort();
  return tookMs;
}

async function idle(report: Report, whole: Whole): Promise<void> {
  const sortie = whole.start();
  const connectors = connectorsIn(whole);
  for (const [name, config] of Object.entries(connectors)) await sortie.apply(name, config);
  report.note(
    `idle: ${Object.keys(connectors).join(', ')}, each with nothing to do; measured for ${IDLE_MS / 1_000} s, after ${SETTLE_MS / 1_000} s`,
  );
  await systemClock.sleep(SETTLE_MS);
  const before = { cpuMs: cpuMsOf(sortie.pid), atMs: performance.now() };
  let residentBytes = 0;
  for (let second = 0; second < IDLE_MS / 1_000; second += 1) {
    await systemClock.sleep(1_000);
    residentBytes = Math.max(residentBytes, residentBytesOf(sortie.pid));
  }
  const share = (cpuMsOf(sortie.pid) - before.cpuMs) / (performance.now() - before.atMs);
  await sortie.stop();
  report.figure({
    name: 'idle: resident memory, most',
    value: residentBytes / 1_000_000,
    unit: 'MB',
    goal: { atMost: GOAL_RESIDENT_MB },
  });
  report.figure({ name: 'idle: processor time', value: share, unit: 'of a core', goal: { atMost: GOAL_CPU_SHARE } });
}

/** Ten: a shop's database with its replica and its archive, a file that is followed, and sinks of other topics. */
function connectorsIn({ folder }: Whole): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const shop = join(folder, 'shop.db');
  const database = new DatabaseSync(shop);
  database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, total_cents INTEGER)');
  database.close();
  const lines = join(folder, 'lines.txt');
  appendFileSync(lines, 'a line\n');
  const json = { 'key.converter': 'json', 'value.converter': 'json' };
  const sinks = Array.from({ length: 6 }, (_, index) => [
    `discard-${index}`,
    { 'connector.class': 'discard-sink', topics: `topic-${index}`, ...UNTOUCHED },
  ]);
  return {
    'shop-cdc': { 'connector.class': 'sqlite-cdc-source', 'connection.url': `sqlite:${shop}`, 'topic.prefix': 'shop', ...json },
    'shop-replica': {
      'connector.class': 'sql-sink',
      topics: 'shop.orders',
      'connection.url': `sqlite:${join(folder, 'replica.db')}`,
      'insert.mode': 'upsert',
      'pk.mode': 'record_key',
      'auto.create': 'true',
      ...json,
    },
    'shop-archive': {
      'connector.class': 'file-sink',
      topics: 'shop.orders',
      directory: join(folder, 'archive'),
      ...UNTOUCHED,
    },
    lines: { 'connector.class': 'file-source', file: lines, topic: 'lines', 'value.converter': 'string' },
    ...Object.fromEntries(sinks),
  };
}
