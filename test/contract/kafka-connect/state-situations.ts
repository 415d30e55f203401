import { expect } from 'vitest';
import { WORKER } from '../../support/api.ts';
import { aFailedSink, anOrdersSink, aRunningSink, error, type Situation, situationsOf } from './situation.ts';

const INSTANCE = { worker_id: WORKER, version: '1.0.0' };

function shows(state: string): Pick<Situation, 'then'> {
  return {
    then: async ({ ask }) => {
      expect((await ask('GET', '/connectors/orders/status')).body).toMatchObject({ connector: { state } });
    },
  };
}

function restarting(states: { readonly connector: string; readonly task: string }): Pick<Situation, 'status' | 'body'> {
  const body = {
    name: 'orders',
    connector: { state: states.connector, ...INSTANCE },
    tasks: [{ id: 0, state: states.task, ...INSTANCE }],
    type: 'sink',
  };
  return { status: 202, body };
}

function situationsOfVerb(
  verb: string,
  { status, state }: { readonly status: number; readonly state: string },
): readonly Situation[] {
  const path = `/connectors/orders/${verb}`;
  return situationsOf(`PUT /connectors/{connector}/${verb}`, [
    { what: 'a running one', given: aRunningSink, path, status, ...shows(state) },
    {
      what: 'one that does so already',
      given: async (api) => {
        await aRunningSink(api);
        await api.ask('PUT', path);
      },
      path,
      status,
      ...shows(state),
    },
    { what: 'a slash behind, and a body that nobody reads', given: anOrdersSink, path: `${path}/`, ask: { body: '' }, status },
    { what: 'an unknown one', path: `/connectors/nobody/${verb}`, ...error(404, 'Unknown connector nobody') },
  ]);
}

export const stateSituations: readonly Situation[] = [
  ...situationsOfVerb('pause', { status: 202, state: 'PAUSED' }),
  ...situationsOfVerb('resume', { status: 202, state: 'RUNNING' }),
  ...situationsOfVerb('stop', { status: 204, state: 'STOPPED' }),

  ...situationsOf('POST /connectors/{connector}/restart', [
    {
      what: 'without flags its tasks stay as they are',
      given: aFailedSink,
      path: '/connectors/orders/restart',
      status: 204,
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors/orders/status')).body).toMatchObject({ tasks: [{ state: 'FAILED' }] });
      },
    },
    {
      what: 'with its tasks',
      given: aFailedSink,
      path: '/connectors/orders/restart?includeTasks=true',
      ...restarting({ connector: 'RESTARTING', task: 'RESTARTING' }),
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors/orders/status')).body).toMatchObject({ tasks: [{ state: 'RUNNING' }] });
      },
    },
    {
      what: 'what has failed, in the spelling of some clients',
      given: aFailedSink,
      path: '/connectors/orders/restart?includeTasks=True&onlyFailed=True',
      ...restarting({ connector: 'RUNNING', task: 'RESTARTING' }),
    },
    {
      what: 'what has failed, where nothing has',
      given: aRunningSink,
      path: '/connectors/orders/restart?includeTasks=true&onlyFailed=true',
      ...restarting({ connector: 'RUNNING', task: 'RUNNING' }),
    },
    {
      what: 'the connector alone, if it has failed',
      given: aRunningSink,
      path: '/connectors/orders/restart?onlyFailed=true',
      ...restarting({ connector: 'RUNNING', task: 'RUNNING' }),
    },
    {
      what: 'flags that say no',
      given: aRunningSink,
      path: '/connectors/orders/restart?includeTasks=false&onlyFailed=false',
      status: 204,
    },
    { what: 'an unknown one', path: '/connectors/nobody/restart', ...error(404, 'Unknown connector: nobody') },
  ]),

  ...situationsOf('POST /connectors/{connector}/tasks/{task}/restart', [
    {
      what: 'one that has failed',
      given: aFailedSink,
      path: '/connectors/orders/tasks/0/restart',
      status: 204,
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors/orders/tasks/0/status')).body).toMatchObject({ state: 'RUNNING' });
      },
    },
    {
      what: 'an unknown task',
      given: aRunningSink,
      path: '/connectors/orders/tasks/1/restart',
      ...error(404, 'Unknown task: orders-1'),
    },
    { what: 'an unknown connector', path: '/connectors/nobody/tasks/0/restart', ...error(404, 'Unknown connector: nobody') },
  ]),
];
