/** What rocketmq-source copies, in which state it finds queues, and what it makes of those that are not what they were. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { RequestCode, ResponseCode } from '../../clients/rocketmq/codes.ts';
import type { ConnectError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { LogLevel } from '../../core/ports.ts';
import type { PluginContext } from '../../plugins/api/context.ts';
import type { PolledRecord, PollResult, SourceReader } from '../../plugins/api/source.ts';
import { rocketmqSource } from '../../plugins/sources/rocketmq-source.ts';
import { anOutgoingRecord, asSent, bytesOf, outgoing, textOf } from '../support/log-records.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { aPluginContext } from '../support/plugin-context.ts';
import { BROKER, StandInCluster } from '../support/stand-in-cluster.ts';
import { LIMITS, NEVER, pollToEnd, recordsIn } from './source/source-under-test.ts';

const NOW_MS = 1_700_000_000_000;

const ALL = { ...LIMITS, records: 100 };

interface Told {
  readonly context: PluginContext;
  readonly clock: ManualClock;
  readonly logged: (readonly [LogLevel, string])[];
  readonly counted: Map<string, number>;
}

function aTellingContext(fields: Partial<PluginContext> = {}): Told {
  const clock = new ManualClock();
  const logged: (readonly [LogLevel, string])[] = [];
  const counted = new Map<string, number>();
  const context = aPluginContext({
    clock,
    createdAtMs: NOW_MS,
    log: (level, message) => void logged.push([level, message]),
    count: (event, by = 1) => void counted.set(event, (counted.get(event) ?? 0) + by),
    ...fields,
  });
  return { context, clock, logged, counted };
}

function configOf(cluster: StandInCluster, keys: Readonly<Record<string, string>> = {}) {
  return rocketmqSource.config.parse({ 'namesrv.addr': cluster.server.address, 'source.topics': 'orders', ...keys });
}

/** Of queue 0 of `orders`. */
function open(
  cluster: StandInCluster,
  {
    keys,
    checkpoint = null,
    context = aPluginContext({ createdAtMs: NOW_MS }),
    queueId = 0,
  }: {
    readonly keys?: Readonly<Record<string, string>>;
    readonly checkpoint?: Json;
    readonly context?: PluginContext;
    readonly queueId?: number;
  } = {},
): Promise<SourceReader> {
  const names = ['queue', 'orders', BROKER, String(queueId)];
  const opening = rocketmqSource.open(configOf(cluster, keys), names, checkpoint, context);
  onTestFinished(async () => (await opening.catch(() => null))?.close());
  return opening;
}

async function aCluster({ queues = 1 }: { readonly queues?: number } = {}): Promise<StandInCluster> {
  const cluster = await StandInCluster.start({ nowMs: NOW_MS });
  cluster.createTopic('orders', { queues });
  return cluster;
}

function values(results: readonly PollResult[] | PollResult): readonly unknown[] {
  const records = recordsIn(Array.isArray(results) ? results : [results]);
  return records.map(({ value }) => textOf(value.value as Uint8Array | null));
}

async function failureOf(polling: Promise<unknown>): Promise<ConnectError> {
  return (await polling.catch((error: unknown) => error)) as ConnectError;
}

