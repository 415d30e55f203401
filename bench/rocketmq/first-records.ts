/** How soon a connector that was just created has moved its first record, and a connection that was just made has brought one. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../adapters/system.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Report } from '../figure.ts';
import { medians } from '../whole/progress.ts';
import { fillTopic } from '../whole/topic.ts';
import { untilGrown } from '../whole/until-grown.ts';
import { type OnRocketmq, QUEUES, UNTOUCHED } from './on-rocketmq.ts';

const ROUNDS = { warmUpRounds: 1, rounds: 5 };
const CONNECTIONS = { warmUpRounds: 5, rounds: 21 };

const LOOK_EVERY_MS = 2;

const GOAL_FIRST_RECORD_MS = 500;
const GOAL_COLD_CONNECTION_MS = 20;

const TOPIC = 'waiting';
const WAITING_PER_QUEUE = 100;

export async function firstRecords(report: Report, bench: OnRocketmq): Promise<void> {
  await fillTopic(bench.whole.log, TOPIC, {
    queues: QUEUES,
    recordsPerQueue: WAITING_PER_QUEUE,
    value: new Uint8Array(200).fill(0x78),
  });
  report.note(
    `first records: from the call that creates a connector; a source has done it when its topic, which is made for it, holds a record, and a sink when its file does; medians of ${ROUNDS.rounds}; once with no other connector, once right after the call that stops one of its kind`,
  );
  const median = await medians(ROUNDS, async (round) => {
    const source = await sourceStart(bench, `source-${round + 1}`);
    const sink = await sinkStart(bench, `sink-${round + 1}`);
    await stop(bench, `source-${round + 1}`);
    const sourceAfter = await sourceStart(bench, `source-after-${round + 1}`);
    await stop(bench, `sink-${round + 1}`);
    const sinkAfter = await sinkStart(bench, `sink-after-${round + 1}`);
    for (const name of ['source', 'sink', 'source-after', 'sink-after']) await bench.sortie.remove(`${name}-${round + 1}`);
    return { source, sink, sourceAfter, sinkAfter };
  });
  const goal = { atMost: GOAL_FIRST_RECORD_MS };
  report.figure({ name: 'source created to first record', value: median.source, unit: 'ms', goal });
  report.figure({ name: '  right after another was stopped', value: median.sourceAfter, unit: 'ms', goal });
  report.figure({ name: 'sink created to first record', value: median.sink, unit: 'ms', goal });
  report.figure({ name: '  right after another was stopped', value: median.sinkAfter, unit: 'ms', goal });
}

/** One that goes on, a hundred records a second. */
async function sourceStart({ sortie, client, whole }: OnRocketmq, connector: string): Promise<number> {
  const startedAtMs = performance.now();
  await sortie.apply(connector, {
    'connector.class': 'datagen-source',
    topic: connector,
    rate: '100',
    'value.converter': 'json',
    'value.converter.schemas.enable': 'false',
  });
  while ((await client.queues(connector)).length === 0) await systemClock.sleep(LOOK_EVERY_MS);
  while ((await whole.appended(connector)) === 0) await systemClock.sleep(LOOK_EVERY_MS);
  return performance.now() - startedAtMs;
}

async function sinkStart({ sortie, whole }: OnRocketmq, connector: string): Promise<number> {
  const file = join(whole.folder, `${connector}.txt`);
  appendFileSync(file, '');
  const config = {
    'connector.class': 'file-stream-sink',
    topics: TOPIC,
    file,
    format: 'raw',
    'tasks.max': String(QUEUES),
    ...UNTOUCHED,
  };
  const { tookMs, started } = await untilGrown(file, () => sortie.apply(connector, config));
  await started;
  return tookMs;
}

async function stop({ sortie }: OnRocketmq, connector: string): Promise<void> {
  const { status, text } = await sortie.ask('PUT', `/connectors/${connector}/stop`);
  if (status >= 400) throw new Error(`HTTP ${status}: ${text}`);
}

/** A client that knows the address of the name server and nothing else, in a process that is warm. */
export async function coldConnection(report: Report, { client, newClient }: OnRocketmq): Promise<void> {
  const [queue] = await client.queues(TOPIC);
  const median = await medians(CONNECTIONS, async () => {
    const cold = newClient();
    const startedAtMs = performance.now();
    let found = 0;
    await cold.read(queue as MessageQueue, 0n, { messages: 1, bytes: 1_024 }, () => {
      found += 1;
      return false;
    });
    const tookMs = performance.now() - startedAtMs;
    if (found !== 1) throw new Error('no record came');
    await cold.close();
    return { tookMs };
  });
  report.figure({
    name: 'cold connection to first record',
    value: median.tookMs,
    unit: 'ms',
    goal: { atMost: GOAL_COLD_CONNECTION_MS },
  });
}
