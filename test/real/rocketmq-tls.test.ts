/** Servers of a real RocketMQ that an authority of one's own vouches for. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { rocketmqSettingsOf } from '../../clients/rocketmq/settings-of.ts';
import { rocketmqKeys } from '../../core/config/rocketmq-keys.ts';
import { offset } from '../../core/offset.ts';
import { ALL } from '../contract/log-broker/log-under-test.ts';
import { aServerCertificate, missingOpenssl } from '../support/certificates.ts';
import { outgoing, textOf } from '../support/log-records.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';

const TIMEOUT_MS = 60_000;
const WAIT_MS = 30_000;

const QUEUE = { topic: 'tls', brokerName: 'broker-a', queueId: 0 };

withRealServers('RocketMQ, TLS', () => {
  const missing = missingOpenssl();
  if (missing === null) withCertificates();
  else test('RocketMQ, TLS', ({ skip }) => skip(missing));
});

function withCertificates(): void {
  const folder = mkdtempSync(join(tmpdir(), 'sortie-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const { authority, certificate, key } = aServerCertificate(folder);
  const cluster = aCluster({
    brokers: ['broker-a'],
    properties: {
      'tls.test.mode.enable': 'false',
      'tls.server.mode': 'enforcing',
      'tls.server.certPath': certificate,
      'tls.server.keyPath': key,
    },
    access: { tls: { ca: readFileSync(authority) } },
  });

  function aClient(more: Readonly<Record<string, string>>): RocketmqClient {
    const values = z.object(rocketmqKeys).parse({ 'namesrv.addr': cluster().nameServer, ...more });
    const client = new RocketmqClient(rocketmqSettingsOf(values), systemClock);
    onTestFinished(() => client.close());
    return client;
  }

  describe("RocketmqClient, servers that an authority of one's own vouches for", { timeout: TIMEOUT_MS }, () => {
    test('reads and writes where it is told whom to trust', async () => {
      const client = aClient({ 'tls.enabled': 'true', 'tls.ca.file': authority });
      const log = new RocketmqLogBroker({ client, clock: systemClock });

      await log.ensureTopic(QUEUE.topic, { queues: 1 });
      await log.send(QUEUE, outgoing('a'));
      const { records } = await log.read(QUEUE, offset(0), { ...ALL, waitMs: WAIT_MS });

      expect(records.map(({ value }) => textOf(value))).toEqual(['a']);
      expect(await client.check()).toEqual([]);
    });

    test('refuses them by their address where it is not told', async () => {
      await expect(aClient({ 'tls.enabled': 'true' }).check()).rejects.toMatchObject({
        name: 'RetryableError',
        code: 'broker.unavailable',
        message: expect.stringMatching(`${cluster().nameServer} did not answer: connect: .*certificate.*; next: `) as string,
      });
    });

    test('is not answered without TLS', async () => {
      await expect(aClient({}).check()).rejects.toMatchObject({
        code: 'broker.unavailable',
        message: expect.stringContaining(cluster().nameServer) as string,
      });
    });
  });
}
