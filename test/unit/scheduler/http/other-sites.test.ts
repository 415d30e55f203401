import { describe, expect, test } from 'vitest';
import { anApi, type TestApi } from '../../../support/api.ts';

const RESTART = '/connectors/drop/restart';

describe('refuseOtherSites', () => {
  test.each([
    ['a form or script of another site', { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' }],
    ['the same from a browser that does not say what it is', { origin: 'https://elsewhere.example' }],
    ['a page of another port', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }],
    ['a page without an origin', { origin: 'null' }],
    ['an origin that is none', { origin: '::' }],
  ])('lets %s change nothing', async (_, headers) => {
    const api = await aDrop();

    const answers = [
      await api.ask('POST', RESTART, { headers }),
      await api.ask('PUT', '/connectors/drop/stop', { headers }),
      await api.ask('DELETE', '/connectors/drop', { headers }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(await api.connector('drop')).toMatchObject({ targetState: 'running', revision: 1 });
  });

  test.each([
    ['what is no browser', {}],
    ['a page of its own', { origin: 'http://localhost', 'sec-fetch-site': 'same-origin' }],
    ['its user', { 'sec-fetch-site': 'none' }],
    ['a page of its own behind a proxy that speaks TLS', { origin: 'https://localhost' }],
  ])('takes requests of %s', async (_, headers) => {
    const api = await aDrop();

    const { status } = await api.ask('POST', RESTART, { headers });

    expect(status).toBe(204);
  });

  test('answers whoever reads, and allows no page of another site to see it', async () => {
    const api = await aDrop();

    const { status, headers } = await api.ask('GET', '/connectors', { headers: { origin: 'https://elsewhere.example' } });

    expect(status).toBe(200);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('demandLoopbackName', () => {
  test.each(['rebound.example', 'localhost.example', '127.0.0.1.example', '10.0.0.1', '[::2]'])(
    'answers nobody who calls it %s: a page of that name would be its own',
    async (host) => {
      const { app } = anApi();

      const response = await app.request(`http://${host}:8083/connectors`);

      expect(response.status).toBe(403);
    },
  );

  test.each(['localhost', 'sortie.localhost', '127.0.0.1', '127.1.2.3', '[::1]'])('answers as %s', async (host) => {
    const { app } = anApi();

    const response = await app.request(`http://${host}:8083/connectors`);

    expect(response.status).toBe(200);
  });
});

async function aDrop(): Promise<TestApi> {
  const api = anApi();
  await api.ask('PUT', '/connectors/drop/config', { body: { 'connector.class': 'discard-sink', topics: 'orders' } });
  return api;
}
