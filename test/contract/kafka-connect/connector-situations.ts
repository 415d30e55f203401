import { expect } from 'vitest';
import { WORKER } from '../../support/api.ts';
import { anOrdersSink, aRunningSink, error, ORDERS, type Situation, situationsOf } from './situation.ts';

const INFO = { name: 'orders', config: { ...ORDERS, name: 'orders' }, tasks: [], type: 'sink' };
const TASK = { connector: 'orders', task: 0 };
const INSTANCE = { worker_id: WORKER, version: '1.0.0' };
const STATUS = {
  name: 'orders',
  connector: { state: 'RUNNING', ...INSTANCE },
  tasks: [{ id: 0, state: 'RUNNING', ...INSTANCE }],
  type: 'sink',
};

const INVALID = 'Connector configuration is invalid and contains the following';
const ALSO = 'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`';

function created(name: string): Pick<Situation, 'status' | 'body' | 'headers'> {
  const info = { ...INFO, name, config: { ...ORDERS, name } };
  return { status: 201, body: info, headers: { location: `/connectors/${encodeURIComponent(name)}` } };
}

function creation(name: string): Pick<Situation, 'ask'> {
  return { ask: { body: { name, config: ORDERS } } };
}

export const connectorSituations: readonly Situation[] = [
  ...situationsOf('GET /connectors', [
    { what: 'there are none', status: 200, body: [] },
    { what: 'there is one', given: anOrdersSink, status: 200, body: ['orders'] },
    { what: 'a slash behind', given: anOrdersSink, path: '/connectors/', status: 200, body: ['orders'] },
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
      what: 'its name in the configuration, too',
      ask: { body: { name: 'orders', config: { ...ORDERS, name: 'orders' } } },
      ...created('orders'),
    },
    ...['STOPPED', 'paused', 'Running'].map(
      (state) =>
        ({
          what: `initially ${state}`,
          ask: { body: { name: 'orders', config: ORDERS, initial_state: state } },
          ...created('orders'),
          then: async ({ ask }) => {
            const { body } = await ask('GET', '/connectors/orders/status');
            const shown = state === 'Running' ? 'UNASSIGNED' : state.toUpperCase();
            expect(body).toMatchObject({ connector: { state: shown } });
          },
        }) satisfies Partial<Situation>,
    ),
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
      ...error(
        400,
        [
          `${INVALID} 2 error(s):`,
          'key.converter: Null value can not be supplied as the configuration value.',
          'speed: is not a key of memory-append, which has none',
          ALSO,
        ].join('\n'),
      ),
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
      ...error(400, `${INVALID} 1 error(s):\ntransforms: must not have more than 100 aliases\n${ALSO}`),
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
    { what: 'an unknown one', path: '/connectors/nobody', ...error(404, 'Connector nobody not found') },
  ]),

  ...situationsOf('DELETE /connectors/{connector}', [
    {
      what: 'a running one',
      given: aRunningSink,
      path: '/connectors/orders',
      status: 204,
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors')).body).toEqual([]);
      },
    },
    { what: 'an unknown one', path: '/connectors/nobody', ...error(404, 'Connector nobody not found') },
  ]),

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
      what: 'another name',
      path: '/connectors/orders/config',
      ask: { body: { ...ORDERS, name: 'others' } },
      ...error(400, "Connector name configuration (others) doesn't match connector name in the URL (orders)"),
    },
    {
      what: 'a null',
      path: '/connectors/orders/config',
      ask: { body: { ...ORDERS, topics: null } },
      ...error(400, `${INVALID} 1 error(s):\ntopics: Null value can not be supplied as the configuration value.\n${ALSO}`),
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
      what: 'what it would make is wrong',
      given: anOrdersSink,
      path: '/connectors/orders/config',
      ask: { body: { speed: 'high' } },
      ...error(400, `${INVALID} 1 error(s):\nspeed: is not a key of memory-append, which has none\n${ALSO}`),
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors/orders/config')).body).toEqual(INFO.config);
      },
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

  ...situationsOf('GET /connectors/{connector}/status', [
    { what: 'of a running one', given: aRunningSink, path: '/connectors/orders/status', status: 200, body: STATUS },
    {
      what: 'before its first invocation',
      given: anOrdersSink,
      path: '/connectors/orders/status',
      status: 200,
      body: { ...STATUS, connector: { state: 'UNASSIGNED', ...INSTANCE }, tasks: [] },
    },
    { what: 'an unknown one', path: '/connectors/nobody/status', ...error(404, 'No status found for connector nobody') },
  ]),

  ...situationsOf('GET /connectors/{connector}/tasks', [
    {
      what: 'of a running one',
      given: aRunningSink,
      path: '/connectors/orders/tasks',
      status: 200,
      body: [{ id: TASK, config: INFO.config }],
    },
    { what: 'an unknown one', path: '/connectors/nobody/tasks', ...error(404, 'Connector nobody not found') },
  ]),

  ...situationsOf('GET /connectors/{connector}/tasks/{task}/status', [
    {
      what: 'of a running one',
      given: aRunningSink,
      path: '/connectors/orders/tasks/0/status',
      status: 200,
      body: STATUS.tasks[0],
    },
    {
      what: 'an unknown task',
      given: aRunningSink,
      path: '/connectors/orders/tasks/1/status',
      ...error(404, 'No status found for task orders-1'),
    },
    {
      what: 'no number',
      given: aRunningSink,
      path: '/connectors/orders/tasks/00/status',
      ...error(404, 'No status found for task orders-00'),
    },
    {
      what: 'an unknown connector',
      path: '/connectors/nobody/tasks/0/status',
      ...error(404, 'No status found for task nobody-0'),
    },
  ]),
];
