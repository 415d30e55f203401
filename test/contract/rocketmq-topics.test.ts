/** What the client makes of topics that are there, in part, or not yet, with brokers that do as each test says. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { RequestCode, ResponseCode } from '../../clients/rocketmq/codes.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { outgoing } from '../support/log-records.ts';
import { clusterOf, type RemotingAnswer, RemotingServer } from '../support/remoting-server.ts';

/** A NameServer and all brokers in one: what is asked of a broker comes with the topic alone. */
async function aLog(
  answers: Readonly<Record<number, (address: string) => RemotingAnswer>>,
): Promise<{ readonly log: RocketmqLogBroker; readonly server: RemotingServer }> {
  const server: RemotingServer = await RemotingServer.start(
    ({ code }) => answers[code]?.(server.address) ?? { code: ResponseCode.TOPIC_NOT_EXIST },
  );
  const client = new RocketmqClient({ nameServers: [server.address], group: 'g' }, systemClock);
  const log = new RocketmqLogBroker({ client, clock: systemClock });
  onTestFinished(() => log.close());
  return { log, server };
}

interface Part {
  readonly perm?: number;
  readonly readQueueNums?: number;
  readonly writeQueueNums?: number;
  /** Of the broker; absent: it is a master. */
  readonly brokerId?: number;
}

function route(address: string, parts: Readonly<Record<string, Part>>): RemotingAnswer {
  const names = Object.entries(parts);
  const brokerDatas = names.map(([brokerName, { brokerId = 0 }]) => ({ brokerName, brokerAddrs: { [brokerId]: address } }));
  const queueDatas = names.map(([brokerName, { perm = 6, readQueueNums = 2, writeQueueNums = 2 }]) => ({
    brokerName,
    perm,
    readQueueNums,
    writeQueueNums,
  }));
  return { body: JSON.stringify({ brokerDatas, queueDatas }) };
}

describe('RocketmqLogBroker, queues', () => {
  test('lists those to be read, and those that can be written to', async () => {
    const { log } = await aLog({
      [RequestCode.GET_ROUTE]: (address) =>
        route(address, {
          'broker-a': { readQueueNums: 3, writeQueueNums: 1 },
          'broker-b': { perm: 4 },
          'broker-c': { brokerId: 1 },
        }),
    });
    const names = async (use: 'reading' | 'writing'): Promise<readonly string[]> =>
      (await log.queues('orders', use)).map(({ brokerName, queueId }) => `${brokerName}/${queueId}`);

    expect(await names('reading')).toEqual(['a/0', 'a/1', 'a/2', 'b/0', 'b/1', 'c/0', 'c/1'].map((name) => `broker-${name}`));
    expect(await names('writing')).toEqual(['broker-a/0']);
  });

  test('sends to none of a slave, and says what to do', async () => {
    const { log, server } = await aLog({
      [RequestCode.GET_ROUTE]: (address) => route(address, { 'broker-a': { brokerId: 1 } }),
    });
    const queue = { topic: 'orders', brokerName: 'broker-a', queueId: 0 };

    await expect(log.send(queue, outgoing('a'))).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'broker.unavailable',
      message: expect.stringMatching(/broker-a has no master.*; next: /),
    });
    expect(server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(0);
  });

  test('says of one that can only be read that it cannot be written to, and not that it is missing', async () => {
    const { log } = await aLog({
      [RequestCode.GET_ROUTE]: (address) => route(address, { 'broker-a': { writeQueueNums: 1 } }),
    });
    const queue = { topic: 'orders', brokerName: 'broker-a', queueId: 1 };

    await expect(log.send(queue, outgoing('a'))).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'broker.unavailable',
      message: expect.stringMatching(/orders\/broker-a\/1 can be read and not written to; next: /),
    });
  });
});

describe('RocketmqLogBroker, ensureTopic', () => {
  test('leaves a topic alone that can only be read, or not even that', async () => {
    for (const perm of [4, 0]) {
      const { log, server } = await aLog({
        [RequestCode.GET_ROUTE]: (address) => route(address, { 'broker-a': { perm } }),
        [RequestCode.GET_CLUSTER]: (address) => clusterOf({ 'broker-a': address }),
      });

      await log.ensureTopic('orders', { queues: 8 });

      expect(server.count(RequestCode.CREATE_TOPIC)).toBe(0);
    }
  });

  test('creates none while no broker is there, and says what to do', async () => {
    const { log, server } = await aLog({ [RequestCode.GET_CLUSTER]: () => clusterOf({}) });

    await expect(log.ensureTopic('orders', { queues: 8 })).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'broker.unavailable',
      message: expect.stringMatching(/no broker has told .*; next: /),
    });
    expect(server.count(RequestCode.CREATE_TOPIC)).toBe(0);
  });

  // As where one of two NameServers was just started, and the other one is asked for the brokers.
  test('leaves alone what a broker has of the topic, though the name server does not tell of it', async () => {
    const { log, server } = await aLog({
      [RequestCode.GET_CLUSTER]: (address) => clusterOf({ 'broker-a': address }),
      [RequestCode.GET_TOPIC_STATS]: () => ({ body: '{"offsetTable":{}}' }),
    });

    await log.ensureTopic('orders', { queues: 8 });

    expect(server.count(RequestCode.CREATE_TOPIC)).toBe(0);
  });
});
