/** What becomes of sends where a real RocketMQ has more to do than it takes on. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { ResponseCode } from '../../clients/rocketmq/codes.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { RetryableError } from '../../core/errors.ts';
import { offset } from '../../core/offset.ts';
import type { SendResult } from '../../core/ports.ts';
import { readAll } from '../contract/log-broker/log-under-test.ts';
import { outgoing, textOf } from '../support/log-records.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';
import { listenBefore } from '../support/rocketmq-requests.ts';

const TIMEOUT_MS = 60_000;

const WAIT = { timeout: 30_000, interval: 20 };

/** One send is worked on until it is flushed, another one waits, and all others are turned away. */
const SOON_BUSY = {
  sendMessageThreadPoolNums: '1',
  sendThreadPoolQueueCapacity: '1',
  asyncSendEnable: 'false',
  flushDiskType: 'SYNC_FLUSH',
};

const QUEUE = { topic: 'flow', brokerName: 'broker-a', queueId: 0 };

const SENDS = 60;
const RECORDS_PER_SEND = 200;

/** How often the client sends before it says that a broker is busy. */
const TRIES = 5;

withRealServers('RocketMQ, flow control', () => {
  const cluster = aCluster({ brokers: ['broker-a'], brokerSettings: SOON_BUSY });

  function aLog(proxies: readonly string[] = []): RocketmqLogBroker {
    const client = new RocketmqClient({ nameServers: [cluster().nameServer], proxies, group: 'flow' }, systemClock);
    const log = new RocketmqLogBroker({ client, clock: systemClock });
    onTestFinished(() => log.close());
    return log;
  }

  test(
    'stores each of many sends once, or tells that the broker was busy and stores nothing of it',
    async () => {
      const direct = aLog();
      await direct.ensureTopic(QUEUE.topic, { queues: 1 });
      const { address, answers } = await listenBefore(cluster().addressOf('broker-a'));
      const log = aLog([address]);
      const sends = Array.from({ length: SENDS }, (_, send) => textsOf(send));

      const ends = await Promise.all(sends.map((texts) => log.send(QUEUE, outgoing(...texts)).then(stored, refused)));

      const idsOf = (is: SendEnd['is']): readonly string[] =>
        sends.flatMap((texts, send) => (ends[send]?.is === is ? texts.map(idOf) : []));
      // A broker shows what it acknowledged some milliseconds later.
      const end = ends.reduce((latest, { endOffset }) => (endOffset > latest ? endOffset : latest), 0n);
      await vi.waitFor(async () => expect((await direct.bounds([QUEUE]))[0]?.max).toBeGreaterThanOrEqual(end), WAIT);
      const read = (await readAll(direct, QUEUE, offset(0))).map(({ value }) => idOf(textOf(value) ?? ''));
      const held = new Set(read);
      expect(read).toHaveLength(held.size);
      expect(idsOf('stored').filter((id) => !held.has(id))).toEqual([]);
      expect(idsOf('broker.throttled').filter((id) => held.has(id))).toEqual([]);
      // Some were turned away and stored later.
      const turnedAway = answers.filter(({ code }) => code === ResponseCode.SYSTEM_BUSY);
      const inVain = ends.filter(({ is }) => is === 'broker.throttled');
      expect(turnedAway.length).toBeGreaterThan(inVain.length * TRIES);
    },
    TIMEOUT_MS,
  );
});

/** How a send ended. `broker.unavailable`: it may be stored, as where a disk did not take it in time. */
interface SendEnd {
  readonly is: 'stored' | 'broker.throttled' | 'broker.unavailable';
  /** 0 where nothing is known to be stored. */
  readonly endOffset: bigint;
}

function stored({ endOffset }: SendResult): SendEnd {
  return { is: 'stored', endOffset };
}

/** @throws what is no failure that ends by itself. */
function refused(error: unknown): SendEnd {
  if (!(error instanceof RetryableError)) throw error;
  if (error.code !== 'broker.throttled' && error.code !== 'broker.unavailable') throw error;
  return { is: error.code, endOffset: 0n };
}

/** A KiB each, and told from those of all other sends by what they begin with. */
function textsOf(send: number): readonly string[] {
  return Array.from({ length: RECORDS_PER_SEND }, (_, index) => `${send}/${index} `.padEnd(1_024, 'x'));
}

function idOf(text: string): string {
  return text.slice(0, text.indexOf(' '));
}