describe('rocketmq-source, what there is to copy', () => {
  test('is each queue of the topics that are named or match, found again and again', async () => {
    const cluster = await aCluster({ queues: 2 });
    cluster.createTopic('bills', { queues: 1 });
    cluster.createTopic('internal', { queues: 1 });
    const config = configOf(cluster, { 'source.topics': 'orders,later', 'source.topics.regex': 'b.*' });
    const names = async () => (await rocketmqSource.discover(config, aPluginContext())).map(({ names: [, ...queue] }) => queue);

    expect(await names()).toEqual([
      ['bills', BROKER, '0'],
      ['orders', BROKER, '0'],
      ['orders', BROKER, '1'],
    ]);

    cluster.createTopic('later', { queues: 1 });
    cluster.createTopic('bills', { queues: 2 });

    expect(await names()).toEqual([
      ['bills', BROKER, '0'],
      ['bills', BROKER, '1'],
      ['later', BROKER, '0'],
      ['orders', BROKER, '0'],
      ['orders', BROKER, '1'],
    ]);
  });

  test('is also how far groups have come, where that is wished', async () => {
    const cluster = await aCluster();

    const shards = await rocketmqSource.discover(configOf(cluster, { 'sync.groups': 'billing' }), aPluginContext());

    expect(shards.map(({ names }) => names.join('/'))).toEqual([`queue/orders/${BROKER}/0`, 'groups']);
  });

  test('is asked of a cluster that may be gone for a while', async () => {
    const cluster = await aCluster();
    const config = configOf(cluster);
    const { address } = cluster.server;
    await cluster.server.close();

    const failure = await failureOf(rocketmqSource.discover(config, aPluginContext()));

    expect(failure).toMatchObject({ name: 'RetryableError', code: 'source.unavailable' });
    expect(failure.message).toContain(address);
  });
});

