/** What the product takes out of a topic, through all of it: read, put and committed by invocations in threads. */
import { join } from 'node:path';
import type { Report } from '../figure.ts';
import { medians, rate, watchAll } from '../whole/progress.ts';
import { demandPublished } from '../whole/published.ts';
import { fillTopic } from '../whole/topic.ts';
import { JAVA_SINK_CPU_US, JAVA_SINK_PER_SECOND } from './java-worker.ts';
import { type OnRocketmq, QUEUES, UNTOUCHED } from './on-rocketmq.ts';
import { pullAll } from './raw-loops.ts';

const ROUNDS = { warmUpRounds: 1, rounds: 5 };

/** Some two seconds: the beginning of a connector, of which there is a figure of its own, is in what is measured. */
const RECORDS = 400_000;
const SIZES = [200, 1_024];

const GOAL_DISCARD_SHARE = 0.75;
const GOAL_FILES_SHARE = 0.6;
const GOAL_CPU_US = 8;
const GOAL_TIMES_JAVA = 2;

interface Filled {
  readonly topic: string;
  readonly recordBytes: number;
}

export async function fromTopics(report: Report, bench: OnRocketmq): Promise<void> {
  report.note(
    `sinks: tasks.max=${QUEUES}, nothing decoded; medians of ${ROUNDS.rounds} rounds that take turns with their reference; each is a new connector, measured from its creation until all is committed`,
  );
  report.note(
    '  reference: one process that only pulls: our client, several windows in flight in each queue, all queues side by side',
  );
  for (const recordBytes of SIZES) {
    const topic = `from-${recordBytes}`;
    const value = new Uint8Array(recordBytes).fill(0x78);
    await fillTopic(bench.whole.log, topic, { queues: QUEUES, recordsPerQueue: RECORDS / QUEUES, value });
    report.note(`${topic}: ${RECORDS} records of ${recordBytes} bytes`);
    await intoSinks(report, bench, { topic, recordBytes });
  }
}

async function intoSinks(report: Report, bench: OnRocketmq, filled: Filled): Promise<void> {
  const { client } = bench;
  const { topic, recordBytes } = filled;
  const queues = await client.queues(topic);
  const median = await medians(ROUNDS, async (round) => {
    const pull = await rate(RECORDS, () => pullAll(client, queues));
    const discard = await moved(bench, filled, {
      connector: `discard-${recordBytes}-${round}`,
      'connector.class': 'discard-sink',
    });
    const files = await intoFiles(bench, filled, `files-${recordBytes}-${round}`);
    return {
      pull,
      discard: discard.perSecond,
      discardCpu: discard.cpuUsPerRecord,
      files: files.perSecond,
      filesCpu: files.cpuUsPerRecord,
    };
  });
  const isSmall = recordBytes === SIZES[0];
  for (const [sink, value, cpu, share] of [
    ['discard-sink', median.discard, median.discardCpu, GOAL_DISCARD_SHARE],
    ['file-sink', median.files, median.filesCpu, GOAL_FILES_SHARE],
  ] as const) {
    const name = `${recordBytes}-byte records into ${sink}`;
    report.figure({ name, value, unit: 'records/s', reference: median.pull, goal: { atLeast: share * median.pull } });
    report.figure({
      name: '  processor time',
      value: cpu,
      unit: 'us/record',
      ...(isSmall ? { reference: JAVA_SINK_CPU_US } : {}),
      goal: isSmall ? { atMost: GOAL_CPU_US } : 'printed',
    });
  }
  if (!isSmall) return;
  const goal = { atLeast: GOAL_TIMES_JAVA * JAVA_SINK_PER_SECOND };
  report.figure({
    name: '  file-sink beside the Java worker',
    value: median.files,
    unit: 'records/s',
    reference: JAVA_SINK_PER_SECOND,
    goal,
  });
}

/** The files stay: whoever wrote them may still be about to close the last ones. */
async function intoFiles(bench: OnRocketmq, filled: Filled, connector: string): ReturnType<typeof watchAll> {
  const directory = join(bench.whole.folder, connector);
  const config = { connector, 'connector.class': 'file-sink', directory, format: 'raw' };
  return moved(bench, filled, config, () => demandPublished(directory, RECORDS * (filled.recordBytes + 1)));
}

async function moved(
  { whole, sortie }: OnRocketmq,
  { topic }: Filled,
  { connector, ...config }: Readonly<Record<string, string>> & { readonly connector: string },
  demand: () => Promise<void> = async () => undefined,
): ReturnType<typeof watchAll> {
  const watched = { connector, records: RECORDS, look: () => whole.finished(connector) };
  const result = await watchAll(sortie, watched, () =>
    sortie.apply(connector, { ...config, topics: topic, 'tasks.max': String(QUEUES), ...UNTOUCHED }),
  );
  await demand();
  await sortie.remove(connector);
  return result;
}
