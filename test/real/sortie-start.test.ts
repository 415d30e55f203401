/** `sortie start` with its topics in a real RocketMQ: from files to files and to a database, and what becomes of that in between. */
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RocketmqLogBroker } from '../../adapters/rocketmq/rocketmq-log-broker.ts';
import { systemClock } from '../../adapters/system.ts';
import { RequestCode } from '../../clients/rocketmq/codes.ts';
import { messageParts, messageStarts } from '../../clients/rocketmq/message-layout.ts';
import { readProperties } from '../../clients/rocketmq/properties.ts';
import { RocketmqClient } from '../../clients/rocketmq/rocketmq-client.ts';
import { aCluster, withRealServers } from '../support/rocketmq-cluster.ts';
import { listenBefore } from '../support/rocketmq-requests.ts';
import { FILES, linesBelow, numbersBelow, shardsOf, statusOf } from '../support/sink-outcomes.ts';
import { aSortieProcess, putConnector, type SortieProcess } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const TIMEOUT_MS = 120_000;
const PATIENCE = { timeout: 60_000, interval: 50 };

const LINES = { 'connector.class': 'file-source', file: 'lines.jsonl', 'value.converter': 'string' };
const ROWS = {
  'connector.class': 'sql-sink',
  'connection.url': 'sqlite:rows.db',
  'auto.create': 'true',
  'value.converter.schemas.enable': 'false',
};

const QUEUES = 4;
/** A queue that is new is followed for some seconds before it counts as idle. */
const FIRST_INVOCATIONS_S = 10;
const IDLE_S = 20;
/** So long a poll is held at least. */
const POLL_HELD_S = 15;

