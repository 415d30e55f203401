import { queueShardId } from '../../../core/shard-id.ts';
import { UNREADABLE } from '../kafka-connect/answers.ts';
import {
  aFailedSink,
  aFreshSource,
  anOrdersSink,
  anUnreadableSink,
  aRunningSink,
  aSinkBeingDeleted,
  aSpoiledSink,
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

const CODE = 'record.conversion_failed';
const SPOILED = 'speed: is not a key of memory-append, which has none';
/** When everything begins. */
const NOW_MS = Date.UTC(2026, 0, 1);

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
      what: 'a sink whose configuration is not valid any more',
      given: aSpoiledSink,
      status: 200,
      body: [{ connector: 'orders', type: 'unknown', state: 'FAILED', shards: 1, backlogRecords: null, held: 0, positions: '0' }],
    },
    {
      what: 'one whose document cannot be read',
      given: anUnreadableSink,
      status: 200,
      body: [
        { connector: 'orders', type: 'unknown', state: 'FAILED', shards: 0, backlogRecords: null, held: 0, positions: null },
      ],
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
    {
      what: 'of a sink that has failed, with what waits for another attempt',
      given: aFailedSink,
      path: '/sortie/v1/connectors/orders/shards',
      status: 200,
      body: {
        ...{ connector: 'orders', uid: UID, backlogRecords: 1 },
        shards: [
          {
            ...{ kind: 'queue', shard: SHARD, ...NOTHING, ...{ state: 'failed', code: CODE, restartAtMs: NOW_MS + 60_000 } },
            ...{ ...QUEUE, position: '0', next: '1', min: '0', max: '1', backlogRecords: 1 },
            waiting: [{ start: '0', end: '1', attempts: 1, deaths: 0, retryAtMs: NOW_MS, code: CODE }],
          },
        ],
      },
    },
    {
      what: 'of one whose configuration is not valid any more: nothing of it is read',
      given: aSpoiledSink,
      path: '/sortie/v1/connectors/orders/shards',
      status: 200,
      body: {
        ...{ connector: 'orders', uid: UID, backlogRecords: null },
        shards: [
          {
            ...{ kind: 'queue', shard: SHARD, state: 'active', ...NOTHING, isRead: false },
            ...{ ...QUEUE, position: '0', next: '0', min: '0', max: '0', backlogRecords: 0, waiting: [] },
          },
        ],
      },
    },
    {
      what: 'of one whose document cannot be read',
      given: anUnreadableSink,
      path: '/sortie/v1/connectors/orders/shards',
      ...error(500, UNREADABLE.connector.trace),
    },
    {
      what: 'of a sink whose topic is not there',
      given: ({ ask }) => ask('PUT', '/connectors/orders/config', { body: ORDERS }),
      path: '/sortie/v1/connectors/orders/shards',
      status: 200,
      body: { connector: 'orders', uid: UID, backlogRecords: null, shards: [] },
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
    ...(
      [
        ['of one that runs', aRunningSink, 'RUNNING', 'drained', 'There is nothing to move.'],
        ['of one that is being deleted', aSinkBeingDeleted, 'RUNNING', 'deleted', 'The connector is being deleted.'],
        ['of one that has failed', aFailedSink, 'RUNNING', 'restart-later', 'It has failed, and restarts by itself later.'],
      ] as const
    ).map(([what, given, state, reason, means]) => ({
      what,
      given,
      path: '/sortie/v1/connectors/orders/why',
      status: 200,
      body: {
        ...{ connector: 'orders', state, problem: null, leads: false, leader: null, missingTopics: [] },
        shards: [{ shard: SHARD, reason, means, withheld: null, problem: null, offers: null }],
      },
    })),
    {
      what: 'of one whose configuration is not valid any more',
      given: aSpoiledSink,
      path: '/sortie/v1/connectors/orders/why',
      status: 200,
      body: {
        ...{ connector: 'orders', state: 'FAILED', problem: SPOILED, leads: false, leader: null, missingTopics: [] },
        shards: [
          { shard: SHARD, reason: null, means: 'It cannot be planned for.', withheld: null, problem: SPOILED, offers: null },
        ],
      },
    },
    {
      what: 'of one whose document cannot be read',
      given: anUnreadableSink,
      path: '/sortie/v1/connectors/orders/why',
      ...error(500, UNREADABLE.connector.trace),
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
