import { describe, expect, test } from 'vitest';
import { parseCluster, parseRoute, queuesOfRoute } from '../../../../clients/rocketmq/route.ts';

/** As NameServers answer them, 5.3.3; the second one's addresses as an old one writes them. */
const ROUTE =
  '{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:10911","1":"127.0.0.1:10921"},"brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":3}]}';
const OLD_ROUTE = ROUTE.replace('"0":', '0:').replace('"1":', '1:');
const CLUSTER =
  '{"brokerAddrTable":{"broker-b":{"brokerAddrs":{0:"127.0.0.1:10931"},"brokerName":"broker-b","cluster":"DefaultCluster","enableActingMaster":false},"broker-a":{"brokerAddrs":{0:"127.0.0.1:10911",1:"x:1"},"brokerName":"broker-a","cluster":"DefaultCluster"},"broker-c":{"brokerAddrs":{1:"127.0.0.1:10941"},"brokerName":"broker-c","cluster":"DefaultCluster"}},"clusterAddrTable":{"DefaultCluster":["broker-a"]}}';

describe('parseRoute', () => {
  test('reads the queues of each broker and the address of its master', () => {
    for (const text of [ROUTE, OLD_ROUTE]) {
      expect(parseRoute(Buffer.from(text))).toEqual({
        brokers: [{ brokerName: 'broker-a', address: '127.0.0.1:10911', readQueues: 4, writeQueues: 3 }],
      });
    }
  });

  test('counts no queues that may not be read or written to', () => {
    const [readOnly] = parseRoute(Buffer.from(ROUTE.replace('"perm":6', '"perm":4'))).brokers;
    const [writeOnly] = parseRoute(Buffer.from(ROUTE.replace('"perm":6', '"perm":2'))).brokers;

    expect(readOnly).toMatchObject({ readQueues: 4, writeQueues: 0 });
    expect(writeOnly).toMatchObject({ readQueues: 0, writeQueues: 3 });
  });

  test('takes no slave for the master: it may lack what was acknowledged', () => {
    const [broker] = parseRoute(Buffer.from(ROUTE.replace('"0":"127.0.0.1:10911",', ''))).brokers;

    expect(broker).toMatchObject({ address: '', readQueues: 4 });
  });
});

describe('queuesOfRoute', () => {
  test('lists the queues broker by broker, those to be read and those to be written', () => {
    const brokers = ['a', 'b'].map((brokerName) => ({ brokerName, address: 'x:1', readQueues: 2, writeQueues: 1 }));
    const names = (use: 'readQueues' | 'writeQueues'): readonly string[] =>
      queuesOfRoute('T', { brokers }, use).map(({ brokerName, queueId }) => `${brokerName}${queueId}`);

    expect(names('readQueues')).toEqual(['a0', 'a1', 'b0', 'b1']);
    expect(names('writeQueues')).toEqual(['a0', 'b0']);
  });

  test('lists none to be written where a broker has no master', () => {
    const brokers = [{ brokerName: 'a', address: '', readQueues: 2, writeQueues: 2 }];

    expect(queuesOfRoute('T', { brokers }, 'readQueues')).toHaveLength(2);
    expect(queuesOfRoute('T', { brokers }, 'writeQueues')).toEqual([]);
  });
});

describe('parseCluster', () => {
  test('lists the masters in the order of their names', () => {
    expect(parseCluster(Buffer.from(CLUSTER))).toEqual([
      { brokerName: 'broker-a', address: '127.0.0.1:10911' },
      { brokerName: 'broker-b', address: '127.0.0.1:10931' },
    ]);
  });
});
