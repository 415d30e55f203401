/** How soon an appended record can be seen in the file that a connector appends to. */
import { appendFileSync, closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../adapters/system.ts';
import type { MessageQueue } from '../core/message-queue.ts';
import { quantile, type Report } from './figure.ts';
import { type Latencies, measureLatencies, SeenLines } from './whole/append-latency.ts';
import { type Whole, withWhole } from './whole/whole.ts';

const PACE = { perSecond: 100, warmUp: 300, records: 2_000 };

const GOAL_P50_MS = 5;
const GOAL_P99_MS = 25;

const TOPIC = 'latency';

export async function run(report: Report): Promise<void> {
  await withWhole(async (whole) => {
    report.note(`state and log in ${whole.dataFolder}, invocations in threads; Node ${process.version}`);
    report.note(
      `${PACE.records} records, ${PACE.perSecond} a second, after ${PACE.warmUp} that warm up; from the call of send() in one process, synced, until file-stream-sink's file is seen to hold the line`,
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
  const lines = new SeenLines(file);
  const latencies = await measureLatencies(PACE, { lines, append: (line) => sendLine(whole, queue, line) });
  lines.close();
  await sortie.stop();
  return latencies;
}

async function sendLine({ log }: Whole, queue: MessageQueue, line: string): Promise<void> {
  const value = new TextEncoder().encode(line);
  await log.send(queue, [{ key: null, value, tag: null, headers: [], bornAtMs: systemClock.nowMs() }]);
}

async function throughFiles({ folder }: Whole): Promise<Latencies> {
  const [first, second] = [openSync(join(folder, 'first.txt'), 'a'), openSync(join(folder, 'second.txt'), 'a')];
  const lines = new SeenLines(join(folder, 'second.txt'));
  const append = async (line: string): Promise<void> => {
    for (const file of [first, second]) {
      writeSync(file, `${line}\n`);
      fdatasyncSync(file);
    }
  };
  const latencies = await measureLatencies(PACE, { lines, append });
  lines.close();
  closeSync(first);
  closeSync(second);
  return latencies;
}
