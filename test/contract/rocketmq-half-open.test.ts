/** What the client makes of connections that are open on either side, and in which nothing arrives any more. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { RequestCode } from '../../clients/rocketmq/codes.ts';
import { OutgoingMessages } from '../../clients/rocketmq/outgoing-messages.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RemotingServer, routeTo } from '../support/remoting-server.ts';
import { storedMessage } from '../support/stored-message.ts';
import { type Lost, TcpProxy } from '../support/tcp-proxy.ts';

const QUEUE = { topic: 'T', brokerName: 'broker-a', queueId: 1 };

const A_MESSAGE = OutgoingMessages.of([{ body: Buffer.from('a'), properties: '' }]);

/** What a request to a broker waits for its answer, and one to a NameServer. */
const BROKER_PATIENCE_MS = 10_000;
const NAME_SERVER_PATIENCE_MS = 3_000;

/** A NameServer and a broker in one, with one message in the queue, and a connection to it through a proxy. */
async function connected() {
  let stored = 1;
  const server = await RemotingServer.start(({ code }) => {
    if (code === RequestCode.GET_ROUTE) return routeTo(proxy.address);
    if (code === RequestCode.SEND_BATCH_MESSAGE) {
      stored += 1;
      return { fields: { queueOffset: stored - 1 } };
    }
    const fields = { nextBeginOffset: 1, minOffset: 0, maxOffset: stored };
    return { fields, body: storedMessage({ body: Buffer.from('a'), properties: '', bornAtMs: 1 }) };
  });
  const proxy = await TcpProxy.start({ target: server.address });
  const clock = new ManualClock();
  const client = new RocketmqClient({ group: 'g', nameServers: [proxy.address] }, clock);
  onTestFinished(() => client.close());
  await client.pull(QUEUE, 0n, { messages: 1 });
  return { server, proxy, clock, client };
}

describe('RocketmqClient, half-open connections', () => {
  test('reads again on another connection', async () => {
    const { server, proxy, clock, client } = await connected();
    const isSwallowed = proxy.swallow();

    const pulling = client.pull(QUEUE, 0n, { messages: 1 });
    await isSwallowed;
    clock.advance(BROKER_PATIENCE_MS);

    expect(await pulling).toMatchObject({ status: 'found', next: 1n });
    // Of three, one got lost.
    expect(server.count(RequestCode.PULL_MESSAGE)).toBe(2);
  });

  test('asks a NameServer again on another connection', async () => {
    const { proxy, clock, client } = await connected();
    const isSwallowed = proxy.swallow();

    const asking = client.queues('T');
    await isSwallowed;
    clock.advance(NAME_SERVER_PATIENCE_MS);

    expect(await asking).toHaveLength(4);
  });

  const sends: readonly (readonly [Lost, string, number])[] = [
    ['all', 'that did not arrive', 0],
    ['answers', 'whose answer did not arrive', 1],
  ];
  for (const [lost, which, stored] of sends) {
    test(`ends a send ${which}, does not send it again by itself, and takes another connection for the next`, async () => {
      const { server, proxy, clock, client } = await connected();
      const isSwallowed = proxy.swallow(lost);

      const sending = client.send(QUEUE, A_MESSAGE, 1).catch((error: unknown) => error);
      await isSwallowed;
      clock.advance(BROKER_PATIENCE_MS);

      expect(await sending).toMatchObject({
        name: 'RetryableError',
        code: 'broker.unavailable',
        message: expect.stringMatching(
          `^${proxy.address} did not answer: send to topic T: nothing came back within 10000 ms; next: `,
        ) as string,
      });
      await client.pull(QUEUE, 0n, { messages: 1 });
      expect(server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(stored);
      expect(await client.send(QUEUE, A_MESSAGE, 1)).toMatchObject({ end: BigInt(stored + 2) });
    });
  }
});
