/** Topics of a real RocketMQ that change below a sink of `sortie start`: deleted, shortened by retention, with other queues, on other brokers. */
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { outgoing } from '../support/log-records.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';
import { FILES, numbersBelow, statesOf, statusOf } from '../support/sink-outcomes.ts';
import { aSortieProcess, putConnector, type SortieProcess } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const TIMEOUT_MS = 240_000;
const PATIENCE = { timeout: 90_000, interval: 100 };

/** Longer than clocks may differ, so that store times tell old records from new ones. */
const SKEW_MS = 6_000;

/** The smallest file of a broker's log that holds every batch. */
const LOG_FILE_BYTES = 16 * 1024 * 1024;

/** Retention takes what is full at once, at any hour. */
const SHORT_RETENTION = {
  mappedFileSizeCommitLog: String(LOG_FILE_BYTES),
  fileReservedTime: '0',
  deleteWhen: Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0')).join(';'),
  cleanResourceInterval: '1000',
};

interface Stage {
  readonly client: RocketmqClient;
  readonly log: RocketmqLogBroker;
  readonly topic: string;
  readonly sortie: SortieProcess;
  /** What is in the files of the sink `directory`. */
  readonly numbers: (directory?: string) => readonly number[];
}

withRealServers('RocketMQ, topology', () => {
  describe('a topic that changes below a sink', { timeout: TIMEOUT_MS }, () => {
    const cluster = aCluster({ brokers: ['broker-a', 'broker-b'] });

    test('stops it when it was deleted and created again, and nothing of the new one is taken for the old one', async () => {
      const { client, log, topic, sortie, numbers } = await aStage(cluster().nameServer);
      await client.topics.create(topic, 2);
      await log.send(queueOf(topic, 'broker-a'), outgoing('1', '2', '3'));
      await putConnector(sortie, 'files', { ...FILES, topics: topic });
      await vi.waitFor(() => expect(numbers()).toEqual([1, 2, 3]), PATIENCE);
      await systemClock.sleep(SKEW_MS);

      await client.topics.delete(topic);
      await client.topics.create(topic, 2);
      await log.send(queueOf(topic, 'broker-a'), outgoing('4', '5', '6', '7'));

      await vi.waitFor(async () => expect(await statusOf(sortie, 'files')).toContain('shard.log_truncated'), PATIENCE);
      expect(numbers()).toEqual([1, 2, 3]);
    });

    test('has a queue that is added read from its beginning, and one that is removed shown as gone', async () => {
      const { client, log, topic, sortie, numbers } = await aStage(cluster().nameServer);
      await client.topics.resize(topic, { brokerName: 'broker-a', queues: 1 });
      await log.send(queueOf(topic, 'broker-a'), outgoing('1'));
      // What is younger counts as newer than the connector.
      await systemClock.sleep(SKEW_MS);
      await putConnector(sortie, 'files', { ...FILES, topics: topic, 'consumer.override.auto.offset.reset': 'latest' });
      await vi.waitFor(async () => expect(await statesOf(sortie, 'files')).toEqual(['broker-a/0 active']), PATIENCE);

      await client.topics.resize(topic, { brokerName: 'broker-a', queues: 2 });
      await log.send(queueOf(topic, 'broker-a', 1), outgoing('2', '3'));
      await vi.waitFor(() => expect(numbers()).toEqual([2, 3]), PATIENCE);
      await client.topics.resize(topic, { brokerName: 'broker-a', queues: 1 });
      await log.send(queueOf(topic, 'broker-a'), outgoing('4'));

      await vi.waitFor(() => expect(numbers()).toEqual([2, 3, 4]), PATIENCE);
      const left = ['broker-a/0 active', 'broker-a/1 gone'];
      await vi.waitFor(async () => expect(await statesOf(sortie, 'files')).toEqual(left), PATIENCE);
    });

    test('goes on at the other broker when one is added, is killed, and comes back', async () => {
      const { client, log, topic, sortie, numbers } = await aStage(cluster().nameServer);
      await client.topics.resize(topic, { brokerName: 'broker-a', queues: 1 });
      await putConnector(sortie, 'files', { ...FILES, topics: topic });
      await log.send(queueOf(topic, 'broker-a'), outgoing('1'));
      await vi.waitFor(() => expect(numbers()).toEqual([1]), PATIENCE);

      await client.topics.resize(topic, { brokerName: 'broker-b', queues: 1 });
      await log.send(queueOf(topic, 'broker-b'), outgoing('2', '3'));
      await vi.waitFor(() => expect(numbers()).toEqual([1, 2, 3]), PATIENCE);
      await cluster().killBroker('broker-b');
      await log.send(queueOf(topic, 'broker-a'), outgoing('4'));
      await vi.waitFor(() => expect(numbers()).toEqual([1, 2, 3, 4]), PATIENCE);
      await cluster().restartBroker('broker-b');
      await vi.waitFor(() => log.send(queueOf(topic, 'broker-b'), outgoing('5')), PATIENCE);

      await vi.waitFor(() => expect(numbers()).toEqual([1, 2, 3, 4, 5]), PATIENCE);
    });
  });

  describe('retention that takes what a sink has not read', { timeout: TIMEOUT_MS }, () => {
    const cluster = aCluster({ brokers: ['broker-a'], brokerSettings: SHORT_RETENTION });

    test('stops it, or lets it go on behind the gap where it may', async () => {
      const { log, topic, sortie, numbers } = await aStage(cluster().nameServer);
      await log.ensureTopic(topic, { queues: 1 });
      const queue = queueOf(topic, 'broker-a');
      await log.send(queue, outgoing('1'));
      await putConnector(sortie, 'stops', { ...FILES, topics: topic, directory: 'stops' });
      await putConnector(sortie, 'skips', { ...FILES, topics: topic, directory: 'skips', 'log.gap.policy': 'skip' });
      await vi.waitFor(() => expect([numbers('stops'), numbers('skips')]).toEqual([[1], [1]]), PATIENCE);
      await inState(sortie, 'PAUSED', 'pause');

      const last = await sendUntilTaken(log, queue);
      await inState(sortie, 'RUNNING', 'resume');

      await vi.waitFor(async () => expect(await statusOf(sortie, 'stops')).toContain('shard.log_gap'), PATIENCE);
      await vi.waitFor(() => expect(numbers('skips').at(-1)).toBe(last), PATIENCE);
      expect(numbers('stops')).toEqual([1]);
      const skipped = numbers('skips').slice(1);
      expect(skipped[0]).toBeGreaterThan(2);
      expect(skipped).toEqual(skipped.map((_, index) => (skipped[0] ?? 0) + index));
      expect(await statesOf(sortie, 'skips')).toEqual(['broker-a/0 active']);
    });
  });
});

