import { expect } from 'vitest';
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
  ...situationsOf('GET /metrics', [
    {
      what: 'as Prometheus wants them',
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: 'up 1\n',
    },
  ]),
  ...situationsOf('GET /openapi.json', [
    {
      what: 'every route, itself among them',
      status: 200,
      body: expect.objectContaining({
        openapi: '3.1.0',
        info: { title: 'Sortie', version: '4.1.0' },
        paths: expect.objectContaining({ '/openapi.json': { get: expect.any(Object) }, '/metrics': { get: expect.any(Object) } }),
      }),
    },
  ]),
];
