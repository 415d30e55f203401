import { expect } from 'vitest';
import { offset } from '../../../core/offset.ts';
import type { TestApi } from '../../support/api.ts';
import { anOutgoingRecord, bytesOf } from '../../support/log-records.ts';
import { error, type Situation, situationsOf } from '../kafka-connect/situation.ts';

const PATH = '/sortie/v1/topics/orders/records';
const STARTED_AT_MS = Date.UTC(2026, 0, 1);
const QUEUE = { brokerName: 'memory', queueId: 0 };
const ORDERS = { topic: 'orders', ...QUEUE };

async function anOrdersTopic({ log }: TestApi): Promise<void> {
  log.createTopic('orders', { queues: 1 });
}

async function aTopicOfTwo({ log }: TestApi): Promise<void> {
  log.createTopic('orders', { queues: 2 });
}

/** Of three records. */
async function aFilledTopic(api: TestApi): Promise<void> {
  await anOrdersTopic(api);
  await api.log.send(ORDERS, [
    anOutgoingRecord({ key: bytesOf('a'), value: bytesOf('{"id":12345678901234567890,"price":1.10}') }),
    anOutgoingRecord({ key: null, value: null, tag: 'gone', headers: [['by', 'shop']] }),
    anOutgoingRecord({ key: null, value: new Uint8Array([0xff, 0x00]) }),
  ]);
}

const times = { bornAtMs: expect.any(Number), storedAtMs: STARTED_AT_MS };
const LAST = { offset: '2', key: null, valueBase64: '/wA=', tag: null, headers: [], bytes: 2, ...times };
const GONE = { offset: '1', key: null, value: null, tag: 'gone', headers: [['by', 'shop']], bytes: 0, ...times };

/** What is there afterwards. */
function holds(...values: readonly (string | null)[]): NonNullable<Situation['then']> {
  return async ({ log }) => {
    const { records } = await log.read(ORDERS, offset(0), { records: 100, bytes: 1_000_000, waitMs: 0 });
    expect(records.map(({ value }) => (value === null ? null : new TextDecoder().decode(value)))).toEqual(values);
  };
}

