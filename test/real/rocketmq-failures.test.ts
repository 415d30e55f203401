/** What becomes of reads and writes when brokers of a real RocketMQ die, come back and leave. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { RequestCode } from '../../clients/rocketmq/codes.ts';
import { RocketmqClient, type RocketmqSettings } from '../../clients/rocketmq/rocketmq-client.ts';
import { ConnectError } from '../../core/errors.ts';
import { type MessageQueue, queueKey } from '../../core/message-queue.ts';
import { offset } from '../../core/offset.ts';
import { ALL, readAll } from '../contract/log-broker/log-under-test.ts';
import { outgoing, textOf } from '../support/log-records.ts';
import { deadAddress } from '../support/remoting-server.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';
import { type HeardRequest, listenBefore } from '../support/rocketmq-requests.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** A broker on a busy machine takes its time to start. */
const TIMEOUT_MS = 180_000;

/** A bit of a pull's `sysFlag`: it waits for a message. */
const SUSPEND = 2;

const WAIT = { timeout: 30_000, interval: 20 };

withRealServers('RocketMQ, failures', () => {
  const cluster = aCluster({ brokers: ['broker-a', 'broker-b'], brokerSettings: { flushDiskType: 'SYNC_FLUSH' } });

  function aLog(settings: Partial<RocketmqSettings> = {}): RocketmqLogBroker {
    return logOf(clientOf({ nameServers: [cluster().nameServer], ...settings }));
  }

  /** One that shows when its broker has got a pull that waits for records. */
  async function anObservedLog(
    brokerName: string,
  ): Promise<{ readonly reader: RocketmqLogBroker; readonly isPolling: () => boolean }> {
    const { address, requests } = await listenBefore(cluster().addressOf(brokerName));
    const isHeld = ({ code, fields }: HeardRequest): boolean =>
      code === RequestCode.PULL_MESSAGE && (Number(fields['sysFlag']) & SUSPEND) !== 0;
    return { reader: aLog({ proxies: [address] }), isPolling: () => requests.some(isHeld) };
  }

  describe('a list of name servers that names dead ones', { timeout: TIMEOUT_MS }, () => {
    test('is good for all that is asked of a cluster', async () => {
      const log = aLog({ nameServers: [await deadAddress(), cluster().nameServer, await deadAddress()] });

      const queue = await aQueue(log, 'broker-a');
      await log.send(queue, outgoing('a', 'b'));

      expect(await readPatiently(log, queue, 2)).toEqual(['a', 'b']);
      expect(await log.topics()).toContain(queue.topic);
    });
  });

  describe('a network that cuts connections anywhere', { timeout: TIMEOUT_MS }, () => {
    test('loses nothing that was acknowledged, keeps its order, and gives it to readers as it is', async () => {
      const direct = aLog();
      const queue = await aQueue(direct, 'broker-a');
      const target = cluster().addressOf('broker-a');
      const proxy = await TcpProxy.start({ target, pieceBytes: 7, bytesOf: (index) => 300 + ((index * 7_919) % 4_000) });
      const acknowledged = new Set<string>();
      const writer = { isOver: false, failures: 0 };

      const writing = write(aLog({ proxies: [proxy.address] }), queue, acknowledged, writer);
      await until(() => acknowledged.size >= 200);
      writer.isOver = true;
      await writing;
      const reader = aLog({ proxies: [proxy.address] });
      const texts = await readPatiently(reader, queue, acknowledged.size);

      // What was sent again may be there twice, one behind the other.
      const once = texts.filter((text, index) => text !== texts[index - 1]);
      expect(once.slice(0, acknowledged.size)).toEqual([...acknowledged]);
      expect(texts).toEqual((await readAll(direct, queue, offset(0))).map(({ value }) => textOf(value)));
      expect(proxy.cuts).toBeGreaterThan(20);
    });
  });

  describe('a broker that is killed', { timeout: TIMEOUT_MS }, () => {
    test('loses nothing that it acknowledged, and the log goes on by itself once it is back', async () => {
      const log = aLog();
      const queue = await aQueue(log, 'broker-a');
      const acknowledged = new Set<string>();
      const writer = { isOver: false, failures: 0 };
      const writing = write(log, queue, acknowledged, writer);
      await until(() => acknowledged.size >= 200);

      await cluster().killBroker('broker-a');
      await until(() => writer.failures > 0);
      const before = acknowledged.size;
      await cluster().restartBroker('broker-a');
      await until(() => acknowledged.size >= before + 200);
      writer.isOver = true;
      await writing;

      const read = (await readAll(log, queue, offset(0))).map(({ value }) => textOf(value) ?? '');
      expect([...acknowledged].filter((text) => !read.includes(text))).toEqual([]);
    });

    test('ends what waits at it with an error that names it, and leaves the other broker alone', async () => {
      const log = aLog();
      const [queue, other] = [await aQueue(log, 'broker-a'), await aQueue(log, 'broker-b')];
      const { reader, isPolling } = await anObservedLog('broker-a');
      const waiting = reader.read(queue, offset(0), { ...ALL, waitMs: TIMEOUT_MS }).catch((error: unknown) => error);
      await vi.waitUntil(isPolling, WAIT);

      await cluster().killBroker('broker-a');

      expect(await waiting).toMatchObject({ code: 'broker.unavailable' });
      await expect(log.send(queue, outgoing('a'))).rejects.toBeInstanceOf(ConnectError);
      expect((await log.send(other, outgoing('a'))).endOffset).toBe(1n);
      await cluster().restartBroker('broker-a');
      expect((await log.send(queue, outgoing('a'))).endOffset).toBe(1n);
    });

    test('takes its queues with it until it is back', async () => {
      const log = aLog();
      const queue = await aQueue(log, 'broker-a');
      const all = await log.queues(queue.topic);
      const queues = async (): Promise<readonly string[]> => (await log.queues(queue.topic)).map(queueKey);

      await cluster().killBroker('broker-a');
      await vi.waitFor(async () => expect(await queues()).not.toContain(queueKey(queue)), WAIT);
      expect(await log.bounds([queue])).toEqual([null]);
      await expect(log.read(queue, offset(0), ALL)).rejects.toMatchObject({ code: 'broker.unavailable' });
      await cluster().restartBroker('broker-a');

      await vi.waitFor(async () => expect(await queues()).toEqual(all.map(queueKey)), WAIT);
      expect(await log.bounds([queue])).toEqual([{ min: 0n, max: 0n }]);
    });

    test('is watched again once it is back', async () => {
      const log = aLog();
      const queue = await aQueue(log, 'broker-a');
      const end = new AbortController();
      const { reader, isPolling } = await anObservedLog('broker-a');
      const first = reader.watch([{ queue, from: offset(0) }], end.signal)[Symbol.asyncIterator]();
      const failing = first.next();
      failing.catch(() => undefined);
      await vi.waitUntil(isPolling, WAIT);

      await cluster().killBroker('broker-a');
      await expect(failing).rejects.toMatchObject({ code: 'broker.unavailable' });
      await cluster().restartBroker('broker-a');
      const second = log.watch([{ queue, from: offset(0) }], end.signal)[Symbol.asyncIterator]();
      const grown = second.next();
      await log.send(queue, outgoing('a'));

      expect((await grown).value).toEqual(queue);
      end.abort();
    });
  });

  describe('a broker that comes back at another address', { timeout: TIMEOUT_MS }, () => {
    test('is read and written there by whoever remembers the old one', async () => {
      const client = clientOf({ nameServers: [cluster().nameServer] });
      const log = logOf(client);
      const queue = await aQueue(log, 'broker-a');
      await log.send(queue, outgoing('a'));
      const routes = client.knownRoutes();
      const addressThen = cluster().addressOf('broker-a');

      await cluster().killBroker('broker-a');
      await cluster().restartBroker('broker-a', { isMoved: true });

      expect((await log.send(queue, outgoing('b'))).endOffset).toBe(2n);
      expect(await readPatiently(log, queue, 2)).toEqual(['a', 'b']);
      // Given what the first one knew, as a function that is started anew is.
      const { records } = await aLog({ routes }).read(queue, offset(0), ALL);
      expect(records.map(({ value }) => textOf(value))).toEqual(['a', 'b']);
      expect(routes[queue.topic]?.brokers).toContainEqual(expect.objectContaining({ address: addressThen }));
      expect(cluster().addressOf('broker-a')).not.toBe(addressThen);
    });
  });
});