describe('rocketmq-source, a copy', () => {
  test('has the key, the value, the tag, the headers and the time of birth of its record, and its place', async () => {
    const cluster = await aCluster();
    const sent = [
      anOutgoingRecord({ key: bytesOf('k'), tag: 'paid', headers: [['color', 'red']], bornAtMs: 5 }),
      anOutgoingRecord({ key: Uint8Array.of(0, 255), value: null, bornAtMs: 6 }),
      anOutgoingRecord({
        value: new Uint8Array(),
        headers: [
          ['a', ''],
          ['a', '2'],
        ],
        bornAtMs: 7,
      }),
    ];
    cluster.append('orders', 0, sent);

    const { records } = await (await open(cluster)).poll(ALL, NEVER);

    expect(records.map(asOutgoing)).toEqual(sent);
    expect(records.map(({ topic, position }) => [topic, position])).toEqual(
      [0n, 1n, 2n].map((offset) => ['orders', [offset, BigInt(NOW_MS)]]),
    );
  });

  test('keeps the words that find its record, and its sharding key', async () => {
    const cluster = await aCluster();
    cluster.append('orders', 0, [anOutgoingRecord({ keys: 'a b', shardingKey: 's', key: bytesOf('k') }), anOutgoingRecord()]);

    const { records } = await (await open(cluster, { keys: { 'queue.by': 'key' } })).poll(ALL, NEVER);

    expect(records.map(({ keys, shardingKey }) => [keys, shardingKey])).toEqual([
      ['a b', 's'],
      [null, null],
    ]);
    expect(records.map(({ queueIndex }) => queueIndex === undefined)).toEqual([true, false]);
  });

  test('goes to a topic that its own topic names', async () => {
    const cluster = await aCluster();
    cluster.append('orders', 0, outgoing('a'));

    const { records } = await (await open(cluster, { keys: { topic: 'east-${topic}' } })).poll(ALL, NEVER);

    expect(records.map(({ topic }) => topic)).toEqual(['east-orders']);
  });

  test('goes to one queue with all others of its queue, or by its key where that is wished', async () => {
    const cluster = await aCluster({ queues: 2 });
    for (const queueId of [0, 1]) {
      cluster.append('orders', queueId, [anOutgoingRecord({ key: bytesOf('k') }), anOutgoingRecord({ key: null })]);
    }
    const indexesOf = async (queueId: number, queueBy: string) => {
      const reader = await open(cluster, { queueId, keys: { 'queue.by': queueBy } });
      return (await reader.poll(ALL, NEVER)).records.map(({ queueIndex }) => queueIndex);
    };

    const [first = 0] = await indexesOf(0, 'queue');

    expect(await indexesOf(0, 'queue')).toEqual([first, first]);
    expect(await indexesOf(1, 'queue')).toEqual([first + 1, first + 1]);
    expect(await indexesOf(0, 'key')).toEqual([undefined, first]);
  });

  test('is made of the records whose tags are wanted, as brokers leave out the others', async () => {
    const cluster = await aCluster();
    const tags = ['a', 'b', null, 'c', ...Array<string>(100).fill('b'), 'a'];
    cluster.append(
      'orders',
      0,
      tags.map((tag) => anOutgoingRecord({ tag })),
    );

    const results = await pollToEnd(await open(cluster, { keys: { 'filter.tags': 'a || c' } }), ALL);

    expect(recordsIn(results).map(({ tag, position }) => [tag, position?.[0]])).toEqual([
      ['a', 0n],
      ['c', 3n],
      ['a', 104n],
    ]);
    expect(results.at(-1)?.checkpoint).toMatchObject({ offset: '105' });
  });

  test('is not made by a filter that the brokers do not understand', async () => {
    const cluster = await aCluster();
    cluster.append('orders', 0, outgoing('a'));
    cluster.answerFirst = ({ code }) =>
      code === RequestCode.CHECK_CLIENT_CONFIG ? { code: ResponseCode.SUBSCRIPTION_PARSE_FAILED, remark: 'odd' } : null;
    const keys = { 'filter.sql': 'size >' };

    const failures = [
      await failureOf(rocketmqSource.discover(configOf(cluster, keys), aPluginContext())),
      await failureOf((await open(cluster, { keys })).poll(LIMITS, NEVER)),
    ];

    for (const failure of failures) {
      expect(failure).toMatchObject({
        name: 'FatalTaskError',
        code: 'broker.refused',
        message: expect.stringMatching(/^filter.sql odd; next/),
      });
    }
  });

  test('of a value that cannot be inflated fails whoever looks at it, and no other', async () => {
    const cluster = await aCluster();
    const message = { body: bytesOf('broken'), properties: '', bornAtMs: 1, storedAtMs: NOW_MS };
    cluster.appendMessages('orders', 0, [{ ...message, systemFlags: 0x101 }, message]);

    const { records } = await (await open(cluster)).poll(ALL, NEVER);

    expect(() => records[0]?.value.bytes).toThrow(/cannot be inflated/);
    expect(textOf(records[1]?.value.bytes ?? null)).toBe('broken');
  });

  test('says where it has been, and is not sent back (both directions)', async () => {
    const cluster = await aCluster();
    const { context, counted } = aTellingContext();
    const origins = ['', 'west', 'north', 'north,west', 'east', 'north,south'];
    const stale = [
      ['sortie.source', 'uid/source/0#1'],
      ['sortie.position', '7'],
      ['sortie.id', 'x'],
    ] as const;
    cluster.append('orders', 0, [
      ...origins.map((text) =>
        anOutgoingRecord({
          headers:
            text === ''
              ? stale
              : [
                  ['color', 'red'],
                  ['sortie.origins', text],
                ],
        }),
      ),
      anOutgoingRecord({ headers: [['sortie.origins', Array.from({ length: 16 }, (_, index) => `c${index}`).join(',')]] }),
    ]);

    const reader = await open(cluster, { keys: { 'source.cluster': 'east', 'target.cluster': 'west' }, context });
    const { records } = await reader.poll(ALL, NEVER);

    expect(records.map(({ headers = [] }) => headers.map(({ name, value }) => `${name}=${String(value)}`))).toEqual([
      ['sortie.origins=east'],
      ['color=red', 'sortie.origins=north,east'],
      ['color=red', 'sortie.origins=north,south,east'],
    ]);
    expect(counted.get('records_not_sent_back')).toBe(4);
  });
});