export const recordSituations: readonly Situation[] = [
  ...situationsOf('GET /sortie/v1/topics', [
    { what: 'of none', status: 200, body: [] },
    { what: 'of one', given: anOrdersTopic, status: 200, body: ['orders'] },
  ]),

  ...situationsOf('GET /sortie/v1/topics/{topic}', [
    {
      what: 'with records',
      given: aFilledTopic,
      path: '/sortie/v1/topics/orders',
      status: 200,
      body: { topic: 'orders', queues: [{ ...QUEUE, min: '0', max: '3' }], groups: [] },
    },
    {
      what: 'that consumer groups read',
      given: async (api) => {
        await aFilledTopic(api);
        await api.log.noteGroup('readers', [{ queue: ORDERS, offset: offset(1) }]);
      },
      path: '/sortie/v1/topics/orders',
      status: 200,
      body: {
        topic: 'orders',
        queues: [{ ...QUEUE, min: '0', max: '3' }],
        groups: [{ group: 'readers', ...QUEUE, offset: '1', backlogRecords: 2 }],
      },
    },
    {
      what: 'with a name that has to be encoded',
      given: async ({ log }) => log.createTopic('a/%é', { queues: 1 }),
      path: '/sortie/v1/topics/a%2F%25%C3%A9',
      status: 200,
      body: { topic: 'a/%é', queues: [{ ...QUEUE, min: '0', max: '0' }], groups: [] },
    },
    { what: 'an unknown one', path: '/sortie/v1/topics/orders', ...error(404, 'Topic orders not found') },
  ]),

  ...situationsOf('POST /sortie/v1/topics/{topic}/records', [
    {
      what: 'one record',
      given: anOrdersTopic,
      path: PATH,
      ask: { body: { key: 'a', value: { id: 1 }, headers: { by: 'shop' } } },
      status: 202,
      body: { accepted: 1, refused: [], queues: [{ ...QUEUE, endOffset: '1' }] },
      then: holds('{"id":1}'),
    },
    {
      what: 'several, of every kind',
      given: anOrdersTopic,
      path: PATH,
      ask: {
        body: `[{"value":"text"}, {"value":null}, {}, {"value":[1.0, 12345678901234567890, 1e400]}, {"value":true}, {"value":7.50},
          {"valueBase64":"YWI="}, {"value":"", "headers":[["a","1"],["a","2"]], "tag":"t", "queueId":0, "brokerName":"memory"}]`,
      },
      status: 202,
      body: { accepted: 8, refused: [], queues: [{ ...QUEUE, endOffset: '8' }] },
      then: holds('text', null, null, '[1.0,12345678901234567890,1e400]', 'true', '7.50', 'ab', ''),
    },
    {
      what: 'to a topic that it creates',
      path: `${PATH}?create=true`,
      ask: { body: { key: 'a', value: 'text' } },
      status: 202,
      body: { accepted: 1, refused: [], queues: [{ brokerName: 'memory', queueId: 4, endOffset: '1' }] },
      then: async ({ log }) => expect(await log.queues('orders')).toHaveLength(8),
    },
    {
      what: 'to a topic that no log could hold',
      path: '/sortie/v1/topics/a%2Fb/records?create=true',
      ask: { body: { value: 'text' } },
      ...error(400, 'A new topic has a name of letters, digits, _, . and -, at most 127 of them, not a/b'),
    },
    {
      what: 'to a topic that it would create, with something wrong',
      path: `${PATH}?create=true`,
      ask: { body: [{ valueBase64: '%' }, { value: 'a', queueId: 8 }] },
      ...error(400, '0: the text is not base64\n1: topic orders has no such queue, or several brokers have one'),
      then: async ({ log }) => expect(await log.queues('orders')).toEqual([]),
    },
    { what: 'to an unknown one', path: PATH, ask: { body: { value: 'text' } }, ...error(404, 'Topic orders not found') },
    {
      what: 'with everything wrong, of which none is sent',
      given: anOrdersTopic,
      path: PATH,
      ask: {
        body: [
          { value: 'right' },
          { value: '\ud800' },
          { valueBase64: 'YWI' },
          { queueId: 4 },
          { brokerName: 'other' },
          { headers: { '\udc00': '' } },
          { key: 'a', keyBase64: 'YQ==' },
        ],
      },
      ...error(
        400,
        [
          '1: the text has half a surrogate pair, which UTF-8 cannot say',
          '2: the text is not base64',
          '3: topic orders has no such queue, or several brokers have one',
          '4: topic orders has no such queue, or several brokers have one',
          '5: the text has half a surrogate pair, which UTF-8 cannot say',
          '6: a content is given twice, as it is and in base64',
        ].join('\n'),
      ),
      then: holds(),
    },
    {
      what: 'of no such form',
      given: anOrdersTopic,
      path: PATH,
      ask: { body: [{ value: 'a' }, { values: 'b', headers: { n: 1 } }, { queueId: '0' }] },
      ...error(400, ['1.headers.n: must be a text', 'Unrecognized field "values"', '2.queueId: must be a number'].join('\n')),
    },
    ...(
      [
        [{ tag: 7 }, 'tag: must be a text'],
        [{ queueId: -1 }, 'queueId: must be at least 0'],
        [{ queueId: 1.5 }, 'queueId: must be a whole number'],
        [{ queueId: null }, 'queueId: must be a number'],
        [{ headers: 'by' }, 'headers: must be an object or a list'],
        [{ headers: [['by']] }, 'headers.0: must have at least 2 items'],
        [[[]], '0: must be an object'],
      ] as const
    ).map(([body, message]) => ({
      what: `a body of ${JSON.stringify(body)}`,
      given: anOrdersTopic,
      path: PATH,
      ask: { body },
      ...error(400, message),
      then: holds(),
    })),
    ...['false', 'bogus', ''].map((create) => ({
      what: `to a topic that it creates, or not: create=${create}`,
      path: `${PATH}?create=${create}`,
      ask: { body: { value: 'text' } },
      ...error(404, 'Topic orders not found'),
    })),
    {
      what: 'none',
      given: anOrdersTopic,
      path: PATH,
      ask: { body: [] },
      ...error(400, 'body: must have at least 1 item'),
    },
    {
      what: 'too many',
      given: anOrdersTopic,
      path: PATH,
      ask: { body: Array.from({ length: 1_001 }, () => ({})) },
      ...error(400, 'body: must have at most 1000 items'),
    },
    {
      what: 'nested too deep',
      given: anOrdersTopic,
      path: PATH,
      ask: { body: `{"value":${'['.repeat(128)}${']'.repeat(128)}}` },
      ...error(400, 'The body of the request nests more than 128 deep'),
    },
    {
      what: 'a key that would be lost on the way',
      given: anOrdersTopic,
      path: PATH,
      ask: { body: '{"value":1,"headers":{"__proto__":"a"}}' },
      ...error(400, 'There must be no key __proto__'),
    },
  ]),

  ...situationsOf('GET /sortie/v1/topics/{topic}/records', [
    {
      what: 'of a topic',
      given: aFilledTopic,
      path: `${PATH}?limit=2`,
      status: 200,
      body: { ...ORDERS, min: '0', max: '3', next: '3', records: [GONE, LAST] },
    },
    {
      what: 'from an offset on',
      given: aFilledTopic,
      path: `${PATH}?from=1&limit=1`,
      status: 200,
      body: { ...ORDERS, min: '0', max: '3', next: '2', records: [GONE] },
    },
    {
      what: 'from the end on',
      given: aFilledTopic,
      path: `${PATH}?from=3`,
      status: 200,
      body: { ...ORDERS, min: '0', max: '3', next: '3', records: [] },
    },
    {
      what: 'below what retention left',
      given: async (api) => {
        await aFilledTopic(api);
        api.log.truncateBefore(ORDERS, offset(2));
      },
      path: `${PATH}?from=0`,
      status: 200,
      body: { ...ORDERS, min: '2', max: '3', next: '3', records: [LAST] },
    },
    {
      what: 'of a topic of several queues, none of which is named',
      given: aTopicOfTwo,
      path: PATH,
      ...error(400, 'queue: must name one of the queues of topic orders: 0 on memory, 1 on memory'),
    },
    {
      what: 'of one of several queues',
      given: aTopicOfTwo,
      path: `${PATH}?queue=1`,
      status: 200,
      body: { ...ORDERS, queueId: 1, min: '0', max: '0', next: '0', records: [] },
    },
    {
      what: 'of a queue that is not there',
      given: anOrdersTopic,
      path: `${PATH}?queue=3`,
      ...error(400, 'queue: must name one of the queues of topic orders: 0 on memory'),
    },
    ...['9223372036854775808', '-1', '1.5', 'EARLIEST', ''].map((from) => ({
      what: `from "${from}"`,
      given: anOrdersTopic,
      path: `${PATH}?from=${from}`,
      ...error(400, 'from: must be an offset, earliest or latest'),
    })),
    ...['0', '501', '-1', 'all', ''].map((limit) => ({
      what: `a limit of "${limit}"`,
      given: anOrdersTopic,
      path: `${PATH}?limit=${limit}`,
      ...error(400, 'limit: must be a whole number from 1 to 500'),
    })),
    ...['-1', 'first', ''].map((queue) => ({
      what: `of a queue "${queue}"`,
      given: anOrdersTopic,
      path: `${PATH}?queue=${queue}`,
      ...error(400, 'queue: must be a whole number from 0 to 1000000'),
    })),
    {
      what: 'of a broker that is not there',
      given: anOrdersTopic,
      path: `${PATH}?broker=other`,
      ...error(400, 'queue: must name one of the queues of topic orders: 0 on memory'),
    },
    {
      what: 'from beyond the end on',
      given: aFilledTopic,
      path: `${PATH}?from=9`,
      status: 200,
      body: { ...ORDERS, min: '0', max: '3', next: '9', records: [] },
    },
    {
      what: 'of the earliest',
      given: aFilledTopic,
      path: `${PATH}?from=earliest&limit=1`,
      status: 200,
      body: expect.objectContaining({ next: '1', records: [expect.objectContaining({ offset: '0', key: 'a' })] }),
    },
    { what: 'of an unknown one', path: PATH, ...error(404, 'Topic orders not found') },
  ]),
];