function clientOf(settings: Omit<RocketmqSettings, 'group'>): RocketmqClient {
  return new RocketmqClient({ ...settings, group: 'failures' }, systemClock);
}

/** Until the test ends, and its client with it. */
function logOf(client: RocketmqClient): RocketmqLogBroker {
  const log = new RocketmqLogBroker({ client, clock: systemClock });
  onTestFinished(() => log.close());
  return log;
}

/** A queue of a new topic that lies on that broker. */
async function aQueue(log: RocketmqLogBroker, brokerName: string): Promise<MessageQueue> {
  const topic = `failures-${process.pid}-${performance.now().toFixed(3).replace('.', '-')}`;
  await log.ensureTopic(topic, { queues: 2 });
  const queue = (await log.queues(topic)).find((each) => each.brokerName === brokerName);
  if (queue === undefined) throw new Error(`${topic} has no queue on ${brokerName}`);
  return queue;
}

/** One by one, each again until it is acknowledged. */
async function write(
  log: RocketmqLogBroker,
  queue: MessageQueue,
  acknowledged: Set<string>,
  writer: { readonly isOver: boolean; failures: number },
): Promise<void> {
  for (let index = 0; !writer.isOver; ) {
    try {
      await log.send(queue, outgoing(`${index}`));
      acknowledged.add(`${index}`);
      index += 1;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      writer.failures += 1;
      await systemClock.sleep(100);
    }
  }
}

/** Until so many different ones are there. Whoever reads where connections are cut tries again. */
async function readPatiently(log: RocketmqLogBroker, queue: MessageQueue, count: number): Promise<readonly string[]> {
  const texts: string[] = [];
  let at = offset(0);
  for (let isEnd = false; !isEnd; ) {
    try {
      const { records, next, bounds } = await log.read(queue, at, { records: 20, bytes: 2_000, waitMs: 0 });
      texts.push(...records.map(({ value }) => textOf(value) ?? ''));
      at = next;
      isEnd = next === bounds.max && new Set(texts).size >= count;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
    }
  }
  return texts;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await systemClock.sleep(10);
}
