import { expect } from 'vitest';
import { anOrdersSink, error, ORDERS, type Situation, situationsOf } from './situation.ts';

const INFO = { level: 'INFO', last_modified: null };
const SET = { level: 'DEBUG', last_modified: expect.any(Number) };
const DEBUG = { ask: { body: { level: 'debug' } } };

function shows(levels: object): Pick<Situation, 'then'> {
  return {
    then: async ({ ask }) => {
      expect((await ask('GET', '/admin/loggers')).body).toEqual(levels);
    },
  };
}

export const loggerSituations: readonly Situation[] = [
  ...situationsOf('GET /admin/loggers', [{ what: 'at the start', status: 200, body: { root: INFO } }]),

  ...situationsOf('GET /admin/loggers/{logger}', [
    { what: 'the one that all have', path: '/admin/loggers/root', status: 200, body: INFO },
    {
      what: 'one that was set',
      given: async (api) => {
        await anOrdersSink(api);
        await api.ask('PUT', '/admin/loggers/connector.orders', DEBUG.ask);
      },
      path: '/admin/loggers/connector.orders',
      status: 200,
      body: SET,
    },
    { what: 'one that was not set', given: anOrdersSink, path: '/admin/loggers/connector.orders', status: 200, body: INFO },
    { what: 'one that is none', path: '/admin/loggers/nobody', ...error(404, 'Logger nobody not found.') },
  ]),

  ...situationsOf('PUT /admin/loggers/{logger}', [
    { what: 'of all', path: '/admin/loggers/root', ...DEBUG, status: 200, body: ['root'], ...shows({ root: SET }) },
    {
      what: 'of one connector',
      given: anOrdersSink,
      path: '/admin/loggers/connector.orders?scope=worker',
      ...DEBUG,
      status: 200,
      body: ['connector.orders'],
      ...shows({ root: INFO, 'connector.orders': SET }),
    },
    { what: 'in the whole cluster', path: '/admin/loggers/root?scope=CLUSTER', ...DEBUG, status: 204, ...shows({ root: SET }) },
    { what: 'in the scope of the worker', path: '/admin/loggers/root?scope=worker', ...DEBUG, status: 200, body: ['root'] },
    { what: 'in a scope that is empty', path: '/admin/loggers/root?scope=', ...DEBUG, status: 200, body: ['root'] },
    { what: 'in a scope that is none', path: '/admin/loggers/root?scope=galaxy', ...DEBUG, status: 200, body: ['root'] },
    {
      what: 'no level',
      path: '/admin/loggers/root',
      ask: { body: {} },
      ...error(400, "Desired 'level' parameter was not specified in request."),
    },
    {
      what: 'a level of null',
      path: '/admin/loggers/root',
      ask: { body: { level: null } },
      ...error(400, "Desired 'level' parameter was not specified in request."),
    },
    {
      what: 'a level that is a list',
      path: '/admin/loggers/root',
      ask: { body: { level: ['DEBUG'] } },
      ...error(400, 'level: must be a text, a number, or true or false'),
    },
    ...['trace', 'Debug', 'INFO', 'warn', 'ERROR', 'fatal', 'OFF'].map((level) => ({
      what: `the level ${level}`,
      path: '/admin/loggers/root',
      ask: { body: { level } },
      status: 200,
      body: ['root'],
      ...shows({ root: { ...SET, level: level.toUpperCase() } }),
    })),
    ...['', ' ', 7, true, 'ALL'].map((level) => ({
      what: `a level of ${JSON.stringify(level)}`,
      path: '/admin/loggers/root',
      ask: { body: { level } },
      ...error(404, `invalid log level '${level}'.`),
    })),
    {
      what: 'more than a level',
      path: '/admin/loggers/root',
      ask: { body: { level: 'DEBUG', scope: 'worker' } },
      status: 200,
      body: ['root'],
    },
    {
      what: 'a level that is none, in the whole cluster',
      path: '/admin/loggers/root?scope=cluster',
      ask: { body: { level: 'loud' } },
      ...error(404, "invalid log level 'loud'."),
      ...shows({ root: INFO }),
    },
    {
      what: 'of one connector whose name has to be encoded',
      given: ({ ask }) => ask('PUT', '/connectors/a%2F%25/config', { body: ORDERS }),
      path: '/admin/loggers/connector.a%2F%25',
      ...DEBUG,
      status: 200,
      body: ['connector.a/%'],
    },
    {
      what: 'of what logs in Kafka Connect',
      path: '/admin/loggers/org.apache.kafka.connect',
      ...DEBUG,
      ...error(404, 'Logger org.apache.kafka.connect not found.'),
    },
    {
      what: 'a level that is none',
      path: '/admin/loggers/root',
      ask: { body: { level: 'loud' } },
      ...error(404, "invalid log level 'loud'."),
      ...shows({ root: INFO }),
    },
    {
      what: 'of a connector that there is not',
      path: '/admin/loggers/connector.nobody',
      ...DEBUG,
      ...error(404, 'Logger connector.nobody not found.'),
    },
  ]),
];
