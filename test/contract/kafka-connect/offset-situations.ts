import { expect } from 'vitest';
import type { Cursor, LogCursor } from '../../../core/cursor/cursor.ts';
import { StoredCursor } from '../../../core/cursor/stored-cursor.ts';
import { offset } from '../../../core/offset.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import type { TestApi } from '../../support/api.ts';
import { aHeldRange } from '../../support/builders.ts';
import { anOutgoingRecord } from '../../support/log-records.ts';
import {
  aFreshSource,
  anOrdersSink,
  aRunningSink,
  aStoppedSink,
  aStoppedSource,
  error,
  ORDERS,
  type Situation,
  situationsOf,
} from './situation.ts';

const QUEUE = { kafka_topic: 'orders', kafka_partition: 0 };
const STANDS = { ...QUEUE, broker_name: 'memory' };
const PATH = '/connectors/orders/offsets';

const ALTERED = { status: 200, body: { message: 'The offsets for this connector have been altered successfully' } };
const RESET = { status: 200, body: { message: 'The offsets for this connector have been reset successfully' } };
const NOT_STOPPED = error(
  400,
  "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/orders/stop' endpoint",
);

/** Clients try again on 409. */
const STILL_WRITING = error(
  409,
  'The offsets of 1 partition(s) of connector orders cannot be modified yet, since an invocation may still be writing; the same request can be sent again',
);

async function aPausedSink(api: TestApi): Promise<void> {
  await aRunningSink(api);
  await api.ask('PUT', '/connectors/orders/pause');
}

/** There are two records that it has not read. */
async function aNewStoppedSink({ ask, log }: TestApi): Promise<void> {
  log.createTopic('orders', { queues: 1 });
  await log.send({ topic: 'orders', brokerName: 'memory', queueId: 0 }, [anOutgoingRecord(), anOutgoingRecord()]);
  await ask('POST', '/connectors', { body: { name: 'orders', config: ORDERS, initial_state: 'STOPPED' } });
}

/** A slice of it is held, and will be for twenty seconds. */
async function aStoppedSinkAtWork(api: TestApi): Promise<void> {
  await aStoppedSink(api);
  const deadlineAtMs = api.host.clock.nowMs() + 20_000;
  await stand(api, { open: [aHeldRange({ start: 0, end: 3, deadlineAtMs })] });
}

async function stand({ host, connector }: TestApi, fields: Partial<Omit<LogCursor, 'next'>> & { readonly next?: bigint }) {
  const { uid } = await connector('orders');
  const cursor = await StoredCursor.read(host, queueShardId(uid, { topic: 'orders', brokerName: 'memory', queueId: 0 }));
  await cursor?.change((before) => ({ ...before, ...fields }) as Cursor, { forMs: 0 });
}

/** Of a stopped sink, whose offsets then are. */
function altering(offsets: readonly unknown[]): Pick<Situation, 'given' | 'path' | 'ask'> {
  return { given: aStoppedSink, path: PATH, ask: { body: { offsets } } };
}

function thenAt(offset: number): Pick<Situation, 'then'> {
  return {
    then: async ({ ask }) => {
      expect((await ask('GET', PATH)).body).toEqual({ offsets: [{ partition: STANDS, offset: { kafka_offset: offset } }] });
    },
  };
}

function unparsable(what: 'partition' | 'offset', text: string): Pick<Situation, 'status' | 'body'> {
  const values = `${what === 'partition' ? 'Partition' : 'Offset'} values for sink connectors need to be integers.`;
  return error(400, `Failed to parse the following Kafka ${what} value in the provided offsets: '${text}'. ${values}`);
}

