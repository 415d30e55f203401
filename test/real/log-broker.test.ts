/** The contract of a log, on a real RocketMQ: one broker, then two, then through the proxy's remoting port. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { missingJavaTools } from '../../servers/java-tools.ts';
import { RocketmqServers } from '../../servers/rocketmq/rocketmq-servers.ts';
import { logBrokerContract } from '../contract/log-broker-contract.ts';
import { rocketmqLog } from '../support/rocketmq-log.ts';

/** Fetching the servers included. */
const START_TIMEOUT_MS = 300_000;

const CASE_TIMEOUT_MS = 60_000;

/** Each call is a round trip, and each run makes a topic. */
const PROPERTY_RUNS = 5;

const missing = missingJavaTools();

if (missing === null) contractOnRealServers();
else test('LogBroker: rocketmq', ({ skip }) => skip(missing));

function contractOnRealServers(): void {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  let servers: RocketmqServers;
  let proxy = '';

  beforeAll(async () => {
    servers = await RocketmqServers.start({ folder, say: (text) => process.stderr.write(`${text}\n`) });
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await servers.stop();
    rmSync(folder, { recursive: true });
  });

  describe('with one broker', () => {
    beforeAll(async () => void (await servers.startBroker('broker-a')), START_TIMEOUT_MS);
    contract('rocketmq, one broker', () => rocketmqLog({ nameServers: [servers.nameServer] }));
  });

  describe('with two brokers', () => {
    beforeAll(async () => void (await servers.startBroker('broker-b')), START_TIMEOUT_MS);
    contract('rocketmq, two brokers', () => rocketmqLog({ nameServers: [servers.nameServer] }));
  });

  describe('through a proxy', () => {
    beforeAll(async () => {
      proxy = await servers.startProxy();
    }, START_TIMEOUT_MS);
    contract('rocketmq, through a proxy', () => rocketmqLog({ nameServers: [servers.nameServer], proxies: [proxy] }));
  });
}

function contract(name: string, newLog: () => ReturnType<typeof rocketmqLog>): void {
  logBrokerContract({ name, newBroker: async () => newLog(), propertyRuns: PROPERTY_RUNS, timeoutMs: CASE_TIMEOUT_MS });
}
