import { expect } from 'vitest';
import {
  aFreshSource,
  anOrdersSink,
  aRunningSink,
  aStoppedSink,
  aStoppedSource,
  error,
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
      given: async ({ ask, log }) => {
        log.createTopic('orders', { queues: 1 });
        await log.send(
          { topic: 'orders', brokerName: 'memory', queueId: 0 },
          [1, 2].map(() => ({ key: null, value: null, tag: null, headers: [], bornAtMs: 0 })),
        );
        const config = { 'connector.class': 'memory-append', topics: 'orders' };
        await ask('POST', '/connectors', { body: { name: 'orders', config, initial_state: 'STOPPED' } });
      },
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
    {
      what: 'no number of a partition',
      ...altering([{ partition: { ...QUEUE, kafka_partition: 'first' }, offset: null }]),
      ...unparsable('partition', 'first'),
    },
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
    { what: 'a fraction', ...altering([{ partition: QUEUE, offset: { kafka_offset: 1.5 } }]), ...unparsable('offset', '1.5') },
    { what: 'below zero', ...altering([{ partition: QUEUE, offset: { kafka_offset: -1 } }]), ...unparsable('offset', '-1') },
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
    { what: 'an unknown one', path: '/connectors/nobody/offsets', ...error(404, 'Connector nobody not found') },
  ]),
];