export const offsetSituations: readonly Situation[] = [
  ...situationsOf('GET /connectors/{connector}/offsets', [
    {
      what: 'of a sink',
      given: aStoppedSink,
      path: PATH,
      status: 200,
      body: { offsets: [{ partition: STANDS, offset: { kafka_offset: 3 } }] },
    },
    { what: 'of a sink before its first invocation', given: anOrdersSink, path: PATH, status: 200, body: { offsets: [] } },
    {
      what: 'of a source',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      status: 200,
      body: { offsets: [{ partition: { shard: ['0'] }, offset: { checkpoint: { row: 3 } } }] },
    },
    {
      what: 'of a source that has not begun',
      given: aFreshSource,
      path: '/connectors/rows/offsets',
      status: 200,
      body: { offsets: [{ partition: { shard: ['0'] }, offset: null }] },
    },
    {
      what: 'of one that is stopped and has read nothing',
      given: aNewStoppedSink,
      path: PATH,
      status: 200,
      body: { offsets: [] },
    },
    {
      what: 'of one that runs, with an offset that no double holds',
      given: async (api) => {
        await aRunningSink(api);
        await stand(api, { next: 2n ** 53n + 1n });
      },
      path: PATH,
      status: 200,
      body: { offsets: [{ partition: STANDS, offset: { kafka_offset: '9007199254740993' } }] },
    },
    { what: 'an unknown one', path: '/connectors/nobody/offsets', ...error(404, 'Connector nobody not found') },
  ]),

  ...situationsOf('PATCH /connectors/{connector}/offsets', [
    { what: 'a number', ...altering([{ partition: QUEUE, offset: { kafka_offset: 1 } }]), ...ALTERED, ...thenAt(1) },
    {
      what: 'numbers as text',
      ...altering([{ partition: { ...QUEUE, kafka_partition: '0' }, offset: { kafka_offset: '2' } }]),
      ...ALTERED,
      ...thenAt(2),
    },
    { what: 'with the broker', ...altering([{ partition: STANDS, offset: { kafka_offset: 2 } }]), ...ALTERED, ...thenAt(2) },
    {
      what: 'earliest',
      ...altering([{ partition: QUEUE, offset: { start_position: 'earliest' } }]),
      ...ALTERED,
      ...thenAt(0),
    },
    { what: 'latest', ...altering([{ partition: QUEUE, offset: { start_position: 'latest' } }]), ...ALTERED, ...thenAt(3) },
    {
      what: 'a time before all records',
      ...altering([{ partition: QUEUE, offset: { start_position: '1970-01-01' } }]),
      ...ALTERED,
      ...thenAt(0),
    },
    {
      what: 'a time after all records',
      ...altering([{ partition: QUEUE, offset: { start_position: '9999-12-31T23:59:59+01:00' } }]),
      ...ALTERED,
      ...thenAt(3),
    },
    ...['yesterday', '2026-11-26T08:00:00', 7, null].map((start) => ({
      what: `a start position of ${JSON.stringify(start)}`,
      ...altering([{ partition: QUEUE, offset: { start_position: start } }]),
      ...error(400, 'The start_position must be earliest, latest or an ISO 8601 time such as 2026-11-26T08:00:00Z'),
    })),
    {
      what: 'a source, from its earliest',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: { offsets: [{ partition: { shard: ['0'] }, offset: { start_position: 'earliest' } }] } },
      ...ALTERED,
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors/rows/offsets')).body).toMatchObject({ offsets: [{ offset: null }] });
      },
    },
    {
      what: 'a source, from its latest',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: { offsets: [{ partition: { shard: ['0'] }, offset: { start_position: 'latest' } }] } },
      ...error(400, 'The start_position of a source can only be earliest: where else it can begin, only its checkpoints say'),
    },
    { what: 'null: where a new one would start', ...altering([{ partition: QUEUE, offset: null }]), ...ALTERED, ...thenAt(0) },
    {
      what: 'a new one, before it reads anything',
      given: aNewStoppedSink,
      path: PATH,
      ask: { body: { offsets: [{ partition: QUEUE, offset: { kafka_offset: 2 } }] } },
      ...ALTERED,
      then: async (api) => {
        await thenAt(2).then?.(api);
        expect((await api.ask('GET', '/connectors/orders/status')).body).toMatchObject({ connector: { state: 'STOPPED' } });
      },
    },
    {
      what: 'a source',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: { offsets: [{ partition: { shard: ['0'] }, offset: { checkpoint: { row: 1 } } }] } },
      ...ALTERED,
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors/rows/offsets')).body).toMatchObject({
          offsets: [{ offset: { checkpoint: { row: 1 } } }],
        });
      },
    },
    {
      what: 'a source, to its beginning',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: { offsets: [{ partition: { shard: ['0'] }, offset: null }] } },
      ...ALTERED,
    },
    {
      what: 'one that runs',
      given: aRunningSink,
      path: PATH,
      ask: { body: { offsets: [{ partition: QUEUE, offset: null }] } },
      ...NOT_STOPPED,
    },
    {
      what: 'one that is paused',
      given: aPausedSink,
      path: PATH,
      ask: { body: { offsets: [{ partition: QUEUE, offset: { kafka_offset: 0 } }] } },
      ...NOT_STOPPED,
    },
    {
      what: 'one that is stopped, and whose last invocation may still write',
      given: aStoppedSinkAtWork,
      path: PATH,
      ask: { body: { offsets: [{ partition: QUEUE, offset: { kafka_offset: 0 } }] } },
      ...STILL_WRITING,
    },
    {
      what: 'the same as before',
      given: async (api) => {
        await aStoppedSink(api);
        await api.ask('PATCH', PATH, { body: { offsets: [{ partition: QUEUE, offset: { kafka_offset: 1 } }] } });
      },
      path: PATH,
      ask: { body: { offsets: [{ partition: QUEUE, offset: { kafka_offset: 1 } }] } },
      ...ALTERED,
      ...thenAt(1),
    },
    {
      what: 'a partition twice: the last one counts',
      ...altering([
        { partition: QUEUE, offset: { kafka_offset: 2 } },
        { partition: STANDS, offset: { kafka_offset: 1 } },
      ]),
      ...ALTERED,
      ...thenAt(1),
    },
    {
      what: 'one right and one wrong: none is altered',
      ...altering([
        { partition: QUEUE, offset: { kafka_offset: 1 } },
        { partition: { ...QUEUE, kafka_partition: 7 }, offset: { kafka_offset: 1 } },
      ]),
      ...error(400, 'Connector orders reads no partition 7 of topic orders'),
      ...thenAt(3),
    },
    {
      what: 'beyond the end',
      ...altering([{ partition: QUEUE, offset: { kafka_offset: 4 } }]),
      ...error(400, 'Partition 0 of topic orders takes offsets from 0 to 3, not 4'),
      ...thenAt(3),
    },
    {
      what: 'what retention took',
      given: async (api) => {
        await aStoppedSink(api);
        api.log.truncateBefore({ topic: 'orders', brokerName: 'memory', queueId: 0 }, offset(2));
      },
      path: PATH,
      ask: { body: { offsets: [{ partition: QUEUE, offset: { kafka_offset: 1 } }] } },
      ...error(400, 'Partition 0 of topic orders takes offsets from 2 to 3, not 1'),
    },
    ...[null, []].map((offsets) => ({
      what: `offsets of ${JSON.stringify(offsets)}`,
      given: aStoppedSink,
      path: PATH,
      ask: { body: { offsets } },
      ...error(400, 'Partitions / offsets need to be provided for an alter offsets request'),
    })),
    {
      what: 'none, to an unknown one',
      path: '/connectors/nobody/offsets',
      ask: { body: {} },
      ...error(400, 'Partitions / offsets need to be provided for an alter offsets request'),
    },
    {
      what: 'offsets that are no list',
      given: aStoppedSink,
      path: PATH,
      ask: { body: { offsets: { partition: QUEUE } } },
      ...error(400, 'offsets: must be a list'),
    },
    {
      what: 'parts of other kinds, and fields that are none',
      ...altering([7, { partition: 'orders-0', offset: 3 }, { partition: QUEUE, offset: null, speed: 1 }]),
      ...error(
        400,
        [
          'offsets.0: must be an object',
          'offsets.1.partition: must be an object',
          'offsets.1.offset: must be an object',
          'Unrecognized field "speed"',
        ].join('\n'),
      ),
    },
    {
      what: 'an unknown one',
      path: '/connectors/nobody/offsets',
      ask: { body: { offsets: [{}] } },
      ...error(404, 'Connector nobody not found'),
    },
    { what: 'none', ...altering([]), ...error(400, 'Partitions / offsets need to be provided for an alter offsets request') },
    {
      what: 'no list of them',
      given: aStoppedSink,
      path: PATH,
      ask: { body: {} },
      ...error(400, 'Partitions / offsets need to be provided for an alter offsets request'),
    },
    {
      what: 'an unknown field',
      given: aStoppedSink,
      path: PATH,
      ask: { body: { offset: [] } },
      ...error(400, 'Unrecognized field "offset"'),
    },
    {
      what: 'no partition',
      ...altering([{ offset: null }]),
      ...error(400, 'The partition for a sink connector offset cannot be null or missing'),
    },
    {
      what: 'a partition that is null',
      ...altering([{ partition: null, offset: null }]),
      ...error(400, 'The partition for a sink connector offset cannot be null or missing'),
    },
    {
      what: 'half a partition',
      ...altering([{ partition: { kafka_topic: 'orders' }, offset: null }]),
      ...error(400, "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"),
    },
    {
      what: 'no name of a topic',
      ...altering([{ partition: { ...QUEUE, kafka_topic: null }, offset: null }]),
      ...error(400, 'Kafka topic names must be valid strings and may not be null'),
    },
    ...[7, '', ['orders']].map((topic) => ({
      what: `a topic of ${JSON.stringify(topic)}`,
      ...altering([{ partition: { ...QUEUE, kafka_topic: topic }, offset: null }]),
      ...error(400, 'Kafka topic names must be valid strings and may not be null'),
    })),
    {
      what: 'a broker that is no text',
      ...altering([{ partition: { ...QUEUE, broker_name: 7 }, offset: null }]),
      ...error(400, 'Broker names must be valid strings'),
    },
    {
      what: 'a broker that there is not',
      ...altering([{ partition: { ...QUEUE, broker_name: 'other' }, offset: null }]),
      ...error(400, 'Connector orders reads no partition 0 of topic orders on broker other'),
    },
    ...(
      [
        ['first', 'first'],
        ['', ''],
        [null, 'null'],
        [-1, '-1'],
        [1.5, '1.5'],
        [true, 'true'],
        [{}, '{...}'],
        ['2147483648', '2147483648'],
      ] as const
    ).map(([partition, shown]) => ({
      what: `a partition of ${JSON.stringify(partition)}`,
      ...altering([{ partition: { ...QUEUE, kafka_partition: partition }, offset: null }]),
      ...unparsable('partition', shown),
    })),
    {
      what: 'no offset',
      ...altering([{ partition: QUEUE, offset: { offset: 1 } }]),
      ...error(400, "The offset for a sink connector should either be null or contain the key 'kafka_offset'"),
    },
    {
      what: 'an offset that is no number',
      ...altering([{ partition: QUEUE, offset: { kafka_offset: 'end' } }]),
      ...unparsable('offset', 'end'),
    },
    {
      what: 'an empty offset',
      ...altering([{ partition: QUEUE, offset: {} }]),
      ...error(400, "The offset for a sink connector should either be null or contain the key 'kafka_offset'"),
    },
    ...(
      [
        [1.5, '1.5'],
        [-1, '-1'],
        [null, 'null'],
        [true, 'true'],
        ['', ''],
        [[1], '{...}'],
      ] as const
    ).map(([at, shown]) => ({
      what: `an offset of ${JSON.stringify(at)}`,
      ...altering([{ partition: QUEUE, offset: { kafka_offset: at } }]),
      ...unparsable('offset', shown),
    })),
    {
      what: 'more than 64 bits',
      ...altering([{ partition: QUEUE, offset: { kafka_offset: '9223372036854775808' } }]),
      ...unparsable('offset', '9223372036854775808'),
    },
    {
      what: 'a number that no double holds',
      given: aStoppedSink,
      path: PATH,
      ask: {
        body: '{"offsets":[{"partition":{"kafka_topic":"orders","kafka_partition":0},"offset":{"kafka_offset":9007199254740993}}]}',
      },
      ...error(400, 'Partition 0 of topic orders takes offsets from 0 to 3, not 9007199254740993'),
    },
    {
      what: 'a partition that it does not read',
      ...altering([{ partition: { ...QUEUE, kafka_partition: 7 }, offset: null }]),
      ...error(400, 'Connector orders reads no partition 7 of topic orders'),
    },
    {
      what: 'a topic that it does not read',
      ...altering([{ partition: { ...QUEUE, kafka_topic: 'others' }, offset: null }]),
      ...error(400, 'Connector orders reads no partition 0 of topic others'),
    },
    {
      what: 'a partition that two brokers have',
      given: async (api) => {
        await aStoppedSink(api);
        api.log.addQueues('orders', { queues: 1, brokerName: 'second' });
      },
      path: PATH,
      ask: { body: { offsets: [{ partition: QUEUE, offset: null }] } },
      ...error(400, 'Partition 0 of topic orders is on several brokers (memory, second): name one as broker_name'),
    },
    {
      what: 'a shard that a source has not found',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: { offsets: [{ partition: { shard: ['9'] }, offset: null }] } },
      ...error(400, 'Connector rows has found no shard ["9"]; it finds them when it runs'),
    },
    {
      what: 'a partition that is no shard',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: { offsets: [{ partition: { file: 'a' }, offset: null }] } },
      ...error(
        400,
        "The partition for a source connector offset must contain the key 'shard', with the names of a shard as a list",
      ),
    },
    ...[undefined, null, {}, { shard: [] }, { shard: '0' }, { shard: [0] }].map((partition) => ({
      what: `a partition of a source of ${JSON.stringify(partition)}`,
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: { offsets: [{ partition, offset: null }] } },
      ...error(
        400,
        "The partition for a source connector offset must contain the key 'shard', with the names of a shard as a list",
      ),
    })),
    {
      what: 'a source without a checkpoint',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: { offsets: [{ partition: { shard: ['0'] }, offset: { row: 1 } }] } },
      ...error(400, "The offset for a source connector should either be null or contain the key 'checkpoint'"),
    },
    {
      what: 'a checkpoint whose digits would be lost',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: '{"offsets":[{"partition":{"shard":["0"]},"offset":{"checkpoint":{"row":12345678901234567890}}}]}' },
      ...error(400, 'A checkpoint nests at most 100 deep, and holds numbers of more than 53 bits as text'),
    },
    {
      what: 'a checkpoint that is too large',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ask: { body: { offsets: [{ partition: { shard: ['0'] }, offset: { checkpoint: 'c'.repeat(16_384) } }] } },
      ...error(400, 'A checkpoint has at most 16384 characters, not 16386'),
    },
  ]),

  ...situationsOf('DELETE /connectors/{connector}/offsets', [
    { what: 'of a sink', given: aStoppedSink, path: PATH, ...RESET, ...thenAt(0) },
    {
      what: 'of a source',
      given: aStoppedSource,
      path: '/connectors/rows/offsets',
      ...RESET,
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors/rows/offsets')).body).toMatchObject({ offsets: [{ offset: null }] });
      },
    },
    { what: 'one that runs', given: aRunningSink, path: PATH, ...NOT_STOPPED },
    { what: 'one that is paused', given: aPausedSink, path: PATH, ...NOT_STOPPED },
    { what: 'one that has read nothing', given: aNewStoppedSink, path: PATH, ...RESET },
    {
      what: 'one that is stopped, and whose last invocation may still write',
      given: aStoppedSinkAtWork,
      path: PATH,
      ...STILL_WRITING,
    },
    {
      what: 'again',
      given: async (api) => {
        await aStoppedSink(api);
        await api.ask('DELETE', PATH);
      },
      path: PATH,
      ...RESET,
      ...thenAt(0),
    },
    {
      what: 'to its end, where new ones would start there',
      given: async (api) => {
        await aStoppedSink(api);
        await api.ask('PATCH', '/connectors/orders/config', { body: { 'consumer.override.auto.offset.reset': 'latest' } });
        // What was stored within the skew between clocks may have come after whoever asks.
        await api.host.clock.sleep(api.host.settings.skewMaxMs + 1);
      },
      path: PATH,
      ...RESET,
      ...thenAt(3),
    },
    { what: 'an unknown one', path: '/connectors/nobody/offsets', ...error(404, 'Connector nobody not found') },
  ]),
];
