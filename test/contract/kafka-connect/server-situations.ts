import { expect } from 'vitest';
import { RetryableError } from '../../../core/errors.ts';
import { type Situation, situationsOf, storeThat } from './situation.ts';

function unhealthy(trouble: string): Pick<Situation, 'status' | 'body'> {
  const message = `Worker was unable to handle this request and may be unable to handle other requests. ${trouble}`;
  return { status: 500, body: { status: 'unhealthy', message } };
}

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
    {
      what: 'says what a store that is away says',
      deps: storeThat(() => Promise.reject(new RetryableError('the store is away', { code: 'store.unavailable' }))),
      ...unhealthy('the store is away'),
    },
    {
      what: 'waits ten seconds for a store, and no longer',
      deps: storeThat(() => new Promise(() => undefined)),
      ...unhealthy('The store has not answered within 10000 ms.'),
    },
    {
      what: 'keeps what nobody expected to the log',
      deps: storeThat(() => Promise.reject(new Error('password=secret'))),
      ...unhealthy('The log of the server says more.'),
      then: async ({ host }) => {
        expect(host.telemetry.logs).toMatchObject([{ level: 'error', message: 'GET /health: password=secret' }]);
      },
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
