/** Topics copied between two real RocketMQ clusters: by `sortie start`, whose processes are killed meanwhile. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { MemoryTelemetry } from '../../adapters/memory/memory-telemetry.ts';
import { openLog } from '../../adapters/open-log.ts';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { sendRecords } from '../../clients/rocketmq/records/send-records.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { offset } from '../../core/offset.ts';
import type { LogBroker } from '../../core/ports.ts';
import type { LogRecord } from '../../core/record/connect-record.ts';
import { childrenOf, signal } from '../../demo/processes.ts';
import type { RocketmqServers } from '../../servers/rocketmq/rocketmq-servers.ts';
import { readAll } from '../contract/log-broker/log-under-test.ts';
import { anOutgoingRecord, bytesOf } from '../support/log-records.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';
import { aSortieProcess, putConnector, type SortieProcess } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const TIMEOUT_MS = 300_000;
const PATIENCE = { timeout: 120_000, interval: 200 };

const RECORDS = 20_000;
const KILLS_MIN = 3;
const BATCH = 100;

type Config = Readonly<Record<string, string>>;

withRealServers('Replication', () => {
  const east = aCluster({ brokers: ['broker-a', 'broker-b'] });
  const west = aCluster({ brokers: ['broker-a'] });
  let topics = 0;

  function aTopic(): string {
    topics += 1;
    return `copied-${process.pid}-${topics}`;
  }

  function clientOf(cluster: () => RocketmqServers): RocketmqClient {
    const client = new RocketmqClient({ nameServers: [cluster().nameServer], group: 'test' }, systemClock);
    onTestFinished(() => client.close());
    return client;
  }

  async function logOf(folder: string, kind: 'embedded' | 'rocketmq'): Promise<LogBroker> {
    const world = { folder, clock: systemClock, telemetry: new MemoryTelemetry() };
    const settings = kind === 'embedded' ? { kind } : { kind, nameServers: [west().nameServer], group: 'test' };
    const log = await openLog(settings, world);
    onTestFinished(() => log.close());
    return log.broker;
  }

  /** With its log in files, or in the west. */
  function aSortie(folder: string, kind: 'embedded' | 'rocketmq' = 'rocketmq'): Promise<SortieProcess> {
    const options = kind === 'embedded' ? [] : ['--broker', 'rocketmq', '--rocketmq-namesrv-addr', west().nameServer];
    return aSortieProcess(folder, { invoker: 'processes', options });
  }

  const fromEast = (topic: string, more: Config = {}): Config => ({
    'connector.class': 'rocketmq-source',
    'namesrv.addr': east().nameServer,
    'source.topics': topic,
    'tasks.max': '4',
    ...more,
  });

  describe.each(['embedded', 'rocketmq'] as const)('into a log that is %s', { timeout: TIMEOUT_MS }, (kind) => {
    test(`copies ${RECORDS} records once, each queue in its order, with processes killed on the way`, async () => {
      const topic = aTopic();
      const folder = aTemporaryFolder();
      const [producer, sortie] = [clientOf(east), await aSortie(folder, kind)];
      await producer.topics.create(topic, 4);
      const queues = await producer.queues(topic);
      await putConnector(sortie, 'copy', fromEast(topic, { 'topic.creation.default.partitions': '8' }));
      const log = await logOf(folder, kind);

      let kills = 0;
      for (let at = 0; at < RECORDS / queues.length; at += BATCH) {
        for (const queue of queues) await produce(producer, queue, { from: at, count: BATCH });
        await systemClock.sleep(50);
        if (at % (10 * BATCH) !== 0) continue;
        // Once there is one: what was produced just now has to be copied.
        if (kills < KILLS_MIN) await vi.waitFor(() => expect(killAChild(sortie)).toBe(1), PATIENCE);
        kills += kills < KILLS_MIN ? 1 : killAChild(sortie);
      }
      await vi.waitFor(async () => expect(await countOf(log, topic)).toBeGreaterThanOrEqual(RECORDS), PATIENCE);

      const copies = await copiesOf(log, topic);
      const counted = Array.from({ length: RECORDS / queues.length }, (_, index) => String(index));
      for (const { brokerName, queueId } of queues) expect(copies.get(`${brokerName}/${queueId}`)).toEqual([counted]);
      expect(copies.size).toBe(queues.length);
      expect(kills).toBeGreaterThanOrEqual(KILLS_MIN);
    });
  });

  test('copies in both directions at once, each record to the other side and no further', { timeout: TIMEOUT_MS }, async () => {
    const topic = aTopic();
    const [atEast, atWest] = [clientOf(east), clientOf(west)];
    for (const client of [atEast, atWest]) await client.topics.create(topic, 4);
    const sortie = await aSortie(aTemporaryFolder());
    const clusters = (source: string, target: string): Config => ({ 'source.cluster': source, 'target.cluster': target });
    await putConnector(sortie, 'from-east', fromEast(topic, clusters('east', 'west')));
    await putConnector(sortie, 'to-east', {
      'connector.class': 'rocketmq-sink',
      'namesrv.addr': east().nameServer,
      topics: topic,
      'tasks.max': '4',
      ...clusters('west', 'east'),
    });

    for (const client of [atEast, atWest]) {
      for (const queue of await client.queues(topic)) await produce(client, queue, { from: 0, count: 50 });
    }
    const expected = [atEast, atWest].map((own) => (own === atEast ? ['', 'west'] : ['', 'east']));
    const held = async () => Promise.all([atEast, atWest].map((client) => recordsAt(client, topic)));
    const isThere = async (): Promise<void> => {
      for (const [index, records] of (await held()).entries()) {
        const origins = records.map((record) => headerOf(record, 'sortie.origins'));
        expect([...new Set(origins)].sort()).toEqual(expected[index]);
        // One that was sent again, as an append sink may, is no copy that went round.
        expect(
          new Set(
            records.map((record) => `${headerOf(record, 'sortie.origins')} ${originOf(record)} ${headerOf(record, 'number')}`),
          ).size,
        ).toBe(400);
      }
    };
    await vi.waitFor(isThere, PATIENCE);
    // A copy that went round would have come back by now: an idle end is looked at every second.
    await systemClock.sleep(5_000);

    await isThere();
  });

  test('puts a group at the first copy that it has not consumed', { timeout: TIMEOUT_MS }, async () => {
    const topic = aTopic();
    const producer = clientOf(east);
    await producer.topics.create(topic, 4);
    const queues = await producer.queues(topic);
    for (const queue of queues) await produce(producer, queue, { from: 0, count: 500 });
    const consumed = [0n, 500n, 123n, 499n];
    await Promise.all(queues.map((queue, index) => producer.groups.note(queue, 'billing', consumed[index] ?? 0n)));
    const folder = aTemporaryFolder();
    const sortie = await aSortie(folder);
    const keys = { 'sync.groups': 'billing', 'sync.groups.interval.ms': '1000', 'topic.creation.default.partitions': '8' };

    await putConnector(sortie, 'copy', fromEast(topic, keys));

    const log = await logOf(folder, 'rocketmq');
    const left = async (): Promise<ReadonlyMap<string, number>> => {
      const noted = (await log.groups(topic)).get('billing') ?? [];
      const found = new Map<string, number>();
      for (const { queue, offset: from } of noted) {
        for (const copy of await readAll(log, queue, from)) found.set(originOf(copy), (found.get(originOf(copy)) ?? 0) + 1);
      }
      return found;
    };
    const expected = queues.map(
      ({ brokerName, queueId }, index) => [`${brokerName}/${queueId}`, 500 - Number(consumed[index])] as const,
    );
    const unconsumed = new Map(expected.filter(([, count]) => count > 0));
    await vi.waitFor(async () => {
      expect(await countOf(log, topic)).toBe(2_000);
      expect(await left()).toEqual(unconsumed);
    }, PATIENCE);
  });

  test('copies what brokers let pass, and says of an expression that they do not understand what is wrong', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const topic = aTopic();
    const producer = clientOf(east);
    await producer.topics.create(topic, 2);
    for (const queue of await producer.queues(topic)) await produce(producer, queue, { from: 0, count: 100 });
    const folder = aTemporaryFolder();
    const sortie = await aSortie(folder, 'embedded');

    await putConnector(sortie, 'some', fromEast(topic, { 'filter.sql': "number < 30 AND TAGS = 'even'", topic: 'some' }));
    await putConnector(sortie, 'tagged', fromEast(topic, { 'filter.tags': 'odd', topic: 'tagged' }));
    await putConnector(sortie, 'wrong', fromEast(topic, { 'filter.sql': 'number <', topic: 'wrong' }));

    const log = await logOf(folder, 'embedded');
    await vi.waitFor(async () => expect([await countOf(log, 'some'), await countOf(log, 'tagged')]).toEqual([30, 100]), PATIENCE);
    await vi.waitFor(
      async () => expect(await runsOf(sortie, 'wrong')).toMatch(/filter.sql Encountered .*; next: correct it/),
      PATIENCE,
    );
    expect(await countOf(log, 'wrong')).toBe(0);
  });

  test('fails when the topic was created anew, and says what to do', { timeout: TIMEOUT_MS }, async () => {
    const topic = aTopic();
    const producer = clientOf(east);
    const folder = aTemporaryFolder();
    const sortie = await aSortie(folder, 'embedded');
    const fill = async (): Promise<void> => {
      await producer.topics.create(topic, 1);
      for (const queue of await producer.queues(topic)) await produce(producer, queue, { from: 0, count: 100 });
    };
    await fill();
    await putConnector(sortie, 'copy', fromEast(topic));
    const log = await logOf(folder, 'embedded');
    await vi.waitFor(async () => expect(await countOf(log, topic)).toBe(100), PATIENCE);
    await systemClock.sleep(6_000);

    await producer.topics.delete(topic);
    await fill();

    await vi.waitFor(async () => expect(await statusOf(sortie, 'copy')).toContain('shard.log_truncated'), PATIENCE);
    expect(await runsOf(sortie, 'copy')).toMatch(/is not what was copied: .*; next: stop the connector and reset its offsets/);
    expect(await countOf(log, topic)).toBe(100);
  });

  test('waits for a broker of the source that dies, and loses nothing', { timeout: TIMEOUT_MS }, async () => {
    const topic = aTopic();
    const producer = clientOf(east);
    await producer.topics.create(topic, 4);
    const queues = await producer.queues(topic);
    const folder = aTemporaryFolder();
    const sortie = await aSortie(folder, 'embedded');
    for (const queue of queues) await produce(producer, queue, { from: 0, count: 100 });
    await putConnector(sortie, 'copy', fromEast(topic));
    const log = await logOf(folder, 'embedded');
    await vi.waitFor(async () => expect(await countOf(log, topic)).toBe(400), PATIENCE);

    await east().killBroker('broker-b');
    for (const queue of queues.filter(({ brokerName }) => brokerName === 'broker-a'))
      await produce(producer, queue, { from: 100, count: 100 });
    await vi.waitFor(async () => expect(await countOf(log, topic)).toBe(600), PATIENCE);
    await east().restartBroker('broker-b');
    for (const queue of await clientOf(east).queues(topic)) {
      if (queue.brokerName === 'broker-b') await produce(producer, queue, { from: 100, count: 100 });
    }

    await vi.waitFor(async () => expect(await countOf(log, topic)).toBe(800), PATIENCE);
    expect(await statusOf(sortie, 'copy')).not.toContain('FAILED');
  });

  test('copies directly from one cluster to the other', { timeout: TIMEOUT_MS }, async () => {
    const topic = aTopic();
    const [producer, target] = [clientOf(east), clientOf(west)];
    await producer.topics.create(topic, 4);
    for (const queue of await producer.queues(topic)) await produce(producer, queue, { from: 0, count: 250 });
    const sortie = await aSortie(aTemporaryFolder(), 'embedded');

    await putConnector(sortie, 'copy', {
      ...fromEast(topic),
      'sink.connector.class': 'rocketmq-sink',
      'sink.namesrv.addr': west().nameServer,
      'sink.topic.queues': '4',
    });

    await vi.waitFor(async () => expect(await sizeOf(target, topic)).toBe(1_000), PATIENCE);
  });
});

