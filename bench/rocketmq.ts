/** The product on a real RocketMQ: each figure beside raw loops of our own client over the same topics, and the Java worker's. */
import { missingJavaTools } from '../servers/java-tools.ts';
import type { Report } from './figure.ts';
import { appendLatency } from './rocketmq/append-latency.ts';
import { coldConnection, firstRecords } from './rocketmq/first-records.ts';
import { fromTopics } from './rocketmq/from-topics.ts';
import { JAVA_WORKER_SOURCE } from './rocketmq/java-worker.ts';
import { withRocketmq } from './rocketmq/on-rocketmq.ts';
import { toTopics } from './rocketmq/to-topics.ts';

export async function run(report: Report): Promise<void> {
  const missing = missingJavaTools();
  if (missing !== null) throw new Error(missing);
  await withRocketmq(report, async (bench) => {
    report.note(`one broker on loopback, topics of 8 queues, invocations in threads; Node ${process.version}`);
    report.note(`Java worker: ${JAVA_WORKER_SOURCE}`);
    await fromTopics(report, bench);
    await toTopics(report, bench);
    await appendLatency(report, bench);
    await firstRecords(report, bench);
    await coldConnection(report, bench);
  });
}
