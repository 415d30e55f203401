/** The contract of a log, on a real RocketMQ: one broker, then two, then through the proxy's remoting port. */
import { beforeAll, describe } from 'vitest';
import { logBrokerContract } from '../contract/log-broker-contract.ts';
import { aCluster, START_TIMEOUT_MS, withRealServers } from '../support/rocketmq-cluster.ts';
import { rocketmqLog } from '../support/rocketmq-log.ts';

const CASE_TIMEOUT_MS = 60_000;

/** Each call is a round trip, and each run makes a topic. */
const PROPERTY_RUNS = 5;

withRealServers('LogBroker: rocketmq', () => {
  const cluster = aCluster({ brokers: ['broker-a'] });
  let proxy = '';

  contract('rocketmq, one broker', () => rocketmqLog({ nameServers: [cluster().nameServer] }));

  describe('with two brokers', () => {
    beforeAll(async () => void (await cluster().startBroker('broker-b')), START_TIMEOUT_MS);
    contract('rocketmq, two brokers', () => rocketmqLog({ nameServers: [cluster().nameServer] }));
  });

  describe('through a proxy', () => {
    beforeAll(async () => {
      proxy = await cluster().startProxy();
    }, START_TIMEOUT_MS);
    contract('rocketmq, through a proxy', () => rocketmqLog({ nameServers: [cluster().nameServer], proxies: [proxy] }));
  });
});

function contract(name: string, newLog: () => ReturnType<typeof rocketmqLog>): void {
  logBrokerContract({ name, newBroker: async () => newLog(), propertyRuns: PROPERTY_RUNS, timeoutMs: CASE_TIMEOUT_MS });
}