let stages = 0;

async function aStage(nameServer: string): Promise<Stage> {
  stages += 1;
  const folder = aTemporaryFolder();
  const client = new RocketmqClient({ nameServers: [nameServer], group: 'topology' }, systemClock);
  onTestFinished(() => client.close());
  const options = ['--broker', 'rocketmq', '--rocketmq-namesrv-addr', nameServer];
  return {
    client,
    log: new RocketmqLogBroker({ client, clock: systemClock }),
    topic: `topology-${process.pid}-${stages}`,
    sortie: await aSortieProcess('data', { invoker: 'threads', folder, options }),
    numbers: (directory = 'files') => numbersBelow(join(folder, directory)),
  };
}

function queueOf(topic: string, brokerName: string, queueId = 0): MessageQueue {
  return { topic, brokerName, queueId };
}

/** Both sinks. */
async function inState(sortie: SortieProcess, state: string, action: 'pause' | 'resume'): Promise<void> {
  for (const name of ['stops', 'skips']) {
    await fetch(`${sortie.url}/connectors/${name}/${action}`, { method: 'PUT' });
    await vi.waitFor(async () => expect(await statusOf(sortie, name)).toContain(`"state":"${state}"`), PATIENCE);
  }
}

/** Numbers of a megabyte each, until the first of them are gone. Answers the last one. */
async function sendUntilTaken(log: RocketmqLogBroker, queue: MessageQueue): Promise<number> {
  let number = 1;
  while ((number * 1024 * 1024) / LOG_FILE_BYTES < 2.5) {
    number += 1;
    await log.send(queue, outgoing(String(number).padEnd(1024 * 1024)));
  }
  const isTaken = async (): Promise<void> => expect((await log.bounds([queue]))[0]?.min).toBeGreaterThan(1n);
  await vi.waitFor(isTaken, PATIENCE);
  return number;
}