describe('rocketmq-source, where it begins', () => {
  test('is the first record, the end, or a time, as it was when the connector was created', async () => {
    const cluster = await aCluster();
    for (const [text, atMs] of [
      ['a', NOW_MS - 100_000],
      ['b', NOW_MS - 50_000],
      ['c', NOW_MS + 1],
    ] as const) {
      cluster.nowMs = atMs;
      cluster.append('orders', 0, outgoing(text));
    }
    const from = async (reset: string) => values(await pollToEnd(await open(cluster, { keys: { 'auto.offset.reset': reset } })));

    expect(await from('earliest')).toEqual(['a', 'b', 'c']);
    expect(await from('latest')).toEqual(['c']);
    expect(await from(new Date(NOW_MS - 60_000).toISOString())).toEqual(['b', 'c']);
    expect(await from(new Date(NOW_MS + 900_000).toISOString())).toEqual(['c']);
  });

  test('is what an operator says, in as few words', async () => {
    const cluster = await aCluster();
    cluster.append('orders', 0, outgoing('a', 'b', 'c'));

    expect(values(await pollToEnd(await open(cluster, { checkpoint: { offset: '1' } })))).toEqual(['b', 'c']);
    for (const checkpoint of [{ line: 7 }, { offset: '-1' }, { offset: '1', first: 'x' }, { offset: 1, storedAtMs: '7' }]) {
      expect(await failureOf(open(cluster, { checkpoint }))).toMatchObject({ name: 'FatalTaskError' });
    }
  });
});

describe('rocketmq-source, the end of a queue', () => {
  test('is looked at again after a while, without a request in between', async () => {
    const cluster = await aCluster();
    const reader = await open(cluster);

    const result = await reader.poll(LIMITS, NEVER);

    expect(result).toEqual({ records: [], checkpoint: { offset: '0' }, idleForMs: 1_000 });
    const before = cluster.server.requests.length;
    await reader.poll(LIMITS, NEVER);
    expect(cluster.server.requests.slice(before).map(({ code }) => code)).toEqual([RequestCode.PULL_MESSAGE]);
  });

  test('is followed by one poll that the broker holds, and given up some seconds later', async () => {
    const cluster = await aCluster();
    const { context, clock } = aTellingContext();
    cluster.append('orders', 0, outgoing('a'));
    const reader = await open(cluster, { context });
    const limits = { ...LIMITS, waitMs: 500 };
    await reader.poll(limits, NEVER);

    const polling = reader.poll(limits, NEVER);
    await cluster.server.received(cluster.server.requests.length + 1);
    clock.advance(500);
    const nothing = await polling;
    const pulls = cluster.server.count(RequestCode.PULL_MESSAGE);
    const next = reader.poll(limits, NEVER);
    cluster.append('orders', 0, outgoing('b'));

    expect(nothing).toMatchObject({ records: [], idleForMs: 1 });
    expect(values(await next)).toEqual(['b']);
    expect(cluster.server.count(RequestCode.PULL_MESSAGE)).toBe(pulls);
    clock.advance(4_000);
    const last = reader.poll(limits, NEVER);
    await cluster.server.received(cluster.server.requests.length + 1);
    clock.advance(500);
    expect(await last).toMatchObject({ records: [], idleForMs: 1_000 });
  });
});

