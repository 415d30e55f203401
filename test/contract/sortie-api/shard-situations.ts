import { queueShardId } from '../../../core/shard-id.ts';
import {
  aFailedSink,
  aFreshSource,
  anOrdersSink,
  aStoppedSink,
  aStoppedSource,
  error,
  ORDERS,
  type Situation,
  situationsOf,
} from '../kafka-connect/situation.ts';

const UID = 'id-1';
const QUEUE = { topic: 'orders', brokerName: 'memory', queueId: 0 };
const SHARD = queueShardId(UID, QUEUE);
const NOTHING = { isRead: true, code: null, restartAtMs: null, generation: 1, held: [] };
const DISCOVERY = { kind: 'discovery', shard: `${UID}/discovery`, state: 'active', ...NOTHING };

const NOBODY = { path: '/sortie/v1/connectors/nobody', ...error(404, 'Connector nobody not found') };

export const shardSituations: readonly Situation[] = [
  ...situationsOf('GET /sortie/v1/connectors', [
    { what: 'of none', status: 200, body: [] },
    {
      what: 'a sink that nobody looked at yet',
      given: anOrdersSink,
      status: 200,
      body: [{ connector: 'orders', type: 'sink', state: 'UNASSIGNED', shards: 1, backlogRecords: 0, held: 0, positions: '0' }],
    },
    {
      what: 'a sink that is behind',
      given: aFailedSink,
      status: 200,
      body: [{ connector: 'orders', type: 'sink', state: 'RUNNING', shards: 1, backlogRecords: 1, held: 0, positions: '0' }],
    },
    {
      what: 'a sink that has moved all there is',
      given: aStoppedSink,
      status: 200,
      body: [{ connector: 'orders', type: 'sink', state: 'STOPPED', shards: 1, backlogRecords: 0, held: 0, positions: '3' }],
    },
    {
      what: 'a source',
      given: aStoppedSource,
      status: 200,
      body: [{ connector: 'rows', type: 'source', state: 'STOPPED', shards: 2, backlogRecords: null, held: 0, positions: null }],
    },
  ]),

  ...situationsOf('GET /sortie/v1/connectors/{connector}/shards', [
    {
      what: 'of a sink that nobody looked at yet',
      given: anOrdersSink,
      path: '/sortie/v1/connectors/orders/shards',
      status: 200,
      body: {
        ...{ connector: 'orders', uid: UID, backlogRecords: 0 },
        shards: [
          {
            ...{ kind: 'queue', shard: SHARD, state: 'new', ...NOTHING, generation: null },
            ...{ ...QUEUE, position: '0', next: null, min: '0', max: '0', backlogRecords: 0, waiting: [] },
          },
        ],
      },
    },
    {
      what: 'of a sink that has moved all there is',
      given: aStoppedSink,
      path: '/sortie/v1/connectors/orders/shards',
      status: 200,
      body: {
        ...{ connector: 'orders', uid: UID, backlogRecords: 0 },
        shards: [
          {
            ...{ kind: 'queue', shard: SHARD, state: 'active', ...NOTHING },
            ...{ ...QUEUE, position: '3', next: '3', min: '0', max: '3', backlogRecords: 0, waiting: [] },
          },
        ],
      },
    },
    {
      what: 'of a source that has found its shard',
      given: aFreshSource,
      path: '/sortie/v1/connectors/rows/shards',
      status: 200,
      body: {
        ...{ connector: 'rows', uid: UID, backlogRecords: null },
        shards: [
          DISCOVERY,
          { kind: 'source', shard: `${UID}/source/0`, state: 'active', ...NOTHING, names: ['0'], checkpoint: null },
        ],
      },
    },
    {
      what: 'of a source that has read its rows',
      given: aStoppedSource,
      path: '/sortie/v1/connectors/rows/shards',
      status: 200,
      body: {
        ...{ connector: 'rows', uid: UID, backlogRecords: null },
        shards: [
          DISCOVERY,
          { kind: 'source', shard: `${UID}/source/0`, state: 'active', ...NOTHING, names: ['0'], checkpoint: { row: 3 } },
        ],
      },
    },
    { what: 'an unknown one', ...NOBODY, path: `${NOBODY.path}/shards` },
  ]),

  ...situationsOf('GET /sortie/v1/connectors/{connector}/why', [
    {
      what: 'of a sink, by a scheduler that does not lead',
      given: anOrdersSink,
      path: '/sortie/v1/connectors/orders/why',
      status: 200,
      body: {
        ...{ connector: 'orders', state: 'UNASSIGNED', problem: null, leads: false, leader: null, missingTopics: [] },
        shards: [
          { shard: SHARD, reason: 'new', means: 'Its first invocation is due.', withheld: null, problem: null, offers: null },
        ],
      },
    },
    {
      what: 'of one that is stopped',
      given: aStoppedSink,
      path: '/sortie/v1/connectors/orders/why',
      status: 200,
      body: {
        ...{ connector: 'orders', state: 'STOPPED', problem: null, leads: false, leader: null, missingTopics: [] },
        shards: [
          {
            ...{ shard: SHARD, reason: 'stopped', means: 'The connector is stopped; resume it.' },
            ...{ withheld: null, problem: null, offers: null },
          },
        ],
      },
    },
    {
      what: 'of a sink of whose topics one is not there',
      given: async ({ ask, log }) => {
        log.createTopic('orders', { queues: 1 });
        await ask('PUT', '/connectors/orders/config', { body: { ...ORDERS, topics: 'orders,ordres' } });
      },
      path: '/sortie/v1/connectors/orders/why',
      status: 200,
      body: {
        ...{ connector: 'orders', state: 'UNASSIGNED', problem: null, leads: false, leader: null },
        missingTopics: [
          {
            topic: 'ordres',
            means:
              'There is no such topic, and it is read once there is: send it a first record, or correct topics in the configuration.',
          },
        ],
        shards: [
          { shard: SHARD, reason: 'new', means: 'Its first invocation is due.', withheld: null, problem: null, offers: null },
        ],
      },
    },
    { what: 'an unknown one', ...NOBODY, path: `${NOBODY.path}/why` },
  ]),
];
