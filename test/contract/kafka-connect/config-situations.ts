import { expect } from 'vitest';
import { STALE } from '../../../scheduler/routes/api-error.ts';
import type { TestApi } from '../../support/api.ts';
import { API_KEYS, bearer, keyOf } from '../../support/api-keys.ts';
import { created, INFO, invalid, STATUS, TASK, VAULT_INFO } from './answers.ts';
import {
  anOrdersSink,
  aRunningSink,
  aSinkBeingDeleted,
  aSpoiledSink,
  aVault,
  error,
  ORDERS,
  type Situation,
  situationsOf,
  VAULT,
} from './situation.ts';

async function unchanged({ ask }: TestApi): Promise<void> {
  expect((await ask('GET', '/connectors/orders/config')).body).toEqual(INFO.config);
}

function tokenIs(token: string): NonNullable<Situation['then']> {
  return async ({ ask }) => {
    expect((await ask('GET', '/connectors/vault/config')).body).toMatchObject({ token });
  };
}

export const configSituations: readonly Situation[] = [
  ...situationsOf('GET /connectors/{connector}/config', [
    {
      what: 'as it was sent, with its name',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      status: 200,
      body: INFO.config,
    },
    {
      what: 'numbers as they were written, placeholders as they are',
      given: ({ ask }) =>
        ask('PUT', '/connectors/orders/config', {
          body: '{"connector.class":"memory-append","topics":" orders ","errors.deadletterqueue.topic.name":"${env:TOPIC}","tasks.max":"02","put.timeout.ms":+1}'.replace(
            '+1',
            '1000',
          ),
        }),
      path: '/connectors/orders/config',
      status: 200,
      body: {
        'connector.class': 'memory-append',
        topics: ' orders ',
        'errors.deadletterqueue.topic.name': '${env:TOPIC}',
        'tasks.max': '02',
        'put.timeout.ms': '1000',
        name: 'orders',
      },
    },
    {
      what: 'what is secret, to whoever may set it',
      given: aVault,
      path: '/connectors/vault/config',
      status: 200,
      body: { ...VAULT, name: 'vault' },
    },
    {
      what: 'what is secret, to whoever may not set it',
      deps: { access: { keys: API_KEYS, takesBasic: true } },
      given: ({ ask }) => ask('PUT', '/connectors/vault/config', { body: VAULT, headers: bearer(keyOf('configure')) }),
      path: '/connectors/vault/config',
      ask: { headers: bearer(keyOf('operate')) },
      status: 200,
      body: VAULT_INFO.config,
    },
    { what: 'an unknown one', path: '/connectors/nobody/config', ...error(404, 'Connector nobody not found') },
  ]),

  ...situationsOf('PUT /connectors/{connector}/config', [
    { what: 'a new one', path: '/connectors/new%2Forders/config', ask: { body: ORDERS }, ...created('new/orders') },
    {
      what: 'another configuration',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { ...ORDERS, 'tasks.max': 3 } },
      status: 200,
      body: { ...INFO, config: { ...INFO.config, 'tasks.max': '3' } },
    },
    {
      what: 'the configuration it has',
      given: aRunningSink,
      path: '/connectors/orders/config',
      ask: { body: ORDERS },
      status: 200,
      body: { ...INFO, tasks: [TASK] },
    },
    {
      what: 'a new secret',
      given: aVault,
      path: '/connectors/vault/config',
      ask: { body: { ...VAULT, token: 'abracadabra' } },
      status: 200,
      body: VAULT_INFO,
      then: tokenIs('abracadabra'),
    },
    {
      what: 'a secret as it was shown: it stays',
      given: aVault,
      path: '/connectors/vault/config',
      ask: { body: { ...VAULT, address: 'there', token: '[hidden]' } },
      status: 200,
      body: { ...VAULT_INFO, config: { ...VAULT_INFO.config, address: 'there' } },
      then: tokenIs('open sesame'),
    },
    {
      what: 'no key',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: {} },
      ...error(400, 'Connector config {} contains no connector type'),
      then: unchanged,
    },
    ...[null, [], 'text', 7].map((body) => ({
      what: `a body of ${JSON.stringify(body)}`,
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: JSON.stringify(body) },
      ...error(400, 'body: must be an object'),
      then: unchanged,
    })),
    {
      what: 'what makes one that runs invalid',
      given: aRunningSink,
      path: '/connectors/orders/config',
      ask: { body: { ...ORDERS, 'tasks.max': 0, speed: 'high' } },
      ...invalid(
        'tasks.max: must be a whole number from 1 to 10000, not "0"',
        'speed: is not a key of memory-append, which has none',
      ),
      then: async (api) => {
        await unchanged(api);
        expect((await api.ask('GET', '/connectors/orders/status')).body).toEqual(STATUS);
      },
    },
    {
      what: 'what makes one valid again',
      given: aSpoiledSink,
      path: '/connectors/orders/config',
      ask: { body: ORDERS },
      status: 200,
      body: { ...INFO, tasks: [TASK] },
    },
    {
      what: 'one that is being deleted',
      given: aSinkBeingDeleted,
      path: '/connectors/orders/config',
      ask: { body: ORDERS },
      ...error(409, STALE),
    },
    {
      what: 'another name',
      path: '/connectors/orders/config',
      ask: { body: { ...ORDERS, name: 'others' } },
      ...error(400, "Connector name configuration (others) doesn't match connector name in the URL (orders)"),
    },
    {
      what: 'a null',
      path: '/connectors/orders/config',
      ask: { body: { ...ORDERS, topics: null } },
      ...invalid('topics: Null value can not be supplied as the configuration value.'),
    },
    {
      what: 'a name that no path can hold',
      path: '/connectors/a%0Ab/config',
      ask: { body: ORDERS },
      ...error(400, 'name: must not have control characters'),
    },
  ]),

  ...situationsOf('PATCH /connectors/{connector}/config', [
    {
      what: 'sets keys and removes others',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { 'tasks.max': 4, 'value.converter': null, 'key.converter': null } },
      status: 200,
      body: { ...INFO, config: { 'connector.class': 'memory-append', topics: 'orders', 'tasks.max': '4', name: 'orders' } },
    },
    {
      what: 'nothing',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: {} },
      status: 200,
      body: INFO,
    },
    {
      what: 'its name as null',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { name: null, 'tasks.max': 2 } },
      status: 200,
      body: { ...INFO, config: { ...INFO.config, 'tasks.max': '2' } },
    },
    {
      what: 'its own name',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { name: 'orders' } },
      status: 200,
      body: INFO,
    },
    {
      what: 'a key as null that it does not have',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { 'tasks.max': null, speed: null } },
      status: 200,
      body: INFO,
    },
    {
      what: 'its class as null',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { 'connector.class': null } },
      ...error(400, 'Connector config {topics, value.converter} contains no connector type'),
      then: unchanged,
    },
    {
      what: 'a key as null that it needs',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { topics: null } },
      ...invalid('topics: is required: a sink reads at least one topic'),
      then: unchanged,
    },
    {
      what: 'a value that is no scalar',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { topics: ['orders'] } },
      ...error(400, 'topics: must be a text, a number, or true or false'),
    },
    {
      what: 'a secret as it was shown: it stays',
      given: aVault,
      path: '/connectors/vault/config',
      ask: { body: { address: 'there', token: '[hidden]' } },
      status: 200,
      body: { ...VAULT_INFO, config: { ...VAULT_INFO.config, address: 'there' } },
      then: tokenIs('open sesame'),
    },
    {
      what: 'one that is being deleted',
      given: aSinkBeingDeleted,
      path: '/connectors/orders/config',
      ask: { body: {} },
      ...error(404, 'Connector orders not found'),
    },
    {
      what: 'what it would make is wrong',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { speed: 'high' } },
      ...invalid('speed: is not a key of memory-append, which has none'),
      then: unchanged,
    },
    {
      what: 'another name',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { name: 'others' } },
      ...error(400, "Connector name configuration (others) doesn't match connector name in the URL (orders)"),
    },
    { what: 'an unknown one', path: '/connectors/nobody/config', ask: { body: {} }, ...error(404, 'Connector nobody not found') },
  ]),
];
