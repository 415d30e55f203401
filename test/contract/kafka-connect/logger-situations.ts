import { expect } from 'vitest';
import { anOrdersSink, error, type Situation, situationsOf } from './situation.ts';

const INFO = { level: 'INFO', last_modified: null };
const DEBUG = { ask: { body: { level: 'debug' } } };

function shows(levels: object): Pick<Situation, 'then'> {
  return {
    then: async ({ ask }) => {
      expect((await ask('GET', '/admin/loggers')).body).toEqual(levels);
    },
  };
}

const SET = { level: 'DEBUG', last_modified: expect.any(Number) };

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
    { what: 'in a scope that is none', path: '/admin/loggers/root?scope=galaxy', ...DEBUG, status: 200, body: ['root'] },
    {
      what: 'no level',
      path: '/admin/loggers/root',
      ask: { body: {} },
      ...error(400, "Desired 'level' parameter was not specified in request."),
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
