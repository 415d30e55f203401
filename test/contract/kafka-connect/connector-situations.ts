import { expect } from 'vitest';
import type { TestApi } from '../../support/api.ts';
import { created, INFO, invalid, STATUS, TASK, UNREADABLE, VAULT_INFO } from './answers.ts';
import {
  anOrdersSink,
  anUnreadableSink,
  aRunningSink,
  aSinkBeingDeleted,
  aSpoiledSink,
  aStoppedSink,
  aVault,
  error,
  ORDERS,
  type Situation,
  situationsOf,
  VAULT,
} from './situation.ts';

function creation(name: string): Pick<Situation, 'ask'> {
  return { ask: { body: { name, config: ORDERS } } };
}

async function none({ ask }: TestApi): Promise<void> {
  expect((await ask('GET', '/connectors')).body).toEqual([]);
}

export const connectorSituations: readonly Situation[] = [
  ...situationsOf('GET /connectors', [
    { what: 'there are none', status: 200, body: [] },
    { what: 'there is one', given: anOrdersSink, status: 200, body: ['orders'] },
    { what: 'a slash behind', given: anOrdersSink, path: '/connectors/', status: 200, body: ['orders'] },
    {
      what: 'asked for as a page, and as if passed on by a worker',
      given: anOrdersSink,
      path: '/connectors?forward=false',
      ask: { headers: { accept: 'text/html' } },
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: ['orders'],
    },
    {
      what: 'expanded by info and status',
      given: aRunningSink,
      path: '/connectors?expand=info&expand=status',
      status: 200,
      body: { orders: { info: { ...INFO, tasks: [TASK] }, status: STATUS } },
    },
    {
      what: 'expanded by one of them, in the spelling of some clients',
      given: aRunningSink,
      path: '/connectors?expand[]=status',
      status: 200,
      body: { orders: { status: STATUS } },
    },
    {
      what: 'expanded by info, and by what is nothing',
      given: anOrdersSink,
      path: '/connectors?expand=info&expand=bogus',
      status: 200,
      body: { orders: { info: INFO } },
    },
    {
      what: 'expanded in both spellings',
      given: aRunningSink,
      path: '/connectors?expand=bogus&expand[]=info&expand[]=status',
      status: 200,
      body: { orders: { info: { ...INFO, tasks: [TASK] }, status: STATUS } },
    },
    {
      what: 'expanded in a spelling of another case',
      given: anOrdersSink,
      path: '/connectors?expand=INFO',
      status: 200,
      body: { orders: {} },
    },
    {
      what: 'expanded, with one whose document cannot be read',
      given: anUnreadableSink,
      path: '/connectors?expand=info&expand=status',
      status: 200,
      body: { orders: { status: UNREADABLE } },
    },
    {
      what: 'expanded, with what is secret',
      given: aVault,
      path: '/connectors?expand=info',
      status: 200,
      body: { vault: { info: VAULT_INFO } },
    },
    {
      what: 'expanded by nothing known',
      given: anOrdersSink,
      path: '/connectors?expand=bogus',
      status: 200,
      body: { orders: {} },
    },
    { what: 'expanded by nothing', given: anOrdersSink, path: '/connectors?expand', status: 200, body: { orders: {} } },
  ]),

  ...situationsOf('POST /connectors', [
    { what: 'a new one', ...creation('orders'), ...created('orders') },
    { what: 'blanks around its name', ask: { body: { name: ' orders ', config: ORDERS } }, ...created('orders') },
    { what: 'a blank in its name', ...creation('new orders'), ...created('new orders') },
    { what: 'a slash in its name', ...creation('a/b'), ...created('a/b') },
    { what: 'a backslash in its name', ...creation('a\\b'), ...created('a\\b') },
    { what: 'a percent sign in its name', ...creation('100%'), ...created('100%') },
    { what: 'an encoded slash in its name', ...creation('a%2Fb'), ...created('a%2Fb') },
    { what: 'a name that needs more than ASCII', ...creation('заказы 🚚'), ...created('заказы 🚚') },
    {
      what: 'scalars in its configuration',
      ask: {
        body: '{"name":"orders","config":{"connector.class":"memory-append","topics":"orders","tasks.max":2,"errors.log.enable":true}}',
      },
      status: 201,
      body: {
        ...INFO,
        config: {
          'connector.class': 'memory-append',
          topics: 'orders',
          'tasks.max': '2',
          'errors.log.enable': 'true',
          name: 'orders',
        },
      },
    },
    {
      what: 'a converter of headers, which means nothing',
      ask: { body: { name: 'orders', config: { ...ORDERS, 'header.converter': 'SimpleHeaderConverter' } } },
      ...created('orders'),
      body: { ...INFO, config: { ...ORDERS, 'header.converter': 'SimpleHeaderConverter', name: 'orders' } },
    },
    ...['connector.plugin.version', 'value.converter.plugin.version'].map((key) => ({
      what: `a pin, ${key}`,
      ask: { body: { name: 'orders', config: { ...ORDERS, [key]: '1.0.0' } } },
      status: 400,
      body: { error_code: 400, message: expect.stringContaining(`${key}: is not a key of `) },
      then: none,
    })),
    {
      what: 'its name in the configuration, too',
      ask: { body: { name: 'orders', config: { ...ORDERS, name: 'orders' } } },
      ...created('orders'),
    },
    ...['RUNNING', 'PAUSED', 'STOPPED', 'paused', 'Running'].map(
      (state) =>
        ({
          what: `initially ${state}`,
          ask: { body: { name: 'orders', config: ORDERS, initial_state: state } },
          ...created('orders'),
          then: async ({ ask }) => {
            const { body } = await ask('GET', '/connectors/orders/status');
            const shown = state.toUpperCase() === 'RUNNING' ? 'UNASSIGNED' : state.toUpperCase();
            expect(body).toMatchObject({ connector: { state: shown } });
          },
        }) satisfies Partial<Situation>,
    ),
    { what: 'initially null', ask: { body: { name: 'orders', config: ORDERS, initial_state: null } }, ...created('orders') },
    ...['', 'DELETED', 'RUNNING ', 7, true].map((state) => ({
      what: `an initial state of ${JSON.stringify(state)}`,
      ask: { body: { name: 'orders', config: ORDERS, initial_state: state } },
      ...error(400, 'initial_state: must be one of RUNNING, PAUSED, STOPPED'),
      then: none,
    })),
    {
      what: 'an initial state that is none',
      ask: { body: { name: 'orders', config: ORDERS, initial_state: 'sleeping' } },
      ...error(400, 'initial_state: must be one of RUNNING, PAUSED, STOPPED'),
    },
    {
      what: 'a name that is taken',
      given: anOrdersSink,
      ...creation('orders'),
      ...error(409, 'Connector orders already exists'),
    },
    {
      what: 'a name that is being deleted',
      given: aSinkBeingDeleted,
      ...creation('orders'),
      ...error(409, 'Connector orders already exists'),
    },
    {
      what: 'a name that is free again',
      given: async (api) => {
        await aStoppedSink(api);
        await api.ask('DELETE', '/connectors/orders');
      },
      ...creation('orders'),
      ...created('orders'),
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors/orders/offsets')).body).toEqual({ offsets: [] });
      },
    },
    {
      what: 'a secret, which is not shown again',
      ask: { body: { name: 'vault', config: VAULT } },
      status: 201,
      headers: { location: '/connectors/vault' },
      body: VAULT_INFO,
    },
    {
      what: 'a secret that nobody has stored',
      ask: { body: { name: 'vault', config: { ...VAULT, token: '[hidden]' } } },
      ...invalid('token: [hidden] stands for the value that is stored, and none is'),
    },
    { what: 'no configuration', ask: { body: { name: 'orders' } }, ...error(400, 'config: is required') },
    ...[null, 'text', 7, true, ['connector.class']].map((config) => ({
      what: `a configuration of ${JSON.stringify(config)}`,
      ask: { body: { name: 'orders', config } },
      ...error(400, 'config: must be an object'),
      then: none,
    })),
    { what: 'a name that is null', ask: { body: { name: null, config: ORDERS } }, ...error(400, 'name: must be a text') },
    { what: 'a name that is a number', ask: { body: { name: 7, config: ORDERS } }, ...created('7') },
    { what: 'no name', ask: { body: { config: ORDERS } }, ...error(400, 'name: is required') },
    { what: 'an empty name', ...creation(' '), ...error(400, 'name: must not be empty') },
    { what: 'a name that no path can hold', ...creation('..'), ...error(400, 'name: must not be ..') },
    { what: 'a control character in its name', ...creation('a\tb'), ...error(400, 'name: must not have control characters') },
    {
      what: 'half of a surrogate pair in its name',
      ...creation('a\ud83d'),
      ...error(400, 'name: must not have half of a surrogate pair'),
    },
    {
      what: 'a name that is too long',
      ...creation('n'.repeat(256)),
      ...error(400, 'name: must have at most 255 characters, not 256'),
    },
    { what: 'neither name nor configuration', ask: { body: {} }, ...error(400, 'name: is required\nconfig: is required') },
    {
      what: 'another name in the configuration',
      ask: { body: { name: 'orders', config: { ...ORDERS, name: 'others' } } },
      ...error(400, "Connector name configuration (others) doesn't match connector name in the URL (orders)"),
    },
    {
      what: 'an unknown field',
      ask: { body: { name: 'orders', config: ORDERS, speed: 1 } },
      ...error(400, 'Unrecognized field "speed"'),
    },
    {
      what: 'a value that is no scalar',
      ask: { body: { name: 'orders', config: { ...ORDERS, topics: ['orders'] } } },
      ...error(400, 'config.topics: must be a text, a number, or true or false'),
    },
    {
      what: 'everything that is wrong with its configuration',
      ask: { body: { name: 'orders', config: { ...ORDERS, speed: 'high', 'key.converter': null } } },
      ...invalid(
        'key.converter: Null value can not be supplied as the configuration value.',
        'speed: is not a key of memory-append, which has none',
      ),
    },
    {
      what: 'a configuration without a key',
      ask: { body: { name: 'orders', config: {} } },
      ...error(400, 'Connector config {} contains no connector type'),
    },
    {
      what: 'a class of blanks',
      ask: { body: { name: 'orders', config: { ...ORDERS, 'connector.class': ' ' } } },
      ...error(400, 'Connector config {connector.class, topics, value.converter} contains no connector type'),
    },
    {
      what: 'a class that is null',
      ask: { body: { name: 'orders', config: { ...ORDERS, 'connector.class': null } } },
      ...error(400, 'Connector config {connector.class, topics, value.converter} contains no connector type'),
    },
    {
      what: 'no class',
      ask: { body: { name: 'orders', config: { topics: 'orders' } } },
      ...error(400, 'Connector config {topics} contains no connector type'),
    },
    {
      what: 'an unknown class',
      ask: { body: { name: 'orders', config: { ...ORDERS, 'connector.class': 'nothing' } } },
      status: 400,
      body: {
        error_code: 400,
        message: expect.stringMatching(
          /^Failed to find any class that implements Connector and which name matches nothing, available/,
        ),
      },
    },
    {
      what: 'more keys than anybody needs',
      ask: {
        body: { name: 'orders', config: Object.fromEntries(Array.from({ length: 1_001 }, (_, key) => [`key.${key}`, ''])) },
      },
      ...error(400, 'config: must not have more than 1000 keys'),
    },
    {
      what: 'more transforms than anybody needs',
      ask: {
        body: {
          name: 'orders',
          config: { ...ORDERS, transforms: Array.from({ length: 101 }, (_, index) => `t${index}`).join() },
        },
      },
      ...invalid('transforms: must not have more than 100 aliases'),
    },
    { what: 'no JSON', ask: { body: '{"name":' }, ...error(400, 'The body of the request is not JSON') },
    { what: 'a list', ask: { body: [] }, ...error(400, 'body: must be an object') },
    {
      what: 'a key that would be no key',
      ask: { body: '{"name":"a","config":{"__proto__":"b"}}' },
      ...error(400, 'There must be no key __proto__'),
    },
    { what: 'no body', ...error(400, 'The request has no body; it needs one of JSON') },
    {
      what: 'a body that says it is text',
      ask: { body: '{}', headers: { 'content-type': 'text/plain' } },
      ...error(415, 'HTTP 415 Unsupported Media Type; send JSON, with Content-Type: application/json'),
    },
    {
      what: 'JSON with a charset',
      ask: { body: { name: 'orders', config: ORDERS }, headers: { 'content-type': 'application/json; charset=utf-8' } },
      ...created('orders'),
    },
    {
      what: 'more than a megabyte',
      ask: { body: { name: 'orders', config: { ...ORDERS, topics: 't'.repeat(1_048_576) } } },
      ...error(413, 'The body of the request has more than 1048576 bytes'),
    },
  ]),

  ...situationsOf('GET /connectors/{connector}', [
    { what: 'before its first invocation', given: anOrdersSink, path: '/connectors/orders', status: 200, body: INFO },
    { what: 'with a task', given: aRunningSink, path: '/connectors/orders', status: 200, body: { ...INFO, tasks: [TASK] } },
    { what: 'with a secret', given: aVault, path: '/connectors/vault', status: 200, body: VAULT_INFO },
    {
      what: 'of which nobody can be sure any more what it is',
      given: aSpoiledSink,
      path: '/connectors/orders',
      status: 200,
      body: { ...INFO, config: { ...INFO.config, speed: 'high' }, tasks: [TASK], type: 'unknown' },
    },
    {
      what: 'whose document cannot be read',
      given: anUnreadableSink,
      path: '/connectors/orders',
      ...error(500, UNREADABLE.connector.trace),
    },
    { what: 'an unknown one', path: '/connectors/nobody', ...error(404, 'Connector nobody not found') },
  ]),

  ...situationsOf('DELETE /connectors/{connector}', [
    {
      what: 'a running one',
      given: aRunningSink,
      path: '/connectors/orders',
      status: 204,
      then: none,
    },
    {
      what: 'one that is being deleted',
      given: aSinkBeingDeleted,
      path: '/connectors/orders',
      status: 204,
      then: none,
    },
    {
      what: 'one that was deleted',
      given: async (api) => {
        await aRunningSink(api);
        await api.ask('DELETE', '/connectors/orders');
      },
      path: '/connectors/orders',
      ...error(404, 'Connector orders not found'),
    },
    { what: 'an unknown one', path: '/connectors/nobody', ...error(404, 'Connector nobody not found') },
  ]),
];
