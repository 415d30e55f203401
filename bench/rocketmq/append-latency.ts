/** How soon an appended record can be seen in the file that a connector appends to. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../adapters/system.ts';
import { OutgoingMessages } from '../../clients/rocketmq/outgoing-messages.ts';
import { readRecords } from '../../clients/rocketmq/records/read-records.ts';
import type { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { offset } from '../../core/offset.ts';
import { quantile, type Report } from '../figure.ts';
import { AwaitedLines, type Latencies, measureLatencies, SeenLines } from '../whole/append-latency.ts';
import { type OnRocketmq, topicQueues, UNTOUCHED } from './on-rocketmq.ts';

const PACE = { perSecond: 100, warmUp: 500, records: 1_500 };

const GOAL_P50_MORE_MS = 3;
const GOAL_P99_MS = 40;

const READ_LIMITS = { records: 500, bytes: 4 * 1_024 * 1_024, waitMs: 500 };

export async function appendLatency(report: Report, bench: OnRocketmq): Promise<void> {
  report.note(
    `latency: ${PACE.records} records, ${PACE.perSecond} a second, to the queues of a topic in turn, after ${PACE.warmUp} that warm up; from the call of send() in one process until file-stream-sink's file is seen to hold the line`,
  );
  report.note('  reference: the same process sends, and reads by long polls of our client, nothing else');
  const raw = await byClient(bench);
  const ours = await throughProduct(bench);
  for (const [name, share, goal] of [
    ['median', 0.5, { atMost: quantile(raw.seenMs, 0.5) + GOAL_P50_MORE_MS }],
    ['99th percentile', 0.99, { atMost: GOAL_P99_MS }],
    ['longest', 1, 'printed'],
  ] as const) {
    const reference = quantile(raw.seenMs, share);
    report.figure({ name: `sent to visible, ${name}`, value: quantile(ours.seenMs, share), unit: 'ms', reference, goal });
  }
  report.figure({ name: '  of it send() itself, median', value: quantile(ours.sentMs, 0.5), unit: 'ms', goal: 'printed' });
}

async function throughProduct({ whole, sortie, client }: OnRocketmq): Promise<Latencies> {
  const queues = await topicQueues(client, 'latency');
  const file = join(whole.folder, 'latency.txt');
  appendFileSync(file, '');
  const config = {
    'connector.class': 'file-stream-sink',
    topics: 'latency',
    file,
    format: 'raw',
    'tasks.max': String(queues.length),
  };
  await sortie.apply('latency', { ...config, ...UNTOUCHED });
  const lines = new SeenLines(file);
  const latencies = await measureLatencies(PACE, { lines, append: appendTo(client, queues) });
  lines.close();
  await sortie.remove('latency');
  return latencies;
}

async function byClient({ client, newClient }: OnRocketmq): Promise<Latencies> {
  const queues = await topicQueues(client, 'latency-raw');
  const reader = newClient();
  const lines = new AwaitedLines();
  const end = new AbortController();
  const reading = queues.map((queue) => readOn(reader, { queue, lines, signal: end.signal }));
  const latencies = await measureLatencies(PACE, { lines, append: appendTo(client, queues) });
  end.abort();
  await Promise.all(reading);
  await reader.close();
  return latencies;
}

function appendTo(client: RocketmqClient, queues: readonly MessageQueue[]) {
  return async (line: string, index: number): Promise<void> => {
    const queue = queues[index % queues.length] as MessageQueue;
    const message = OutgoingMessages.of([{ body: new TextEncoder().encode(line), properties: '' }]);
    await client.send(queue, message, systemClock.nowMs());
  };
}

async function readOn(
  client: RocketmqClient,
  { queue, lines, signal }: { readonly queue: MessageQueue; readonly lines: AwaitedLines; readonly signal: AbortSignal },
): Promise<void> {
  let from = offset(0);
  while (!signal.aborted) {
    const { records, next } = await readRecords({ client, clock: systemClock }, { queue, from }, READ_LIMITS, signal);
    for (const { value } of records) lines.see(new TextDecoder().decode(value ?? new Uint8Array()));
    from = next;
  }
}
