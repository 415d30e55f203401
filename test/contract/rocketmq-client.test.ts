/** What the client makes of servers that are gone, silent, busy, or say no: with servers that do as each test says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import { RequestCode, ResponseCode } from '../../clients/rocketmq/codes.ts';
import { OutgoingMessages } from '../../clients/rocketmq/outgoing-messages.ts';
import { RocketmqClient, type RocketmqSettings } from '../../clients/rocketmq/rocketmq-client.ts';
import type { Clock } from '../../core/ports.ts';
import { ManualClock } from '../support/manual-clock.ts';
import {
  answerFrame,
  clusterOf,
  deadAddress,
  type RemotingAnswer,
  type RemotingRequest,
  RemotingServer,
  type Reply,
  routeTo,
} from '../support/remoting-server.ts';
import { storedMessage } from '../support/stored-message.ts';

const QUEUE = { topic: 'T', brokerName: 'broker-a', queueId: 1 };

const EMPTY_END: RemotingAnswer = {
  code: ResponseCode.PULL_NOT_FOUND,
  fields: { nextBeginOffset: 0, minOffset: 0, maxOffset: 0 },
};

const ONE_MESSAGE: RemotingAnswer = {
  fields: { nextBeginOffset: 1, minOffset: 0, maxOffset: 1 },
  body: storedMessage({ body: Buffer.from('a'), properties: '', bornAtMs: 1 }),
};

const A_MESSAGE = messagesOf('a');

function messagesOf(...bodies: readonly string[]): OutgoingMessages {
  return OutgoingMessages.of(bodies.map((body) => ({ body: Buffer.from(body), properties: '' })));
}

/** A NameServer and a broker in one. */
function startCluster(answer: (request: RemotingRequest) => Reply | Promise<Reply>): Promise<RemotingServer> {
  const server = RemotingServer.start(async (request) =>
    request.code === RequestCode.GET_ROUTE ? routeTo((await server).address) : answer(request),
  );
  return server;
}

function clientOf(
  settings: Partial<RocketmqSettings> & Pick<RocketmqSettings, 'nameServers'>,
  clock: Clock = systemClock,
): RocketmqClient {
  const client = new RocketmqClient({ group: 'g', ...settings }, clock);
  onTestFinished(() => client.close());
  return client;
}

describe('RocketmqClient, answers', () => {
  test('reads an answer wherever it is cut', async () => {
    const server = await startCluster(() => ONE_MESSAGE);
    server.chunkBytes = 1;
    const client = clientOf({ nameServers: [server.address] });

    const pulled = await client.pull(QUEUE, 0n, { messages: 32 });

    expect(pulled).toMatchObject({ status: 'found', next: 1n, max: 1n, body: ONE_MESSAGE.body });
  });

  test('matches answers to requests in whatever order they come', async () => {
    const held = new Map<string, (reply: Reply) => void>();
    const server = await startCluster(({ fields }) => new Promise((resolve) => held.set(fields['queueOffset'] ?? '', resolve)));
    const client = clientOf({ nameServers: [server.address] });

    const pulls = [client.pull(QUEUE, 1n, { messages: 1 }), client.pull(QUEUE, 2n, { messages: 1 })];
    await server.received(3);
    held.get('2')?.(endAt(2));
    held.get('1')?.(endAt(1));

    expect((await Promise.all(pulls)).map(({ max }) => max)).toEqual([1n, 2n]);
  });

  test('drops what a server asks for itself', async () => {
    const server = await startCluster(({ opaque }) => {
      server.write(answerFrame(opaque, { code: 40 }, 0));
      return EMPTY_END;
    });
    const client = clientOf({ nameServers: [server.address] });

    expect(await client.pull(QUEUE, 0n, { messages: 1 })).toMatchObject({ status: 'end' });
  });

  test('ends a connection to what speaks something else', async () => {
    const server = await startCluster(() => {
      server.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
      return 'silent';
    });
    const client = clientOf({ nameServers: [server.address] });

    await expect(client.pull(QUEUE, 0n, { messages: 1 })).rejects.toMatchObject({
      code: 'broker.unavailable',
      message: expect.stringMatching(/127\.0\.0\.1:\d+ did not answer: read topic T.*does not speak RocketMQ/),
    });
  });
});

