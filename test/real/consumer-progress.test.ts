/** What `mqadmin consumerProgress` of a real RocketMQ shows of a sink's group. */
import process from 'node:process';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { offset } from '../../core/offset.ts';
import { outgoing } from '../support/log-records.ts';
import { mqadmin } from '../support/mqadmin.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';

const GROUP = 'connect-shop';

/** Brokers show what was sent, and name servers what was created, some time later. */
const PATIENCE = { timeout: 90_000, interval: 100 };

withRealServers('RocketMQ, consumerProgress', () => {
  describe('mqadmin consumerProgress', { timeout: 240_000 }, () => {
    const cluster = aCluster({ brokers: ['broker-a', 'broker-b'] });

    test('lists the group of a sink, and tells how far it has come in each queue', async () => {
      const { nameServer } = cluster();
      const client = new RocketmqClient({ nameServers: [nameServer], group: 'progress' }, systemClock);
      onTestFinished(() => client.close());
      const log = new RocketmqLogBroker({ client, clock: systemClock });
      const topic = `progress-${process.pid}`;
      await log.ensureTopic(topic, { queues: 2 });
      const queues = await log.queues(topic);
      for (const queue of queues) await log.send(queue, outgoing('a', 'b', 'c'));

      await log.noteGroup(
        GROUP,
        queues.map((queue, index) => ({ queue, offset: offset(index + 1) })),
      );

      // Its clients, state, speed and backlog.
      const groups = new RegExp(`^${GROUP} +0 +OFFLINE +0 +3\\s*$`, 'm');
      await vi.waitFor(async () => expect(await mqadmin('consumerProgress', '-n', nameServer)).toMatch(groups), PATIENCE);
      // The end of each queue, how far the group has come, its client and its backlog.
      const progress = await mqadmin('consumerProgress', '-n', nameServer, '-g', GROUP);
      expect(progress).toMatch(new RegExp(`^${topic} +broker-a +0 +3 +1 +\\S+ +2 `, 'm'));
      expect(progress).toMatch(new RegExp(`^${topic} +broker-b +0 +3 +2 +\\S+ +1 `, 'm'));
      expect((await log.topics()).filter((name) => name.includes(GROUP))).toEqual([]);
    });
  });
});
