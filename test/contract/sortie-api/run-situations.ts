import { queueShardId } from '../../../core/shard-id.ts';
import { anOrdersSink, aStoppedSink, error, type Situation, situationsOf } from '../kafka-connect/situation.ts';

const SHARD = queueShardId('id-1', { topic: 'orders', brokerName: 'memory', queueId: 0 });
const PATH = '/sortie/v1/connectors/orders/runs';

export const runSituations: readonly Situation[] = [
  ...situationsOf('GET /sortie/v1/connectors/{connector}/runs', [
    { what: 'of one without any', given: anOrdersSink, path: PATH, status: 200, body: { runs: [], next: null } },
    {
      what: 'too many at once',
      given: anOrdersSink,
      path: `${PATH}?limit=1001`,
      ...error(400, 'limit: must be a whole number from 1 to 1000'),
    },
    {
      what: 'from a place that no answer named',
      given: anOrdersSink,
      path: `${PATH}?from=somewhere`,
      ...error(400, 'from: must be what an answer before had as next'),
    },
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
