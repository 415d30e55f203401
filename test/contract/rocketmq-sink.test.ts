/** What rocketmq-sink sends to which queue, and what it makes of a cluster that is unwell or refuses something. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import { RequestCode, ResponseCode } from '../../clients/rocketmq/codes.ts';
import type { ConnectError } from '../../core/errors.ts';
import type { MessageQueue } from '../../core/message-queue.ts';
import { ConnectRecord, type RecordFields } from '../../core/record/connect-record.ts';
import { queueShardId } from '../../core/shard-id.ts';
import type { PluginContext } from '../../plugins/api/context.ts';
import type { PutResult, SinkWriter } from '../../plugins/api/sink.ts';
import { rocketmqSink } from '../../plugins/sinks/rocketmq-sink.ts';
import { aSinkRecord, textDatum } from '../support/connect-records.ts';
import { asSent, bytesOf, textOf } from '../support/log-records.ts';
import { aPluginContext } from '../support/plugin-context.ts';
import { clusterOf, type RemotingAnswer } from '../support/remoting-server.ts';
import { recordsIn } from '../support/replication.ts';
import { StandInCluster } from '../support/stand-in-cluster.ts';

const NEVER = new AbortController().signal;

const NO_DATUM = { schema: null, value: null, bytes: null };

async function aCluster({ queues = 4 }: { readonly queues?: number } = {}): Promise<StandInCluster> {
  const cluster = await StandInCluster.start();
  if (queues > 0) cluster.createTopic('orders', { queues });
  return cluster;
}

async function open(
  cluster: StandInCluster,
  keys: Readonly<Record<string, string>> = {},
  context: Partial<PluginContext> = {},
): Promise<SinkWriter> {
  const config = rocketmqSink.config.parse({ 'namesrv.addr': cluster.server.address, ...keys });
  const writer = await rocketmqSink.open(config, aPluginContext(context));
  onTestFinished(() => writer.close());
  return writer;
}

function queue(queueId: number): MessageQueue {
  return { topic: 'orders', brokerName: 'broker-x', queueId };
}

function put(writer: SinkWriter, records: readonly ConnectRecord[], signal: AbortSignal = NEVER): Promise<PutResult> {
  const slice = { shard: queueShardId('uid', queue(0)), generation: 1, epoch: 1 };
  return writer.put({ ...slice, records, position: null, forMs: 5_000 }, signal);
}

function aRecord({
  offset = 0,
  queueId = 0,
  ...fields
}: Partial<RecordFields> & { offset?: number; queueId?: number } = {}): ConnectRecord {
  return new ConnectRecord({
    ...aSinkRecord({ offset, queue: queue(queueId) }),
    key: textDatum('key'),
    value: textDatum('value'),
    ...fields,
  });
}

async function failureOf(putting: Promise<unknown>): Promise<ConnectError> {
  return (await putting.catch((error: unknown) => error)) as ConnectError;
}

describe('rocketmq-sink, a record', () => {
  test('keeps its key, its value, its tag, its headers and its time of birth, and gets an id', async () => {
    const cluster = await aCluster();
    const headers = [{ name: 'color', schema: null, value: 'red' }];

    await put(await open(cluster), [
      aRecord({ tag: 'paid', headers, timestampMs: 5 }),
      aRecord({ key: NO_DATUM, value: NO_DATUM, offset: 1, timestampMs: 6 }),
    ]);

    const id = 'uid/queue/orders/broker-x/0/1';
    expect(recordsIn(cluster, 'orders').map(asSent)).toEqual([
      {
        key: bytesOf('key'),
        value: bytesOf('value'),
        tag: 'paid',
        headers: [
          ['color', 'red'],
          ['sortie.id', `${id}/0`],
        ],
        bornAtMs: 5,
      },
      { key: null, value: null, tag: null, headers: [['sortie.id', `${id}/1`]], bornAtMs: 6 },
    ]);
  });

  test('keeps the words that find it and its sharding key, also those that its log alone knows', async () => {
    const cluster = await aCluster();
    const { log } = aSinkRecord();

    await put(await open(cluster), [
      aRecord({ keys: 'a b', shardingKey: 's' }),
      aRecord({ log: { ...log, keys: 'c d', shardingKey: 't' } }),
      aRecord(),
    ]);

    const sent = recordsIn(cluster, 'orders');
    expect(sent.map(({ keys, shardingKey }) => [keys, shardingKey])).toEqual([
      ['a b', 's'],
      ['c d', 't'],
      [null, null],
    ]);
    expect(sent.map(({ key }) => textOf(key))).toEqual(['key', 'key', 'key']);
  });

  test('goes to the topic that its own topic names, which is created where that is wished', async () => {
    const cluster = await aCluster({ queues: 0 });

    await put(await open(cluster, { topic: 'east-${topic}', 'topic.queues': '3' }), [aRecord()]);

    expect(
      cluster
        .messages('east-orders')
        .map(({ length }) => length)
        .sort(),
    ).toEqual([0, 0, 1]);
  });

  test('says where it has been, and is not sent where it comes from (both directions)', async () => {
    const cluster = await aCluster();
    const counted: string[] = [];
    const count = (event: string, by?: number): void => void counted.push(`${event} ${by}`);
    const writer = await open(cluster, { 'source.cluster': 'west', 'target.cluster': 'east' }, { count });
    const from = (origins: string) => aRecord({ headers: [{ name: 'sortie.origins', schema: null, value: origins }] });

    const { failures } = await put(writer, [aRecord(), from('east'), from('north'), from('north,east'), from('west')]);

    expect(failures).toEqual([]);
    expect(recordsIn(cluster, 'orders').map(({ headers }) => Object.fromEntries(headers)['sortie.origins'])).toEqual([
      'west',
      'north,west',
    ]);
    expect(counted).toEqual(['records_not_sent_back 3']);
  });
});

describe('rocketmq-sink, a queue', () => {
  const texts = (cluster: StandInCluster) =>
    cluster.messages('orders').map((messages) => messages.map(({ body }) => textOf(body)).join(' '));

  test('gets all records of a queue, in their order', async () => {
    const cluster = await aCluster({ queues: 2 });
    const records = ['a', 'b', 'c', 'd'].map((text, index) =>
      aRecord({ key: textDatum(text), value: textDatum(`${index}`), queueId: index % 2, offset: index }),
    );

    await put(await open(cluster), records);

    expect(texts(cluster).sort()).toEqual(['0 2', '1 3']);
  });

  test('gets all records of a key, and those without one by their queue, where that is wished', async () => {
    const cluster = await aCluster({ queues: 8 });
    const keyed = Array.from({ length: 40 }, (_, index) =>
      aRecord({ key: textDatum(`key-${index % 10}`), value: textDatum(`${index % 10}`), offset: index }),
    );
    const others = [0, 1].map((queueId) => aRecord({ key: NO_DATUM, value: textDatum('x'), queueId }));

    await put(await open(cluster, { 'queue.by': 'key' }), [...keyed, ...others]);

    const queuesOf = (text: string) => texts(cluster).flatMap((all, index) => (all.split(' ').includes(text) ? [index] : []));
    for (let key = 0; key < 10; key += 1) expect(queuesOf(`${key}`)).toHaveLength(1);
    expect(new Set(Array.from({ length: 10 }, (_, key) => queuesOf(`${key}`)[0])).size).toBeGreaterThan(2);
    expect(queuesOf('x')).toHaveLength(2);
  });

  test('gets its records in as few batches as a broker takes, one behind the other', async () => {
    const cluster = await aCluster({ queues: 1 });
    const megabyte = 'x'.repeat(1024 * 1024);
    const records = Array.from({ length: 6 }, (_, index) => aRecord({ value: textDatum(megabyte), offset: index }));

    await put(await open(cluster), records);

    expect(cluster.messages('orders')[0]).toHaveLength(6);
    expect(cluster.server.count(RequestCode.SEND_BATCH_MESSAGE)).toBe(2);
  });

  test('that fails leaves the others alone, and is asked for anew', async () => {
    const cluster = await aCluster({ queues: 2 });
    const records = [0, 1, 0, 1].map((queueId, offset) => aRecord({ queueId, offset, value: textDatum(`${offset}`) }));
    const writer = await open(cluster);
    cluster.answerFirst = ({ code, fields }) =>
      code === RequestCode.SEND_BATCH_MESSAGE && fields['e'] === '0' ? { code: ResponseCode.SERVICE_NOT_AVAILABLE } : null;

    const { failures } = await put(writer, records);
    cluster.answerFirst = () => null;
    const again = await put(
      writer,
      failures.map(({ index }) => records[index] as ConnectRecord),
    );

    expect(failures.map(({ error }) => [error.name, error.code])).toEqual(
      [0, 1].map(() => ['RetryableError', 'target.unavailable']),
    );
    expect(again.failures).toEqual([]);
    expect(texts(cluster).sort()).toEqual(['0 2', '1 3']);
  });
});

describe('rocketmq-sink, a cluster', () => {
  test('without the topic fails the shard, and says what to do', async () => {
    const cluster = await aCluster({ queues: 0 });

    const failure = await failureOf(put(await open(cluster), [aRecord()]));

    expect(failure).toMatchObject({ name: 'FatalTaskError', code: 'broker.topic_missing' });
    expect(failure.message).toBe(
      'topic orders does not exist at the target; next: create it there, or set topic.queues, with which it is created',
    );
  });

  test('whose topic takes nothing at the moment is left as it is, also where topics are to be created', async () => {
    const cluster = await aCluster();
    const queueDatas = [{ brokerName: 'broker-a', perm: 4, readQueueNums: 4, writeQueueNums: 4 }];
    const brokerDatas = [{ brokerName: 'broker-a', brokerAddrs: { 0: cluster.server.address } }];
    cluster.answerFirst = ({ code }) =>
      code === RequestCode.GET_ROUTE ? { body: JSON.stringify({ brokerDatas, queueDatas }) } : null;

    const failure = await failureOf(put(await open(cluster, { 'topic.queues': '8' }), [aRecord()]));

    expect(failure).toMatchObject({
      name: 'RetryableError',
      code: 'target.unavailable',
      message: expect.stringMatching(/topic orders exists at the target .*; next: /),
    });
    expect(cluster.server.count(RequestCode.CREATE_TOPIC)).toBe(0);
  });

  test('whose brokers are all away is tried again, and its topic is not taken for missing', async () => {
    const cluster = await aCluster({ queues: 0 });
    cluster.answerFirst = ({ code }) => (code === RequestCode.GET_CLUSTER ? clusterOf({}) : null);

    const failure = await failureOf(put(await open(cluster), [aRecord()]));

    expect(failure).toMatchObject({ name: 'RetryableError', code: 'target.unavailable' });
  });

  test('that is busy is left alone for a while, as any target that throttles', async () => {
    const cluster = await aCluster();
    cluster.answerFirst = ({ code }) =>
      code === RequestCode.SEND_BATCH_MESSAGE ? { code: ResponseCode.SYSTEM_BUSY, remark: '[PCBUSY_CLEAN_QUEUE]' } : null;

    const { failures } = await put(await open(cluster, {}, { clock: systemClock }), [aRecord()]);

    expect(failures.map(({ error }) => error)).toMatchObject([{ name: 'RetryableError', code: 'target.throttled' }]);
  });

  test('that refuses the access keys fails the shard', async () => {
    const cluster = await aCluster();
    cluster.answerFirst = ({ code }) =>
      code === RequestCode.SEND_BATCH_MESSAGE ? { code: ResponseCode.NO_PERMISSION, remark: 'no' } : null;

    const failure = await failureOf(put(await open(cluster), [aRecord()]));

    expect(failure).toMatchObject({ name: 'FatalTaskError', code: 'sink.unauthorized' });
  });

  test('that does not answer in the time of a put is given up', async () => {
    const cluster = await aCluster();
    cluster.answerFirst = ({ code }) => (code === RequestCode.SEND_BATCH_MESSAGE ? 'silent' : null);
    const abort = new AbortController();

    const putting = failureOf(put(await open(cluster), [aRecord()], abort.signal));
    await cluster.server.received(2);
    abort.abort();

    expect(await putting).toMatchObject({ name: 'RetryableError', code: 'target.timed_out' });
  });

  test('that answers late gets nothing more before it has answered, so that nothing newer is stored first', async () => {
    const cluster = await aCluster({ queues: 1 });
    const [late, abort] = [Promise.withResolvers<RemotingAnswer>(), new AbortController()];
    cluster.answerFirst = ({ code }) => (code === RequestCode.SEND_BATCH_MESSAGE ? late.promise : null);
    const writer = await open(cluster);
    const first = failureOf(put(writer, [aRecord()], abort.signal));
    await cluster.server.received(2);
    abort.abort();
    await first;
    cluster.answerFirst = () => null;

    const second = put(writer, [aRecord({ value: textDatum('newer'), offset: 1 })]);
    // Whatever would have been sent by now has been.
    cluster.createTopic('others', { queues: 1 });
    await put(await open(cluster), [aRecord({ topic: 'others' })]);
    const sent = cluster.server.requests.filter(
      ({ code, fields }) => code === RequestCode.SEND_BATCH_MESSAGE && fields['b'] === 'orders',
    );
    late.resolve({ fields: { queueOffset: 0 } });

    expect(sent).toHaveLength(1);
    expect((await second).failures).toEqual([]);
    expect(recordsIn(cluster, 'orders').map(({ value }) => textOf(value))).toEqual(['newer']);
  });
});