describe('rocketmq-source, a queue that is not what it was', () => {
  async function copied(cluster: StandInCluster, texts: readonly string[]): Promise<Json> {
    cluster.append('orders', 0, outgoing(...texts));
    return (await pollToEnd(await open(cluster))).at(-1)?.checkpoint ?? null;
  }

  test('fails when its topic was created anew, also once it holds as much again', async () => {
    const cluster = await aCluster();
    const checkpoint = await copied(cluster, ['a', 'b', 'c']);
    cluster.deleteTopic('orders');
    cluster.createTopic('orders', { queues: 1 });
    cluster.nowMs += 60_000;
    cluster.append('orders', 0, outgoing('d'));

    const shorter = await failureOf((await open(cluster, { checkpoint })).poll(LIMITS, NEVER));
    cluster.append('orders', 0, outgoing('e', 'f', 'g'));
    const asLong = await failureOf((await open(cluster, { checkpoint })).poll(LIMITS, NEVER));

    for (const failure of [shorter, asLong]) {
      expect(failure).toMatchObject({ name: 'FatalTaskError', code: 'shard.log_truncated' });
      expect(failure.message).toMatch(/^orders\/broker-a\/0 at the source is not what was copied: .*; next: stop the connector/);
    }
  });

  test('fails while it is being read', async () => {
    const cluster = await aCluster();
    const reader = await open(cluster);
    cluster.append('orders', 0, outgoing('a', 'b'));
    await reader.poll(LIMITS, NEVER);
    cluster.deleteTopic('orders');
    cluster.createTopic('orders', { queues: 1 });

    await reader.poll(LIMITS, NEVER);

    expect(await failureOf(reader.poll(LIMITS, NEVER))).toMatchObject({ code: 'shard.log_truncated' });
  });

  test('fails when retention removed what was not copied, or goes on behind it and says so', async () => {
    const cluster = await aCluster();
    const checkpoint = await copied(cluster, ['a']);
    cluster.append('orders', 0, outgoing('b', 'c', 'd'));
    cluster.trim('orders', 0, 3);
    const { context, logged, counted } = aTellingContext();

    const failure = await failureOf((await open(cluster, { checkpoint })).poll(LIMITS, NEVER));
    const skipping = await open(cluster, { checkpoint, keys: { 'gap.policy': 'skip' }, context });

    expect(failure).toMatchObject({ name: 'FatalTaskError', code: 'shard.log_gap' });
    expect(failure.message).toMatch(
      /removed 2 records of orders\/broker-a\/0 .* it begins at 3, and 1 was next; next: set gap.policy/,
    );
    expect(values(await pollToEnd(skipping))).toEqual(['d']);
    expect(counted.get('source_gap_records')).toBe(2);
    expect(logged).toEqual([['warn', expect.stringContaining('removed 2 records')]]);
  });

  test('is known again though a filter left out all that came, until retention took what was copied', async () => {
    const cluster = await aCluster();
    cluster.append('orders', 0, [anOutgoingRecord({ tag: 'a' })]);
    const keys = { 'filter.tags': 'a' };
    const reader = await open(cluster, { keys });
    await reader.poll(ALL, NEVER);
    cluster.nowMs += 86_400_000;
    cluster.append(
      'orders',
      0,
      Array.from({ length: 100 }, () => anOutgoingRecord({ tag: 'b' })),
    );

    const { checkpoint } = (await pollToEnd(reader, ALL)).at(-1) as PollResult;
    cluster.trim('orders', 0, 50);
    cluster.append('orders', 0, [anOutgoingRecord({ tag: 'a' })]);

    expect(checkpoint).toMatchObject({ offset: '101', storedAtMs: cluster.nowMs });
    expect(recordsIn(await pollToEnd(await open(cluster, { keys, checkpoint }), ALL))).toHaveLength(1);
  });

  test('is waited for while it is gone, told of once, and copied on when it is back', async () => {
    const cluster = await aCluster();
    const { context, logged } = aTellingContext();
    cluster.append('orders', 0, outgoing('a'));
    const reader = await open(cluster, { context });
    const { checkpoint } = await reader.poll(LIMITS, NEVER);
    cluster.answerFirst = ({ code }) =>
      code === RequestCode.GET_ROUTE || code === RequestCode.PULL_MESSAGE ? { code: 17 } : null;

    const gone = [await reader.poll(LIMITS, NEVER), await reader.poll(LIMITS, NEVER)];
    cluster.answerFirst = () => null;
    cluster.append('orders', 0, outgoing('b'));

    expect(gone).toEqual([1, 2].map(() => ({ records: [], checkpoint, idleForMs: 1_000 })));
    expect(logged).toEqual([['warn', 'there is no queue orders/broker-a/0 at the source; it is waited for']]);
    expect(values(await pollToEnd(reader))).toEqual(['b']);
  });
});

function asOutgoing({ key, value, tag = null, headers = [], timestampMs }: PolledRecord): unknown {
  return asSent({
    key: key.bytes ?? null,
    value: value.bytes ?? null,
    tag,
    headers: headers.map(({ name, value: text }) => [name, String(text)]),
    bornAtMs: timestampMs ?? 0,
  });
}