/** Records that say where they come from and which they are. */
async function produce(
  client: RocketmqClient,
  queue: MessageQueue,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const headers = [
      ['origin', `${queue.brokerName}/${queue.queueId}`],
      ['number', String(number)],
    ] as const;
    return anOutgoingRecord({ key: bytesOf(`key-${number % 7}`), tag: number % 2 === 0 ? 'even' : 'odd', headers });
  });
  const { end } = await sendRecords(client, queue, records);
  expect(end).toBe(BigInt(from + count));
}

/** How many were killed. */
function killAChild({ child }: SortieProcess): number {
  const hosts = childrenOf(child.pid ?? 0);
  const host = hosts[Math.floor(Math.random() * hosts.length)];
  return host !== undefined && signal(host, 'SIGKILL') ? 1 : 0;
}

async function countOf(log: LogBroker, topic: string): Promise<number> {
  const bounds = await log.bounds(await log.queues(topic));
  return bounds.reduce((sum, each) => sum + Number(each?.max ?? 0n), 0);
}

function recordsAt(client: RocketmqClient, topic: string): Promise<readonly LogRecord[]> {
  return recordsOf(new RocketmqLogBroker({ client, clock: systemClock }), topic);
}

/** Queue by queue. */
async function recordsOf(log: LogBroker, topic: string): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = [];
  for (const queue of await log.queues(topic)) all.push(...(await readAll(log, queue, offset(0))));
  return all;
}

