import { expect } from 'vitest';
import { connectorKey, encodeConnector } from '../../../core/connector.ts';
import type { TestApi } from '../../support/api.ts';
import { anOrdersSink, error, ORDERS, type Situation, situationsOf } from './situation.ts';

const PATH = '/connectors/orders/topics';

/** A scheduler has heard of its records. */
async function anActiveSink(api: TestApi): Promise<void> {
  await anOrdersSink(api);
  const { version = '' } = (await api.host.store.get(connectorKey('orders'))) ?? {};
  const connector = { ...(await api.connector('orders')), activeTopics: ['orders'] };
  await api.host.store.put(connectorKey('orders'), encodeConnector(connector), { ifVersion: version });
}

export const topicSituations: readonly Situation[] = [
  ...situationsOf('GET /connectors/{connector}/topics', [
    {
      what: 'of one that has moved records',
      given: anActiveSink,
      path: PATH,
      status: 200,
      body: { orders: { topics: ['orders'] } },
    },
    { what: 'of one that has moved none', given: anOrdersSink, path: PATH, status: 200, body: { orders: { topics: [] } } },
    {
      what: 'of one that is stopped',
      given: async (api) => {
        await anActiveSink(api);
        await api.ask('PUT', '/connectors/orders/stop');
      },
      path: PATH,
      status: 200,
      body: { orders: { topics: ['orders'] } },
    },
    {
      what: 'of one that was deleted and created again',
      given: async (api) => {
        await anActiveSink(api);
        await api.ask('DELETE', '/connectors/orders');
        await api.ask('PUT', '/connectors/orders/config', { body: ORDERS });
      },
      path: PATH,
      status: 200,
      body: { orders: { topics: [] } },
    },
    { what: 'an unknown one', path: '/connectors/nobody/topics', ...error(404, 'Connector nobody not found') },
  ]),

  ...situationsOf('PUT /connectors/{connector}/topics/reset', [
    {
      what: 'of one that has moved records',
      given: anActiveSink,
      path: `${PATH}/reset`,
      status: 202,
      then: async ({ ask }) => {
        expect((await ask('GET', PATH)).body).toEqual({ orders: { topics: [] } });
      },
    },
    { what: 'of one that has moved none', given: anOrdersSink, path: `${PATH}/reset`, status: 202 },
    {
      what: 'again',
      given: async (api) => {
        await anActiveSink(api);
        await api.ask('PUT', `${PATH}/reset`);
      },
      path: `${PATH}/reset`,
      status: 202,
    },
    { what: 'an unknown one', path: '/connectors/nobody/topics/reset', ...error(404, 'Connector nobody not found') },
  ]),
];
