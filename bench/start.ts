/** How soon a process that is started moves its first record, and what it takes while there is nothing to do. */
import { spawn } from 'node:child_process';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../adapters/system.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import type { Report } from './figure.ts';
import { cpuMsOf, residentBytesOf } from './whole/process-use.ts';
import { medians } from './whole/progress.ts';
import { untilGrown } from './whole/until-grown.ts';
import { type Whole, withWhole } from './whole/whole.ts';

const ROUNDS = { warmUpRounds: 1, rounds: 5 };

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
  const sinks = { name: 'idle', goals: true, connectors: idleSinks };
  const withSources = { name: 'idle, two sources among them', goals: false, connectors: idleSourcesAndSinks };
  // Side by side, for each only waits.
  await Promise.all([sinks, withSources].map((idleOnes) => withWhole((whole) => idle(report, whole, idleOnes))));
}

async function firstRecord(report: Report, whole: Whole): Promise<void> {
  const topic = 'orders';
  await whole.log.ensureTopic(topic, { queues: 1 });
  const [queue] = await whole.log.queues(topic);
  if (queue === undefined) throw new Error('the topic has no queue');
  const file = join(whole.folder, 'out.txt');
  writeFileSync(file, '');
  const config = { 'connector.class': 'file-stream-sink', topics: topic, file, format: 'raw', ...UNTOUCHED };
  const sortie = whole.start();
  await sendOne(whole, queue);
  await (await untilGrown(file, () => sortie.apply('orders', config))).started;
  await sortie.stop();

  report.note(
    `from spawn() of \`sortie start\`, with one connector in its folder and one record that waits in a topic, until file-stream-sink's file holds it; medians of ${ROUNDS.rounds} starts`,
  );
  report.note(
    '  reference: a Node process that starts a thread, which appends one line to a file; measured in the same way, taking turns',
  );
  const median = await medians(ROUNDS, async () => {
    const { tookMs: plain } = await untilGrown(file, () => spawn(process.execPath, [PLAIN_PROCESS, file], { stdio: 'inherit' }));
    const warm = await startUntilLine(whole, { queue, file });
    rmSync(join(whole.dataFolder, 'compiled'), { recursive: true, force: true });
    const cold = await startUntilLine(whole, { queue, file, env: { NODE_DISABLE_COMPILE_CACHE: '1' } });
    return { plain, warm: warm.tookMs, warmCpu: warm.cpuMs, cold: cold.tookMs };
  });
  const ms = { unit: 'ms', reference: median.plain } as const;
  report.figure({ name: 'start to first record', value: median.warm, ...ms, goal: { atMost: GOAL_FIRST_RECORD_MS } });
  report.figure({ name: 'its processor time', value: median.warmCpu, unit: 'ms', goal: 'printed' });
  report.figure({ name: 'the same, where no compiled code is kept', value: median.cold, ...ms, goal: 'printed' });
}

interface Start {
  /** From the spawn of the process on. */
  readonly tookMs: number;
  /** Of the process, until then. */
  readonly cpuMs: number;
}

async function startUntilLine(
  whole: Whole,
  { queue, file, env }: { readonly queue: MessageQueue; readonly file: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Start> {
  await sendOne(whole, queue);
  const { tookMs, started: sortie } = await untilGrown(file, () => whole.start(env));
  const cpuMs = cpuMsOf(sortie.pid);
  await sortie.stop();
  return { tookMs, cpuMs };
}

async function sendOne({ log }: Whole, queue: MessageQueue): Promise<void> {
  const value = new Uint8Array(100).fill(0x78);
  await log.send(queue, [{ key: null, value, tag: null, headers: [], bornAtMs: systemClock.nowMs() }]);
}

interface IdleOnes {
  readonly name: string;
  /** Or the figures are only printed. */
  readonly goals: boolean;
  connectors(folder: string): Connectors;
}

type Connectors = Readonly<Record<string, Readonly<Record<string, string>>>>;

async function idle(report: Report, whole: Whole, { name, goals, connectors }: IdleOnes): Promise<void> {
  const sortie = whole.start();
  const applied = connectors(whole.folder);
  for (const [connector, config] of Object.entries(applied)) await sortie.apply(connector, config);
  report.note(
    `${name}: ${Object.keys(applied).join(', ')}, with nothing to do; measured for ${IDLE_MS / 1_000} s, after ${SETTLE_MS / 1_000} s`,
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
  const memory = { name: `${name}: resident memory, most`, value: residentBytes / 1_000_000, unit: 'MB' };
  report.figure({ ...memory, goal: goals ? { atMost: GOAL_RESIDENT_MB } : 'printed' });
  const processor = { name: `${name}: processor time`, value: share, unit: 'of a core' };
  report.figure({ ...processor, goal: goals ? { atMost: GOAL_CPU_SHARE } : 'printed' });
}

/** Ten sinks of four kinds, whose topics hold nothing. */
function idleSinks(folder: string): Connectors {
  const replica = {
    'connector.class': 'sql-sink',
    topics: 'shop.orders',
    'connection.url': `sqlite:${join(folder, 'replica.db')}`,
    'insert.mode': 'upsert',
    'pk.mode': 'record_key',
    'auto.create': 'true',
  };
  const archive = { 'connector.class': 'file-sink', topics: 'shop.orders', directory: join(folder, 'archive'), ...UNTOUCHED };
  const lines = { 'connector.class': 'file-stream-sink', topics: 'lines', file: join(folder, 'out.txt'), ...UNTOUCHED };
  const discards = Array.from({ length: 7 }, (_, index) => [
    `discard-${index}`,
    { 'connector.class': 'discard-sink', topics: `topic-${index}`, ...UNTOUCHED },
  ]);
  return { replica, archive, lines, ...Object.fromEntries(discards) };
}

/** Ten as well: a database and a file are looked at again and again. */
function idleSourcesAndSinks(folder: string): Connectors {
  const shop = join(folder, 'shop.db');
  const database = new DatabaseSync(shop);
  database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, total_cents INTEGER)');
  database.close();
  const file = join(folder, 'lines.txt');
  appendFileSync(file, 'a line\n');
  const sinks = Object.entries(idleSinks(folder)).slice(0, -2);
  return {
    shop: { 'connector.class': 'sqlite-cdc-source', 'connection.url': `sqlite:${shop}`, 'topic.prefix': 'shop' },
    file: { 'connector.class': 'file-source', file, topic: 'lines', 'value.converter': 'string' },
    ...Object.fromEntries(sinks),
  };
}
