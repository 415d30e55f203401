/** What brokers are told of consumer groups, so that their own tools show them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { RequestCode, ResponseCode } from '../../clients/rocketmq/codes.ts';
import { RocketmqClient, type RocketmqSettings } from '../../clients/rocketmq/rocketmq-client.ts';
import { offset } from '../../core/offset.ts';
import type { GroupOffset } from '../../core/ports.ts';
import type { RemotingAnswer, RemotingRequest } from '../support/remoting-server.ts';
import { BROKER, StandInCluster } from '../support/stand-in-cluster.ts';

const PLACES: readonly GroupOffset[] = [0, 1].map((queueId) => ({
  queue: { topic: 'orders', brokerName: BROKER, queueId },
  offset: offset(queueId),
}));

/** `orders` has two queues. */
async function aWorld(
  settings: (address: string) => Partial<RocketmqSettings> = () => ({}),
): Promise<{ readonly cluster: StandInCluster; readonly log: RocketmqLogBroker }> {
  const cluster = await StandInCluster.start();
  const { address } = cluster.server;
  const client = new RocketmqClient({ nameServers: [address], group: 'g', ...settings(address) }, systemClock);
  const log = new RocketmqLogBroker({ client, clock: systemClock });
  onTestFinished(() => log.close());
  cluster.createTopic('orders', { queues: 2 });
  return { cluster, log };
}

function created({ server }: StandInCluster): readonly RemotingRequest['fields'][] {
  return server.requests.filter(({ code }) => code === RequestCode.CREATE_TOPIC).map(({ fields }) => fields);
}

/** Says so to whoever creates a topic. */
function refuseTopics(cluster: StandInCluster, answer: RemotingAnswer): void {
  cluster.answerFirst = ({ code }) => (code === RequestCode.CREATE_TOPIC ? answer : null);
}

describe('RocketmqLogBroker, noteGroup', () => {
  test('makes the topic of retries with a group, for mqadmin finds groups by it', async () => {
    const { cluster, log } = await aWorld();

    await log.noteGroup('connect-shop', PLACES);

    expect(created(cluster)).toEqual([
      expect.objectContaining({ topic: '%RETRY%connect-shop', readQueueNums: '1', writeQueueNums: '1' }),
    ]);
    expect((await log.groups('orders')).get('connect-shop')).toEqual(PLACES);
  });

  test('names it by the group as it is in a namespace', async () => {
    const { cluster, log } = await aWorld(() => ({ namespace: 'inst' }));
    cluster.createTopic('inst%orders', { queues: 2 });

    await log.noteGroup('connect-shop', PLACES);

    expect(created(cluster)).toEqual([expect.objectContaining({ topic: '%RETRY%inst%connect-shop' })]);
  });

  test('makes it where whoever began with the group died before it was there', async () => {
    const { cluster, log } = await aWorld();
    refuseTopics(cluster, { code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: 'the broker ends' });
    await expect(log.noteGroup('connect-shop', PLACES)).rejects.toMatchObject({ code: 'broker.unavailable' });
    cluster.answerFirst = () => null;

    await log.noteGroup('connect-shop', PLACES);

    expect(cluster.messages('%RETRY%connect-shop')).toHaveLength(1);
  });

  test('leaves the topic alone of a group that is known', async () => {
    const { cluster, log } = await aWorld();
    await log.noteGroup('connect-shop', PLACES);

    await log.noteGroup('connect-shop', PLACES);

    expect(created(cluster)).toHaveLength(1);
  });

  const refusals: readonly (readonly [string, RemotingAnswer])[] = [
    ['allowed', { code: ResponseCode.NO_PERMISSION, remark: 'No permission' }],
    ['supported', { code: ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark: 'not supported' }],
    ['taken', { code: ResponseCode.INVALID_PARAMETER, remark: 'the name is too long' }],
  ];
  test.each(refusals)('notes a group all the same where its topic is not %s', async (_, answer) => {
    const { cluster, log } = await aWorld();
    refuseTopics(cluster, answer);

    await log.noteGroup('connect-shop', PLACES);

    expect((await log.groups('orders')).get('connect-shop')).toEqual(PLACES);
  });

  test('asks no proxy for topics', async () => {
    const { cluster, log } = await aWorld((address) => ({ proxies: [address] }));

    await log.noteGroup('connect-shop', PLACES);

    expect(created(cluster)).toEqual([]);
    expect((await log.groups('orders')).get('connect-shop')).toEqual(PLACES);
  });

  test('leaves its topic out of those that there are', async () => {
    const { log } = await aWorld();

    await log.noteGroup('connect-shop', PLACES);

    expect(await log.topics()).toEqual(['orders']);
  });
});