async function sizeOf(client: RocketmqClient, topic: string): Promise<number> {
  const spans = await client.spans(await client.queues(topic));
  return spans.reduce((sum, span) => sum + Number(span?.max ?? 0n), 0);
}

/** Numbers of the copies, in their order; of each queue at the source once for each queue that holds some. */
async function copiesOf(log: LogBroker, topic: string): Promise<ReadonlyMap<string, readonly (readonly string[])[]>> {
  const copies = new Map<string, (readonly string[])[]>();
  for (const queue of await log.queues(topic)) {
    const all = await readAll(log, queue, offset(0));
    for (const origin of new Set(all.map(originOf))) {
      const numbers = all.filter((copy) => originOf(copy) === origin).map((copy) => headerOf(copy, 'number'));
      copies.set(origin, [...(copies.get(origin) ?? []), numbers]);
    }
  }
  return copies;
}

function originOf(copy: LogRecord): string {
  return headerOf(copy, 'origin');
}

function headerOf({ headers }: LogRecord, wanted: string): string {
  return headers.find(([name]) => name === wanted)?.[1] ?? '';
}

/** What went wrong last, in its own words. */
async function runsOf({ url }: SortieProcess, name: string): Promise<string> {
  return (await fetch(`${url}/sortie/v1/connectors/${name}/runs?limit=20`)).text();
}

async function statusOf({ url }: SortieProcess, name: string): Promise<string> {
  return (await fetch(`${url}/connectors/${name}/status`)).text();
}
