/** What a real RocketMQ makes of filters, access keys and TLS. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import type { MessageFilter } from '../../clients/rocketmq/commands/pull-message.ts';
import { messageParts, messageStarts } from '../../clients/rocketmq/message-layout.ts';
import { OutgoingMessages } from '../../clients/rocketmq/outgoing-messages.ts';
import { RocketmqClient, type RocketmqSettings } from '../../clients/rocketmq/rocketmq-client.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';

const TIMEOUT_MS = 60_000;

const KEYS = { accessKey: 'sortie-admin', secretKey: 'sortie-secret' };

/** ACL 2.0: what is not allowed is refused, and whoever is `Super` may all. */
const WITH_ACCESS_KEYS = {
  authenticationEnabled: 'true',
  authenticationProvider: 'org.apache.rocketmq.auth.authentication.provider.DefaultAuthenticationProvider',
  authenticationMetadataProvider: 'org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider',
  initAuthenticationUser: JSON.stringify({ username: KEYS.accessKey, password: KEYS.secretKey }),
  authorizationEnabled: 'true',
  authorizationProvider: 'org.apache.rocketmq.auth.authorization.provider.DefaultAuthorizationProvider',
  authorizationMetadataProvider: 'org.apache.rocketmq.auth.authorization.provider.LocalAuthorizationMetadataProvider',
  innerClientAuthenticationCredentials: JSON.stringify(KEYS),
};

withRealServers('RocketMQ, client', () => {
  describe('RocketmqClient', { timeout: TIMEOUT_MS }, () => {
    const cluster = aCluster({ brokers: ['broker-a'] });

    test('gets what a filter by tag or by properties lets pass', async () => {
      const client = aClient({ nameServers: [cluster().nameServer] });
      const queue = await aQueue(client);
      const messages = new OutgoingMessages();
      for (const [index, text] of ['a', 'b', 'c'].entries()) {
        messages.begin(Buffer.from(text));
        messages.property('TAGS', `tag-${text}`);
        messages.property('size', String(index));
        messages.end();
      }
      await client.send(queue, messages, 1);

      expect(await textsOf(client, queue, { type: 'TAG', expression: 'tag-a || tag-c' })).toEqual(['a', 'c']);
      expect(await textsOf(client, queue, { type: 'SQL92', expression: 'size > 0' })).toEqual(['b', 'c']);
    });

    test('speaks over TLS', async () => {
      const client = aClient({ nameServers: [cluster().nameServer], tls: { rejectUnauthorized: false } });
      const queue = await aQueue(client);

      const large = Buffer.alloc(2 * 1024 * 1024, 'x');
      await client.send(queue, OutgoingMessages.of([{ body: large, properties: '' }]), 1);

      expect((await textsOf(client, queue)).map((text) => text.length)).toEqual([large.length]);
    });

    test('does not trust whom nobody vouches for', async () => {
      const client = aClient({ nameServers: [cluster().nameServer], tls: {} });

      await expect(client.queues('T')).rejects.toMatchObject({
        code: 'broker.unavailable',
        message: expect.stringContaining('certificate'),
      });
    });
  });

  describe('RocketmqClient, a broker that advertises where nobody gets', { timeout: TIMEOUT_MS }, () => {
    // It listens on 127.0.0.1 alone.
    const cluster = aCluster({ brokers: ['broker-a'], brokerSettings: { brokerIP1: '127.0.0.2' } });

    test('is named by that address, with the settings that decide it', async () => {
      const client = aClient({ nameServers: [cluster().nameServer] });
      const advertised = cluster().addressOf('broker-a').replace('127.0.0.1', '127.0.0.2');

      await expect(client.check()).rejects.toMatchObject({
        code: 'broker.unavailable',
        message: expect.stringMatching(new RegExp(`${advertised} did not answer: .*; next: .*brokerIP1`)) as string,
      });
    });
  });

  describe('RocketmqClient, access keys', { timeout: TIMEOUT_MS }, () => {
    const cluster = aCluster({ brokers: ['broker-a'], brokerSettings: WITH_ACCESS_KEYS, access: { keys: KEYS } });

    test('reads and writes with the right ones', async () => {
      const client = aClient({ nameServers: [cluster().nameServer], keys: KEYS });
      const queue = await aQueue(client);

      await client.send(queue, OutgoingMessages.of([{ body: Buffer.from('a'), properties: '' }]), 1);

      expect(await textsOf(client, queue)).toEqual(['a']);
      expect(await client.check()).toEqual([]);
    });

    test('says that wrong ones, or none, are refused', async () => {
      const queue = await aQueue(aClient({ nameServers: [cluster().nameServer], keys: KEYS }));

      for (const keys of [{ ...KEYS, secretKey: 'wrong' }, { accessKey: 'nobody', secretKey: 'x' }, undefined]) {
        const client = aClient({ nameServers: [cluster().nameServer], keys });
        const unauthorized = {
          name: 'FatalTaskError',
          code: 'broker.unauthorized',
          message: expect.stringMatching(/^127\.0\.0\.1:\d+ refuses to .*; next: check the access key/) as string,
        };
        await expect(client.check()).rejects.toMatchObject(unauthorized);
        await expect(client.pull(queue, 0n, { messages: 1 })).rejects.toMatchObject(unauthorized);
        await expect(
          client.send(queue, OutgoingMessages.of([{ body: Buffer.from('a'), properties: '' }]), 1),
        ).rejects.toMatchObject(unauthorized);
      }
    });
  });
});

function aClient(settings: Omit<RocketmqSettings, 'group'>): RocketmqClient {
  const client = new RocketmqClient({ ...settings, group: 'client' }, systemClock);
  onTestFinished(() => client.close());
  return client;
}

let topics = 0;

async function aQueue(client: RocketmqClient): Promise<MessageQueue> {
  topics += 1;
  const topic = `client-${process.pid}-${topics}`;
  await client.topics.create(topic, 1);
  const [queue] = await client.queues(topic);
  if (queue === undefined) throw new Error('the topic has a queue');
  return queue;
}

/** Once the queue shows all that was sent. */
async function textsOf(client: RocketmqClient, queue: MessageQueue, filter?: MessageFilter): Promise<readonly string[]> {
  await client.poll(queue, 0n, {});
  await systemClock.sleep(100);
  const { body } = await client.pull(queue, 0n, { messages: 32, ...(filter === undefined ? {} : { filter }) });
  return messageStarts(body).map((at) => {
    const { bodyAt, bodyEnd } = messageParts(body, at);
    return body.toString('utf8', bodyAt, bodyEnd);
  });
}
