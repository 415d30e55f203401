import { anOrdersSink, error, type Situation, situationsOf } from '../kafka-connect/situation.ts';

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
];