withRealServers('RocketMQ, sortie start', () => {
  const cluster = aCluster({ brokers: ['broker-a'] });
  let topics = 0;

  function aTopic(): string {
    topics += 1;
    return `start-${process.pid}-${topics}`;
  }

  function aClient(): RocketmqClient {
    const client = new RocketmqClient({ nameServers: [cluster().nameServer], group: 'start' }, systemClock);
    onTestFinished(() => client.close());
    return client;
  }

  function started(folder: string, flags: readonly string[] = []): Promise<SortieProcess> {
    const broker = ['--broker', 'rocketmq', '--rocketmq-namesrv-addr', cluster().nameServer];
    return aSortieProcess('data', { invoker: 'threads', folder, options: [...broker, ...flags] });
  }

  /** By what is sent through a proxy of ours, for there is nothing to see otherwise. */
  async function askedWhileIdle(flags: readonly string[]): Promise<{ polls: number; looks: number; routes: number }> {
    const [folder, topic] = [aTemporaryFolder(), aTopic()];
    await new RocketmqLogBroker({ client: aClient(), clock: systemClock }).ensureTopic(topic, { queues: QUEUES });
    const broker = await listenBefore(cluster().addressOf('broker-a'));
    const nameServer = await listenBefore(cluster().nameServer);
    const addresses = ['--rocketmq-namesrv-addr', nameServer.address, '--rocketmq-proxy-addr', broker.address];
    const sortie = await started(folder, [...addresses, ...flags]);
    await putConnector(sortie, 'files', { ...FILES, topics: topic });
    await systemClock.sleep(FIRST_INVOCATIONS_S * 1_000);
    const [atBroker, atNameServer] = [broker.requests.length, nameServer.requests.length];

    await systemClock.sleep(IDLE_S * 1_000);

    const asked = broker.requests.slice(atBroker);
    const polls = asked.filter(({ code }) => code === RequestCode.PULL_MESSAGE).length;
    return { polls, looks: asked.length - polls, routes: nameServer.requests.length - atNameServer };
  }

  describe('sortie start', { timeout: TIMEOUT_MS }, () => {
    test('moves lines of a file through a topic into files and rows, once each, and goes on after a restart', async () => {
      const [folder, topic] = [aTemporaryFolder(), aTopic()];
      const numbers = Array.from({ length: 2_000 }, (_, index) => index);
      appendLines(folder, numbers.slice(0, 1_000));
      const first = await started(folder);
      await putConnector(first, 'lines', { ...LINES, topic, 'topic.creation.default.partitions': '4' });
      await putConnector(first, 'files', { ...FILES, topics: topic });
      await putConnector(first, 'rows', { ...ROWS, topics: topic });

      // Some are on their way, and more come, when it stops.
      await vi.waitFor(() => expect(numbersBelow(join(folder, 'files')).length).toBeGreaterThan(0), PATIENCE);
      appendLines(folder, numbers.slice(1_000, 1_500));
      first.child.kill('SIGTERM');
      await once(first.child, 'exit');
      appendLines(folder, numbers.slice(1_500));
      await started(folder);

      await vi.waitFor(() => expect(numbersBelow(join(folder, 'files'))).toHaveLength(2_000), PATIENCE);
      await vi.waitFor(() => expect(numbersInRows(folder, topic)).toHaveLength(2_000), PATIENCE);
      expect(numbersBelow(join(folder, 'files'))).toEqual(numbers);
      expect(numbersInRows(folder, topic)).toEqual(numbers);
    });

    test('gives a sink the records with a tag that their source gave them, or those for which an expression is true', async () => {
      const [folder, topic] = [aTemporaryFolder(), aTopic()];
      const sortie = await started(folder);
      const config = { 'connector.class': 'datagen-source', topic, 'record.count': '300', 'key.count': '3' };
      await putConnector(sortie, 'made-up', { ...config, 'producer.override.tag': 'tag-${key}' });
      await putConnector(sortie, 'all', { ...FILES, topics: topic, directory: 'all' });
      await vi.waitFor(() => expect(linesBelow(join(folder, 'all'))).toHaveLength(300), PATIENCE);
      const keys = linesBelow(join(folder, 'all')).map((line) => payloadOf(line).key);
      const [key = ''] = keys;
      const count = keys.filter((each) => each === key).length;

      const filtered = { ...FILES, topics: topic };
      await putConnector(sortie, 'tagged', { ...filtered, directory: 'tagged', 'consumer.override.filter.tags': `tag-${key}` });
      const sql = `TAGS IS NOT NULL AND TAGS <> 'tag-${key}'`;
      await putConnector(sortie, 'others', { ...filtered, directory: 'others', 'consumer.override.filter.sql': sql });

      await vi.waitFor(() => expect(linesBelow(join(folder, 'tagged'))).toHaveLength(count), PATIENCE);
      await vi.waitFor(() => expect(linesBelow(join(folder, 'others'))).toHaveLength(300 - count), PATIENCE);
      expect(new Set(linesBelow(join(folder, 'tagged')).map((line) => payloadOf(line).key))).toEqual(new Set([key]));
      await vi.waitFor(async () => expect((await shardsOf(sortie, 'others')).backlogRecords).toBe(0), PATIENCE);
    });

    test('keeps all that has the same sharding key in one queue, and tells it to consumers', async () => {
      const [folder, topic, client] = [aTemporaryFolder(), aTopic(), aClient()];
      const sortie = await started(folder);
      const config = { 'connector.class': 'datagen-source', topic, 'record.count': '300', 'key.count': '20' };
      const addressed = { 'producer.override.sharding.key': 'group-${key}', 'topic.creation.default.partitions': '4' };

      await putConnector(sortie, 'made-up', { ...config, ...addressed });

      await vi.waitFor(async () => expect(await shardingKeysOf(client, topic)).toHaveLength(300), PATIENCE);
      const found = await shardingKeysOf(client, topic);
      const places = new Set(found.map(({ queueId, key, shardingKey }) => `${queueId} ${key} ${shardingKey}`));
      const keys = new Set(found.map(({ key }) => key));
      expect(places.size).toBe(keys.size);
      expect(found.every(({ key, shardingKey }) => shardingKey === `group-${key}`)).toBe(true);
      expect(new Set(found.map(({ queueId }) => queueId)).size).toBeGreaterThan(1);
    });

    test('refuses a topic that RocketMQ takes no name of, and says which it takes', async () => {
      const { url } = await started(aTemporaryFolder());
      const body = JSON.stringify({ ...FILES, topics: 'shop.orders' });

      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/connectors/files/config`, { method: 'PUT', headers, body });

      expect([answer.status, await answer.text()]).toEqual([
        400,
        expect.stringMatching(/topics.*shop\.orders.*letters, digits/s),
      ]);
    });

    test('stops a source at a record that is too large for RocketMQ, and goes on behind it where it may', async () => {
      const [folder, topic] = [aTemporaryFolder(), aTopic()];
      // In JSON each of them becomes two characters.
      const tooLarge = '"'.repeat(3_000_000);
      appendFileSync(join(folder, 'lines.jsonl'), `first\n${tooLarge}\n\nlast\n`);
      const sortie = await started(folder);
      const source = {
        ...LINES,
        'max.line.bytes': '4000000',
        'value.converter': 'json',
        'value.converter.schemas.enable': 'false',
      };
      await putConnector(sortie, 'stops', { ...source, topic });
      await vi.waitFor(async () => expect(await statusOf(sortie, 'stops')).toContain('record.too_large'), PATIENCE);

      expect(await statusOf(sortie, 'stops')).toMatch(new RegExp(`"state":"FAILED".*${topic}.*Next: `));
      const runs = await (await fetch(`${sortie.url}/sortie/v1/connectors/stops/runs`)).text();
      expect(runs).toMatch(/the record has 60\d+ bytes and RocketMQ takes at most \d+/);
      await putConnector(sortie, 'goes-on', {
        ...source,
        topic: `${topic}-all`,
        'errors.tolerance': 'all',
        'topic.creation.default.partitions': '1',
      });
      await putConnector(sortie, 'files', { ...FILES, topics: `${topic}-all` });
      await vi.waitFor(() => expect(linesBelow(join(folder, 'files'))).toEqual(['"first"', '""', '"last"']), PATIENCE);
    });

    test('carries values that are empty, which RocketMQ itself does not', async () => {
      const [folder, topic] = [aTemporaryFolder(), aTopic()];
      appendFileSync(join(folder, 'lines.jsonl'), 'a\n\nb\n');
      const sortie = await started(folder);
      await putConnector(sortie, 'lines', { ...LINES, topic, 'topic.creation.default.partitions': '1' });
      await putConnector(sortie, 'files', { ...FILES, topics: topic });

      await vi.waitFor(() => expect(linesBelow(join(folder, 'files'))).toEqual(['a', '', 'b']), PATIENCE);
    });

    test('holds one poll for each queue of an idle sink, and asks for little else', async () => {
      const { polls, looks, routes } = await askedWhileIdle([]);

      expect(polls).toBeGreaterThanOrEqual(QUEUES);
      expect(polls).toBeLessThanOrEqual(QUEUES * (Math.ceil(IDLE_S / POLL_HELD_S) + 1));
      expect(looks).toBeLessThanOrEqual(IDLE_S);
      expect(routes).toBeLessThanOrEqual(IDLE_S);
    });

    test('looks at the topic of an idle sink once a second at most where it may not wait for queues', async () => {
      const { polls, looks, routes } = await askedWhileIdle(['--watches-max', '0']);

      expect(polls).toBe(0);
      expect(looks).toBeGreaterThan(0);
      expect(looks).toBeLessThanOrEqual(IDLE_S);
      expect(routes).toBeLessThanOrEqual(IDLE_S);
    });
  });
});

function appendLines(folder: string, numbers: readonly number[]): void {
  const lines = numbers.map((number) => `${JSON.stringify({ id: number })}\n`).join('');
  appendFileSync(join(folder, 'lines.jsonl'), lines);
}

function numbersInRows(folder: string, table: string): readonly number[] {
  const database = new DatabaseSync(join(folder, 'rows.db'), { readOnly: true });
  try {
    return database
      .prepare(`SELECT id FROM "${table}" ORDER BY id`)
      .all()
      .map(({ id }) => Number(id));
  } finally {
    database.close();
  }
}

/** As the JSON converter writes it, with its schema. */
function payloadOf(line: string): { readonly key: string } {
  return (JSON.parse(line) as { readonly payload: { readonly key: string } }).payload;
}

interface Addressed {
  readonly queueId: number;
  readonly key: string | undefined;
  readonly shardingKey: string | undefined;
}

/** Of each message, as its properties say. */
async function shardingKeysOf(client: RocketmqClient, topic: string): Promise<readonly Addressed[]> {
  const found: Addressed[] = [];
  for (const queue of await client.queues(topic)) {
    for (let [at, isMore] = [0n, true]; isMore; ) {
      const { body, next } = await client.pull(queue, at, { messages: 32 });
      const read = messageStarts(body).map((start) => {
        const { propertiesAt, propertiesEnd } = messageParts(body, start);
        return new Map(readProperties(body, { at: propertiesAt, end: propertiesEnd }));
      });
      found.push(...read.map((of) => ({ queueId: queue.queueId, key: of.get('KEYS'), shardingKey: of.get('__SHARDINGKEY') })));
      isMore = read.length > 0;
      at = next;
    }
  }
  return found;
}
