/** How soon an appended record can be seen in the file that a connector appends to. */
import { appendFileSync, closeSync, existsSync, fdatasyncSync, openSync, readSync, watch, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../adapters/system.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import { quantile, type Report } from './figure.ts';
import { type Whole, withWhole } from './whole/whole.ts';

const PER_SECOND = 100;
const WARM_UP = 300;
const RECORDS = 2_000;

/** Padded to it, so that each line is as long. */
const DIGITS = 8;
const LINE_BYTES = DIGITS + 1;

const GOAL_P50_MS = 5;
const GOAL_P99_MS = 25;

const TOPIC = 'latency';

export async function run(report: Report): Promise<void> {
  await withWhole(async (whole) => {
    report.note(`state and log in ${whole.dataFolder}, invocations in threads; Node ${process.version}`);
    report.note(
      `${RECORDS} records, ${PER_SECOND} a second, after ${WARM_UP} that warm up; from the call of send() in one process, synced, until file-stream-sink's file is seen to hold the line`,
    );
    report.note(
      '  reference: the same process appends the line to a file twice, synced each time, as log and target are, and sees it',
    );
    const ours = await throughProduct(whole);
    const plain = await throughFiles(whole);
    for (const [name, share, goal] of [
      ['median', 0.5, { atMost: GOAL_P50_MS }],
      ['99th percentile', 0.99, { atMost: GOAL_P99_MS }],
      ['longest', 1, 'printed'],
    ] as const) {
      const reference = quantile(plain.seenMs, share);
      report.figure({ name: `appended to visible, ${name}`, value: quantile(ours.seenMs, share), unit: 'ms', reference, goal });
    }
    report.figure({ name: 'of it send() itself, median', value: quantile(ours.sentMs, 0.5), unit: 'ms', goal: 'printed' });
  });
}

interface Latencies {
  /** From the call to the line in the file. */
  readonly seenMs: Float64Array;
  /** From the call to its answer. */
  readonly sentMs: Float64Array;
}

async function throughProduct(whole: Whole): Promise<Latencies> {
  const { log } = whole;
  await log.ensureTopic(TOPIC, { queues: 1 });
  const [queue] = await log.queues(TOPIC);
  if (queue === undefined) throw new Error('the topic has no queue');
  const file = join(whole.folder, 'out.txt');
  appendFileSync(file, '');
  const sortie = whole.start();
  const connector = { 'connector.class': 'file-stream-sink', topics: TOPIC, file, format: 'raw' };
  await sortie.apply('latency', { ...connector, 'key.converter': 'bytes', 'value.converter': 'bytes' });
  const latencies = await measure(file, (line) => sendLine(whole, queue, line));
  await sortie.stop();
  return latencies;
}

async function sendLine({ log }: Whole, queue: MessageQueue, line: string): Promise<void> {
  const value = new TextEncoder().encode(line);
  await log.send(queue, [{ key: null, value, tag: null, headers: [], bornAtMs: systemClock.nowMs() }]);
}

async function throughFiles({ folder }: Whole): Promise<Latencies> {
  const [first, second] = [openSync(join(folder, 'first.txt'), 'a'), openSync(join(folder, 'second.txt'), 'a')];
  const latencies = await measure(join(folder, 'second.txt'), async (line) => {
    for (const file of [first, second]) {
      writeSync(file, `${line}\n`);
      fdatasyncSync(file);
    }
  });
  closeSync(first);
  closeSync(second);
  return latencies;
}

async function measure(file: string, append: (line: string) => Promise<void>): Promise<Latencies> {
  const lines = new SeenLines(file);
  const seenMs = new Float64Array(RECORDS);
  const sentMs = new Float64Array(RECORDS);
  const startedAtMs = performance.now();
  const appends: Promise<void>[] = [];
  for (let index = -WARM_UP; index < RECORDS; index += 1) {
    // A record that is late keeps no other waiting.
    await systemClock.sleep(startedAtMs + ((index + WARM_UP) * 1_000) / PER_SECOND - performance.now());
    const calledAtMs = performance.now();
    const seen = lines.seen(index + WARM_UP).then((atMs) => note(seenMs, index, atMs - calledAtMs));
    const sent = append(String(index + WARM_UP).padStart(DIGITS, '0')).then(() =>
      note(sentMs, index, performance.now() - calledAtMs),
    );
    appends.push(seen, sent);
  }
  await Promise.all(appends);
  lines.close();
  return { seenMs, sentMs };
}

function note(latenciesMs: Float64Array, index: number, latencyMs: number): void {
  if (index >= 0) latenciesMs[index] = latencyMs;
}

/** Reads a file each time the system says that it has changed. */
class SeenLines {
  readonly #file: number;
  readonly #watcher: ReturnType<typeof watch>;
  readonly #buffer = Buffer.alloc(64 * 1_024);
  readonly #waiting = new Map<number, (atMs: number) => void>();
  #at = 0;

  constructor(path: string) {
    if (!existsSync(path)) throw new Error(`there is no ${path}`);
    this.#file = openSync(path, 'r');
    this.#watcher = watch(path, () => this.#look());
  }

  /** When the line of this number was seen first. */
  seen(number: number): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
    });
  }

  close(): void {
    this.#watcher.close();
    closeSync(this.#file);
  }

  #look(): void {
    const bytes = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#at);
    const atMs = performance.now();
    for (let at = 0; at + LINE_BYTES <= bytes; at += LINE_BYTES) {
      const number = Number(this.#buffer.toString('latin1', at, at + DIGITS));
      this.#waiting.get(number)?.(atMs);
      this.#waiting.delete(number);
      this.#at += LINE_BYTES;
    }
  }
}
