import { type Situation, situationsOf } from './situation.ts';

export const serverSituations: readonly Situation[] = [
  ...situationsOf('GET /', [
    { what: 'says what it is', status: 200, body: { version: '4.1.0', commit: 'abc', kafka_cluster_id: 'sortie' } },
  ]),
  ...situationsOf('GET /health', [
    {
      what: 'says that it is well',
      status: 200,
      body: { status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' },
    },
  ]),
];