describe('RocketmqClient, connections', () => {
  test('reads again where the connection ended within an answer', async () => {
    const replies: Reply[] = ['cut', ONE_MESSAGE];
    const server = await startCluster(() => replies.shift() ?? 'silent');
    const client = clientOf({ nameServers: [server.address] });

    expect(await client.pull(QUEUE, 0n, { messages: 1 })).toMatchObject({ status: 'found' });
    expect(server.count(RequestCode.PULL_MESSAGE)).toBe(2);
  });

  test('sends nothing again by itself: nobody knows whether it was stored', async () => {
    const server = await startCluster(() => 'cut');
    const client = clientOf({ nameServers: [server.address] });

    await expect(client.send(QUEUE, A_MESSAGE, 1)).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'broker.unavailable',
    });
    expect(server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(1);
  });

  test('opens another connection after the other side closed the one there was', async () => {
    const server = await startCluster(() => ({ fields: { queueOffset: 7 } }));
    const client = clientOf({ nameServers: [server.address] });
    await client.send(QUEUE, A_MESSAGE, 1);

    server.cut();
    const later = client.send(QUEUE, A_MESSAGE, 1).catch(() => client.send(QUEUE, A_MESSAGE, 1));

    expect(await later).toMatchObject({ end: 8n });
  });

  test('gives up a connection on which nothing comes back, and asks on another', async () => {
    const clock = new ManualClock();
    const replies: Reply[] = ['silent', ONE_MESSAGE];
    const server = await startCluster(() => replies.shift() ?? 'silent');
    const client = clientOf({ nameServers: [server.address] }, clock);

    const pulling = client.pull(QUEUE, 0n, { messages: 1 });
    await server.received(2);
    clock.advance(10_000);

    expect(await pulling).toMatchObject({ status: 'found' });
  });

  test('lets one request wait in vain without ending the others', async () => {
    const clock = new ManualClock();
    const server = await startCluster(({ fields }) => (fields['queueOffset'] === '1' ? 'silent' : EMPTY_END));
    const client = clientOf({ nameServers: [server.address] }, clock);

    const silent = client.pull(QUEUE, 1n, { messages: 1 });
    await server.received(2);
    clock.advance(5_000);
    await client.pull(QUEUE, 0n, { messages: 1 });
    clock.advance(5_000);

    await expect(silent).rejects.toMatchObject({ code: 'broker.unavailable', message: expect.stringContaining('10000 ms') });
    expect(await client.pull(QUEUE, 0n, { messages: 1 })).toMatchObject({ status: 'end' });
  });

  test('keeps no process alive', async () => {
    const server = await startCluster(() => EMPTY_END);
    const script = fileURLToPath(new URL('../fixtures/rocketmq-left-open.ts', import.meta.url));

    const child = spawn(process.execPath, [script, server.address], { stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [number | null];

    expect(code).toBe(0);
  });
});

describe('RocketmqClient, routes', () => {
  test('asks the next NameServer where one is gone, and stays with the one that answers', async () => {
    const server = await startCluster(() => EMPTY_END);
    const client = clientOf({ nameServers: [await deadAddress(), server.address] });

    expect(await client.queues('T')).toHaveLength(4);
    expect(await client.queues('T')).toHaveLength(4);
    expect(server.count(RequestCode.GET_ROUTE)).toBe(2);
  });

  test('names every NameServer when none answers', async () => {
    const nameServers = [await deadAddress(), await deadAddress()];
    const client = clientOf({ nameServers });

    const failure = await client.queues('T').catch((error: unknown) => error);

    expect(failure).toMatchObject({ name: 'RetryableError', code: 'broker.unavailable' });
    for (const address of nameServers) expect(String(failure)).toContain(address);
  });

  test('names the advertised address of a broker that cannot be reached', async () => {
    const dead = await deadAddress();
    const server = await RemotingServer.start(() => routeTo(dead));
    const client = clientOf({ nameServers: [server.address] });

    await expect(client.pull(QUEUE, 0n, { messages: 1 })).rejects.toMatchObject({
      code: 'broker.unavailable',
      message: expect.stringMatching(new RegExp(`^${dead} did not answer: connect.*brokerIP1`)),
    });
  });

  test('looks up the route again where a broker moved', async () => {
    const server = await startCluster(() => ({ fields: { queueOffset: 0 } }));
    const dead = await deadAddress();
    const route = { brokers: [{ brokerName: 'broker-a', address: dead, readQueues: 4, writeQueues: 4 }] };
    const client = clientOf({ nameServers: [server.address], routes: { T: route } });

    expect(await client.send(QUEUE, A_MESSAGE, 1)).toMatchObject({ end: 1n });
  });

  test('looks up the route again where another broker has the address', async () => {
    const other = await RemotingServer.start(() => ({ code: ResponseCode.TOPIC_NOT_EXIST }));
    const server = await startCluster(() => ({ fields: { queueOffset: 0 } }));
    const route = { brokers: [{ brokerName: 'broker-a', address: other.address, readQueues: 4, writeQueues: 4 }] };
    const client = clientOf({ nameServers: [server.address], routes: { T: route } });

    expect(await client.send(QUEUE, A_MESSAGE, 1)).toMatchObject({ end: 1n });
  });

  test('asks no NameServer for routes that another client knew', async () => {
    const server = await startCluster(() => EMPTY_END);
    const first = clientOf({ nameServers: [server.address] });
    await first.pull(QUEUE, 0n, { messages: 1 });

    const routes = JSON.parse(JSON.stringify(first.knownRoutes()));
    const second = clientOf({ nameServers: [await deadAddress()], routes });

    expect(await second.pull(QUEUE, 0n, { messages: 1 })).toMatchObject({ status: 'end' });
    expect(server.count(RequestCode.GET_ROUTE)).toBe(1);
  });

  test('looks again whether a topic exists where a broker knows none', async () => {
    let isDeleted = false;
    const server: RemotingServer = await RemotingServer.start(({ code }) => {
      if (code === RequestCode.GET_CLUSTER) return clusterOf({ 'broker-a': server.address });
      if (code !== RequestCode.GET_ROUTE) return { code: ResponseCode.TOPIC_NOT_EXIST };
      return isDeleted ? { code: ResponseCode.TOPIC_NOT_EXIST } : routeTo(server.address);
    });
    const client = clientOf({ nameServers: [server.address] });
    await client.queues('T');
    isDeleted = true;

    await expect(client.pull(QUEUE, 0n, { messages: 1 })).rejects.toMatchObject({
      name: 'FatalTaskError',
      code: 'broker.topic_missing',
    });
  });

  describe('of a broker that is away, which a NameServer tells like one that has no such topic', () => {
    /** `routed`: the other broker has the topic, too. */
    async function withoutBroker({ routed }: { readonly routed: boolean }): Promise<RocketmqClient> {
      const server: RemotingServer = await RemotingServer.start(({ code }) => {
        if (code === RequestCode.GET_CLUSTER) return clusterOf(routed ? { 'broker-b': server.address } : {});
        if (code !== RequestCode.GET_ROUTE || !routed) return { code: ResponseCode.TOPIC_NOT_EXIST };
        return routeTo(server.address, 'broker-b');
      });
      return clientOf({ nameServers: [server.address] });
    }

    for (const routed of [true, false]) {
      test(`says that it is away, and not that the topic is missing, ${routed ? 'beside another' : 'where there is no other'}`, async () => {
        const client = await withoutBroker({ routed });
        const away = { name: 'RetryableError', code: 'broker.unavailable', message: expect.stringMatching(/broker-a.*; next: /) };

        await expect(client.pull(QUEUE, 0n, { messages: 1 })).rejects.toMatchObject(away);
        await expect(client.send(QUEUE, A_MESSAGE, 1)).rejects.toMatchObject(away);
      });

      test(`finds none of its queues, ${routed ? 'beside another' : 'where there is no other'}`, async () => {
        const client = await withoutBroker({ routed });

        expect(await client.spans([QUEUE])).toEqual([null]);
        expect(await client.searchOffset(QUEUE, 0)).toBeNull();
      });
    }

    test('finds it where it comes back while somebody asks which brokers there are', async () => {
      let isBack = false;
      const server: RemotingServer = await RemotingServer.start(({ code }) => {
        if (code === RequestCode.PULL_MESSAGE) return ONE_MESSAGE;
        if (code !== RequestCode.GET_CLUSTER) return isBack ? routeTo(server.address) : { code: ResponseCode.TOPIC_NOT_EXIST };
        isBack = true;
        return clusterOf({ 'broker-a': server.address });
      });
      const client = clientOf({ nameServers: [server.address] });

      expect(await client.pull(QUEUE, 0n, { messages: 1 })).toMatchObject({ status: 'found' });
    });

    test('may be away where nobody can say which brokers there are', async () => {
      const server = await RemotingServer.start(({ code }) => ({
        code: code === RequestCode.GET_ROUTE ? ResponseCode.TOPIC_NOT_EXIST : ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
      }));
      const client = clientOf({ nameServers: [server.address] });

      await expect(client.pull(QUEUE, 0n, { messages: 1 })).rejects.toMatchObject({ code: 'broker.unavailable' });
    });
  });

  test('puts the namespace before names on the wire, and nowhere else', async () => {
    const server = await startCluster(() => EMPTY_END);
    const client = clientOf({ nameServers: [server.address], namespace: 'inst' });

    expect((await client.queues('T'))[0]?.topic).toBe('T');
    await client.pull(QUEUE, 0n, { messages: 1 });

    expect(server.requests.map(({ fields }) => fields['topic'])).toEqual(['inst%T', 'inst%T']);
    expect(server.requests.at(-1)?.fields['consumerGroup']).toBe('inst%g');
  });
});

describe('RocketmqClient, refusals', () => {
  // What ACL 2.0 says: by its own code, or, where it failed itself, behind the name of an exception.
  const NO_USER = 'User:a is not found.';
  const NOT_ALLOWED = 'User:a has no permission to access Topic:T from 127.0.0.1, no matched policies.';
  const AUTHENTICATION = 'org.apache.rocketmq.auth.authentication.exception.AuthenticationException';
  const AUTHORIZATION = 'org.apache.rocketmq.auth.authorization.exception.AuthorizationException';

  const cases = [
    [ResponseCode.NO_PERMISSION, 'No permission', 'FatalTaskError', 'broker.unauthorized'],
    [ResponseCode.NO_PERMISSION, 'the topic[T] pulling message is forbidden', 'RetryableError', 'broker.unavailable'],
    [ResponseCode.NO_PERMISSION, 'the broker[127.0.0.1] sending message is forbidden', 'RetryableError', 'broker.unavailable'],
    [ResponseCode.NO_PERMISSION, 'subscription group no permission, g', 'FatalTaskError', 'broker.refused'],
    [ResponseCode.NO_PERMISSION, NO_USER, 'FatalTaskError', 'broker.unauthorized'],
    [ResponseCode.NO_PERMISSION, NOT_ALLOWED, 'FatalTaskError', 'broker.unauthorized'],
    [ResponseCode.SYSTEM_ERROR, 'org.apache.rocketmq.acl.common.AclException: bad', 'FatalTaskError', 'broker.unauthorized'],
    [ResponseCode.SYSTEM_ERROR, `${AUTHENTICATION}: ${NO_USER}`, 'FatalTaskError', 'broker.unauthorized'],
    [ResponseCode.SYSTEM_ERROR, `${AUTHORIZATION}: ${NOT_ALLOWED}`, 'FatalTaskError', 'broker.unauthorized'],
    [ResponseCode.SYSTEM_ERROR, 'create mapped file failed', 'RetryableError', 'broker.unavailable'],
    [ResponseCode.SERVICE_NOT_AVAILABLE, 'the disk is full', 'RetryableError', 'broker.unavailable'],
    [ResponseCode.GO_AWAY, 'please go away', 'RetryableError', 'broker.unavailable'],
    [ResponseCode.FLUSH_DISK_TIMEOUT, '', 'RetryableError', 'broker.unavailable'],
    [ResponseCode.SLAVE_NOT_AVAILABLE, '', 'RetryableError', 'broker.unavailable'],
    [ResponseCode.FLUSH_SLAVE_TIMEOUT, '', 'RetryableError', 'broker.unavailable'],
    [ResponseCode.FLOW_CONTROL, 'too many', 'RetryableError', 'broker.throttled'],
    [ResponseCode.SYSTEM_ERROR, '[PC_SYNCHRONIZED]broker busy, start flow control', 'RetryableError', 'broker.throttled'],
    [ResponseCode.TOPIC_NOT_EXIST, 'no topic', 'FatalTaskError', 'broker.topic_missing'],
    [ResponseCode.GROUP_NOT_EXIST, 'no group', 'FatalTaskError', 'broker.refused'],
    [ResponseCode.SUBSCRIPTION_PARSE_FAILED, 'parse the expression failed', 'FatalTaskError', 'broker.refused'],
    [604, 'a code that this client does not know', 'FatalTaskError', 'broker.refused'],
  ] as const;

  for (const [code, remark, name, errorCode] of cases) {
    test(`takes code ${code} (${remark}) for ${errorCode}`, async () => {
      const server = await startCluster(() => ({ code, remark }));
      const client = clientOf({ nameServers: [server.address] });

      const pulling = client.pull(QUEUE, 0n, { messages: 1 });

      await expect(pulling).rejects.toMatchObject({ name, code: errorCode, message: expect.stringContaining(remark) });
      await expect(pulling).rejects.toThrow(/; next: /);
    });
  }

  for (const code of [ResponseCode.FLUSH_DISK_TIMEOUT, ResponseCode.SLAVE_NOT_AVAILABLE, ResponseCode.FLUSH_SLAVE_TIMEOUT]) {
    test(`takes a send for failed that was stored and may be lost yet (code ${code}), and does not send again`, async () => {
      const server = await startCluster(() => ({ code, fields: { queueOffset: 0 } }));
      const client = clientOf({ nameServers: [server.address] });

      await expect(client.send(QUEUE, A_MESSAGE, 1)).rejects.toMatchObject({
        name: 'RetryableError',
        code: 'broker.unavailable',
        message: expect.stringMatching(/is stored and may be lost yet; next: .*disk.*slaves/),
      });
      expect(server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(1);
    });
  }

  test('sends again what a busy broker turned away', async () => {
    const busy: RemotingAnswer = { code: ResponseCode.SYSTEM_BUSY, remark: '[REJECTREQUEST]system busy' };
    const replies: Reply[] = [busy, busy, { fields: { queueOffset: 3 } }];
    const server = await startCluster(() => replies.shift() ?? 'silent');
    const client = clientOf({ nameServers: [server.address] });

    expect(await client.send(QUEUE, A_MESSAGE, 1)).toMatchObject({ end: 4n });
  });

  test('says that a broker is busy when it stays so', async () => {
    const server = await startCluster(() => ({ code: ResponseCode.SYSTEM_BUSY, remark: 'system busy' }));
    const client = clientOf({ nameServers: [server.address] });

    await expect(client.send(QUEUE, A_MESSAGE, 1)).rejects.toMatchObject({ code: 'broker.throttled' });
    expect(server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(5);
  });

  test('refuses the one message that a broker refuses, and stores all others in order', async () => {
    const stored: string[] = [];
    const server = await startCluster(({ body }) => {
      const values = valuesOf(body);
      if (values.includes('x')) return { code: ResponseCode.MESSAGE_ILLEGAL, remark: 'the message is illegal' };
      stored.push(...values);
      return { fields: { queueOffset: stored.length - values.length } };
    });
    const client = clientOf({ nameServers: [server.address] });

    const { end, refused } = await client.send(QUEUE, messagesOf(...'abxcd'), 1);

    expect([end, stored]).toEqual([4n, ['a', 'b', 'c', 'd']]);
    expect(refused).toMatchObject([{ index: 2, error: { name: 'RecordError', code: 'record.rejected' } }]);
  });

  test('sends one by one where a broker takes no batches', async () => {
    let next = 0;
    const server = await startCluster(({ code }) => {
      if (code === RequestCode.SEND_BATCH_MESSAGE) return { code: 1, remark: 'the topic[T] is batch send , not support.' };
      next += 1;
      return { fields: { queueOffset: next - 1 } };
    });
    const client = clientOf({ nameServers: [server.address] });

    expect(await client.send(QUEUE, messagesOf('a', 'b'), 1)).toMatchObject({ end: 2n });
    expect(await client.send(QUEUE, A_MESSAGE, 1)).toMatchObject({ end: 3n });
    expect(server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(1);
  });

  test('splits what is more than a broker takes at once', async () => {
    const sizes: number[] = [];
    const server = await startCluster(({ body }) => {
      sizes.push(valuesOf(body).length);
      return { fields: { queueOffset: 0 } };
    });
    const client = clientOf({ nameServers: [server.address], batchBytesMax: 3 * 23 });

    await client.send(QUEUE, messagesOf(...'abcde'), 1);

    expect(sizes).toEqual([3, 2]);
  });
});

describe('RocketmqClient, sends that take long', () => {
  test('ends a send of many batches after twenty seconds, and sends nothing more', async () => {
    const clock = new ManualClock();
    const server = await startCluster(() => {
      clock.advance(8_000);
      return { fields: { queueOffset: 0 } };
    });
    const client = clientOf({ nameServers: [server.address], batchBytesMax: 23 }, clock);

    const sending = client.send(QUEUE, messagesOf(...'abcdefghij'), 1);

    await expect(sending).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'broker.unavailable',
      message: expect.stringMatching(/broker-a.*send to topic T.*20000 ms.*; next: /),
    });
    await client.pull(QUEUE, 0n, { messages: 1 }).catch(() => undefined);
    expect(server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(3);
  });

  test('sends nothing where it is learned too late where to', async () => {
    const clock = new ManualClock();
    const silent = await Promise.all(Array.from({ length: 4 }, () => RemotingServer.start(() => 'silent')));
    const server = await startCluster(() => ({ fields: { queueOffset: 0 } }));
    const client = clientOf({ nameServers: [...silent, server].map(({ address }) => address) }, clock);

    const sending = client.send(QUEUE, A_MESSAGE, 1).catch((error: unknown) => error);
    // Each is asked on another connection once more.
    for (const nameServer of silent) {
      for (const asked of [1, 2]) {
        await nameServer.received(asked);
        clock.advance(3_000);
      }
    }

    expect(await sending).toMatchObject({ name: 'RetryableError', code: 'broker.unavailable' });
    await client.pull(QUEUE, 0n, { messages: 1 }).catch(() => undefined);
    expect(server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(0);
  });

  test('takes back what has not left this machine where a broker that stood still did not answer in time', async () => {
    const clock = new ManualClock();
    const server = await startCluster(() => ({ fields: { queueOffset: 0 } }));
    const client = clientOf({ nameServers: [server.address] }, clock);
    await client.send(QUEUE, A_MESSAGE, 1);
    server.standStill();

    const sending = client.send(QUEUE, messagesOf('a'.repeat(3_000_000)), 1).catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);

    expect(await sending).toMatchObject({ code: 'broker.unavailable' });
    await server.readToTheEnd();
    expect(server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(1);
  });

  test('waits for an answer no longer than the whole send has left', async () => {
    const clock = new ManualClock();
    const replies: Reply[] = [{ fields: { queueOffset: 0 } }, { fields: { queueOffset: 1 } }];
    const server = await startCluster(() => {
      const reply = replies.shift() ?? 'silent';
      if (reply !== 'silent') clock.advance(8_000);
      return reply;
    });
    const client = clientOf({ nameServers: [server.address], batchBytesMax: 23 }, clock);

    const sending = client.send(QUEUE, messagesOf(...'abc'), 1).catch((error: unknown) => error);
    await server.received(4);
    clock.advance(4_000);

    expect(await sending).toMatchObject({ name: 'RetryableError', code: 'broker.unavailable' });
  });
});

describe('RocketmqClient, polls', () => {
  test('waits with one poll for all who wait at one place, those who come later included', async () => {
    const held: ((reply: Reply) => void)[] = [];
    const server = await startCluster(() => new Promise((resolve) => held.push(resolve)));
    const client = clientOf({ nameServers: [server.address] });

    const early = await client.poll(QUEUE, 0n, { durationMs: 1 });
    const polls = [client.poll(QUEUE, 0n, {}), client.poll(QUEUE, 0n, {})];
    await server.received(2);
    held[0]?.(ONE_MESSAGE);

    expect(early).toBe(null);
    expect((await Promise.all(polls)).map((each) => each?.next)).toEqual([1n, 1n]);
    expect(server.count(RequestCode.PULL_MESSAGE)).toBe(1);
  });

  test('polls on when the broker had nothing to tell', async () => {
    const replies: Reply[] = [EMPTY_END, EMPTY_END, ONE_MESSAGE];
    const server = await startCluster(() => replies.shift() ?? 'silent');
    const client = clientOf({ nameServers: [server.address] });

    expect(await client.poll(QUEUE, 0n, {})).toMatchObject({ status: 'found' });
  });

  test('polls anew where a broker forgot a poll, and answers others', async () => {
    const clock = new ManualClock();
    const replies: Reply[] = ['silent', EMPTY_END, ONE_MESSAGE];
    const server = await startCluster(() => replies.shift() ?? 'silent');
    const client = clientOf({ nameServers: [server.address] }, clock);

    const polling = client.poll(QUEUE, 0n, {});
    await server.received(2);
    clock.advance(15_000);
    await client.pull(QUEUE, 5n, { messages: 1 });
    clock.advance(15_000);

    expect(await polling).toMatchObject({ status: 'found' });
  });

  test('gives up a poll that is never answered', async () => {
    const clock = new ManualClock();
    const server = await startCluster(() => 'silent');
    const client = clientOf({ nameServers: [server.address] }, clock);

    const polling = client.poll(QUEUE, 0n, {});
    await server.received(2);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(30_000);

    await expect(polling).rejects.toMatchObject({ code: 'broker.unavailable' });
  });
});

function endAt(max: number): RemotingAnswer {
  return { code: ResponseCode.PULL_NOT_FOUND, fields: { nextBeginOffset: max, minOffset: 0, maxOffset: max } };
}

/** Of a batch whose messages have bodies of one byte and no properties. */
function valuesOf(batch: Buffer): readonly string[] {
  return Array.from({ length: batch.length / 23 }, (_, index) => batch.toString('utf8', index * 23 + 20, index * 23 + 21));
}
