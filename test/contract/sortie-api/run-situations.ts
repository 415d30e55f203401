import type { RunRecord } from '../../../core/offer.ts';
import { queueShardId } from '../../../core/shard-id.ts';
import { UNREADABLE } from '../kafka-connect/answers.ts';
import {
  aFailedSink,
  anOrdersSink,
  anUnreadableSink,
  aRunningSink,
  aSinkBeingDeleted,
  aSpoiledSink,
  aStoppedSink,
  error,
  ORDERS,
  type Situation,
  situationsOf,
} from '../kafka-connect/situation.ts';

const SHARD = queueShardId('id-1', { topic: 'orders', brokerName: 'memory', queueId: 0 });
const PATH = '/sortie/v1/connectors/orders/runs';

const RUN = {
  ...{ offerId: 'offer', owner: 'owner', connector: 'orders', shard: SHARD },
  ...{ startedAtMs: 1, endedAtMs: 2, outcome: 'drained', counts: { read: 3 } },
} as unknown as RunRecord;

export const runSituations: readonly Situation[] = [
  ...situationsOf('GET /sortie/v1/connectors/{connector}/runs', [
    { what: 'of one without any', given: anOrdersSink, path: PATH, status: 200, body: { runs: [], next: null } },
    {
      what: 'that have just ended',
      deps: { history: { unwritten: () => [RUN] } },
      given: anOrdersSink,
      path: `${PATH}?limit=1`,
      status: 200,
      body: { runs: [RUN], next: null },
    },
    ...['1001', '0', '-1', '1e2', '1.5', ''].map((limit) => ({
      what: `a limit of "${limit}"`,
      given: anOrdersSink,
      path: `${PATH}?limit=${limit}`,
      ...error(400, 'limit: must be a whole number from 1 to 1000'),
    })),
    ...['somewhere', '~~', '', '10000~page~', '0~page~~'].map((from) => ({
      what: `from a place that no answer named: "${from}"`,
      given: anOrdersSink,
      path: `${PATH}?from=${from}`,
      ...error(400, 'from: must be what an answer before had as next'),
    })),
    { what: 'of an unknown one', path: PATH, ...error(404, 'Connector orders not found') },
  ]),

  ...situationsOf('POST /sortie/v1/connectors/{connector}/runs', [
    {
      what: 'of a sink that nobody looked at yet',
      given: anOrdersSink,
      path: `${PATH}?upTo=now`,
      status: 202,
      body: {
        ...{ connector: 'orders', state: 'drained', goals: { [SHARD]: '0' } },
        shards: [{ shard: SHARD, state: 'done', position: '0', goal: '0' }],
      },
    },
    {
      what: 'of a source that nobody looked at yet, waiting',
      given: async ({ ask }) => ask('PUT', '/connectors/rows/config', { body: { 'connector.class': 'memory-source' } }),
      path: '/sortie/v1/connectors/rows/runs?wait=drained&timeoutMs=500',
      status: 202,
      body: {
        ...{ connector: 'rows', state: 'moving', goals: { 'id-1/discovery': '0' } },
        shards: [{ shard: 'id-1/discovery', state: 'moving', position: null, goal: '0' }],
      },
    },
    {
      what: 'of one that is stopped',
      given: aStoppedSink,
      path: PATH,
      ...error(409, 'Connector orders is stopped; resume it first'),
    },
    {
      what: 'of a sink that has moved all there is, waiting',
      given: aRunningSink,
      path: `${PATH}?wait=drained`,
      status: 200,
      body: {
        ...{ connector: 'orders', state: 'drained', goals: {} },
        shards: [{ shard: SHARD, state: 'done', position: '0', goal: '0' }],
      },
    },
    {
      what: 'of a sink that is behind, waiting in vain',
      given: aFailedSink,
      path: `${PATH}?wait=drained&upTo=now&timeoutMs=500`,
      status: 202,
      body: {
        ...{ connector: 'orders', state: 'moving', goals: { [SHARD]: '1' } },
        shards: [{ shard: SHARD, state: 'moving', position: '0', goal: '1' }],
      },
    },
    {
      what: 'of a sink whose topic is not there',
      given: ({ ask }) => ask('PUT', '/connectors/orders/config', { body: ORDERS }),
      path: `${PATH}?wait=drained`,
      status: 200,
      body: { connector: 'orders', state: 'drained', goals: {}, shards: [] },
    },
    {
      what: 'of one that is paused',
      given: async (api) => {
        await anOrdersSink(api);
        await api.ask('PUT', '/connectors/orders/pause');
      },
      path: PATH,
      ...error(409, 'Connector orders is paused; resume it first'),
    },
    {
      what: 'of one whose configuration is not valid any more',
      given: aSpoiledSink,
      path: PATH,
      ...error(409, 'The configuration of connector orders cannot be used: speed: is not a key of memory-append, which has none'),
    },
    {
      what: 'of one that is being deleted',
      given: aSinkBeingDeleted,
      path: PATH,
      ...error(404, 'Connector orders not found'),
    },
    {
      what: 'of one whose document cannot be read',
      given: anUnreadableSink,
      path: PATH,
      ...error(500, UNREADABLE.connector.trace),
    },
    {
      what: 'up to what there is not',
      given: anOrdersSink,
      path: `${PATH}?upTo=then`,
      ...error(400, 'upTo: must be now'),
    },
    ...['60001', '-1', 'soon', ''].map((timeoutMs) => ({
      what: `for "${timeoutMs}"`,
      given: anOrdersSink,
      path: `${PATH}?wait=drained&timeoutMs=${timeoutMs}`,
      ...error(400, 'timeoutMs: must be a whole number from 0 to 60000'),
    })),
    ...[null, [], 'all'].map((goals) => ({
      what: `with goals of ${JSON.stringify(goals)}`,
      given: anOrdersSink,
      path: PATH,
      ask: { body: { goals } },
      ...error(400, 'goals: must be an object'),
    })),
    ...['-1', '1.5', '', '9'.repeat(20)].map((goal) => ({
      what: `with a goal of "${goal}"`,
      given: anOrdersSink,
      path: PATH,
      ask: { body: { goals: { [SHARD]: goal } } },
      ...error(400, `goals.${SHARD}: must be a whole number of at most 19 digits, as a text`),
    })),
    {
      what: 'waiting for what there is not',
      given: anOrdersSink,
      path: `${PATH}?wait=forever`,
      ...error(400, 'wait: must be drained'),
    },
    {
      what: 'with goals that are none',
      given: anOrdersSink,
      path: PATH,
      ask: { body: { goals: { [SHARD]: 3 } } },
      ...error(400, `goals.${SHARD}: must be a text`),
    },
    { what: 'of an unknown one', path: PATH, ...error(404, 'Connector orders not found') },
  ]),
];
