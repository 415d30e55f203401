import { expect } from 'vitest';
import { INSTANCE, STATUS } from './answers.ts';
import {
  aFailedSink,
  aFailedSource,
  aFreshSource,
  anOrdersSink,
  aRunningSink,
  aSinkBeingDeleted,
  aSpoiledSink,
  error,
  type Situation,
  situationsOf,
} from './situation.ts';

type Given = NonNullable<Situation['given']>;

/** Of the connector and its one task; a stopped one has none. */
interface States {
  readonly connector: string;
  readonly task: string | null;
}

function statusWith({ connector, task }: States): unknown {
  const tasks = task === null ? [] : [{ id: 0, state: task, ...INSTANCE }];
  return { ...STATUS, connector: { state: connector, ...INSTANCE }, tasks };
}

/** A trace is not looked at here. */
function shows({ connector, task }: States): NonNullable<Situation['then']> {
  return async ({ ask }) => {
    const { body } = await ask('GET', '/connectors/orders/status');
    const { connector: own, tasks } = body as { connector: { state: string }; tasks: readonly { state: string }[] };
    expect({ connector: own.state, task: tasks[0]?.state ?? null }).toEqual({ connector, task });
  };
}

/** Somebody has asked this of it before. */
function after(given: Given, ...asked: readonly string[]): Given {
  return async (api) => {
    await given(api);
    for (const request of asked) await api.ask(...(request.split(' ') as [string, string]));
  };
}

const PAUSE = 'PUT /connectors/orders/pause';
const STOP = 'PUT /connectors/orders/stop';

const RUNNING: States = { connector: 'RUNNING', task: 'RUNNING' };
const PAUSED: States = { connector: 'PAUSED', task: 'PAUSED' };
const STOPPED: States = { connector: 'STOPPED', task: null };

/** What it is when somebody asks, and what of that pausing, resuming and stopping leave. */
const BEFORE = {
  'that runs': { given: aRunningSink, task: 'RUNNING' },
  'that is paused': { given: after(aRunningSink, PAUSE), task: 'RUNNING' },
  'that is stopped': { given: after(aRunningSink, STOP), task: 'RUNNING' },
  'whose task has failed': { given: aFailedSink, task: 'FAILED' },
  'whose task has failed, paused': { given: after(aFailedSink, PAUSE), task: 'FAILED' },
  'whose task has failed, stopped': { given: after(aFailedSink, STOP), task: 'FAILED' },
} as const;

function situationsOfVerb(
  verb: 'pause' | 'resume' | 'stop',
  { status, states }: { readonly status: number; readonly states: States },
): readonly Situation[] {
  const path = `/connectors/orders/${verb}`;
  return situationsOf(`PUT /connectors/{connector}/${verb}`, [
    ...Object.entries(BEFORE).flatMap(([which, { given, task }]): Omit<Situation, 'route'>[] => {
      const then = shows(task === 'FAILED' && states.task !== null ? { ...states, task } : states);
      return [
        { what: `one ${which}`, given, path, status, then },
        { what: `one ${which}, again`, given: after(given, `PUT ${path}`), path, status, then },
      ];
    }),
    {
      what: 'one whose configuration is not valid any more',
      given: aSpoiledSink,
      path,
      status,
      then: shows(verb === 'resume' ? { connector: 'FAILED', task: 'RUNNING' } : states),
    },
    { what: 'a slash behind, and a body that nobody reads', given: anOrdersSink, path: `${path}/`, ask: { body: '' }, status },
    { what: 'one that is being deleted', given: aSinkBeingDeleted, path, ...error(404, 'Unknown connector orders') },
    { what: 'an unknown one', path: `/connectors/nobody/${verb}`, ...error(404, 'Unknown connector nobody') },
  ]);
}

const RESTART = '/connectors/orders/restart';

/** By the query: what the connector and its task are in the answer, once and again; `null` for none. */
type Restarted = Readonly<Record<string, readonly [once: States | null, again: States | null]>>;

function restartsOf(
  which: string,
  { given, restarted, then }: { readonly given: Given; readonly restarted: Restarted; readonly then: States },
): readonly Omit<Situation, 'route'>[] {
  const answer = (states: States | null): Pick<Situation, 'status' | 'body'> =>
    states === null ? { status: 204 } : { status: 202, body: statusWith(states) };
  return Object.entries(restarted).flatMap(([query, [once, again]]) => {
    const path = RESTART + query;
    return [
      { what: `one ${which}${query}`, given, path, ...answer(once), then: shows(then) },
      { what: `one ${which}${query}, again`, given: after(given, `POST ${path}`), path, ...answer(again), then: shows(then) },
    ];
  });
}

function twice(states: States | null): readonly [States | null, States | null] {
  return [states, states];
}

const ALL = { connector: 'RESTARTING', task: 'RESTARTING' };

/** Of what has not failed all is restarted that is asked for, and nothing where only what has failed is. */
function restartsOfSound(which: string, { given, states }: { readonly given: Given; readonly states: States }) {
  const task = states.task === null ? null : 'RESTARTING';
  return restartsOf(which, {
    given,
    then: states,
    restarted: {
      '': twice(null),
      '?includeTasks=false&onlyFailed=false': twice(null),
      '?includeTasks=bogus': twice(null),
      '?includeTasks=true': twice({ connector: 'RESTARTING', task }),
      '?onlyFailed=true': twice(states),
      '?includeTasks=true&onlyFailed=true': twice(states),
    },
  });
}

export const stateSituations: readonly Situation[] = [
  ...situationsOfVerb('pause', { status: 202, states: PAUSED }),
  ...situationsOfVerb('resume', { status: 202, states: RUNNING }),
  ...situationsOfVerb('stop', { status: 204, states: STOPPED }),

  ...situationsOf('POST /connectors/{connector}/restart', [
    ...restartsOfSound('that runs', { given: aRunningSink, states: RUNNING }),
    ...restartsOfSound('that is paused', { given: after(aRunningSink, PAUSE), states: PAUSED }),
    ...restartsOfSound('that is stopped', { given: after(aRunningSink, STOP), states: STOPPED }),
    ...restartsOf('whose task has failed', {
      given: aFailedSink,
      then: RUNNING,
      restarted: {
        '?includeTasks=true': twice(ALL),
        '?includeTasks=True&onlyFailed=False': twice(ALL),
        '?includeTasks=true&onlyFailed=true': [{ connector: 'RUNNING', task: 'RESTARTING' }, RUNNING],
      },
    }),
    ...restartsOf('whose task has failed, alone', {
      given: aFailedSink,
      then: { connector: 'RUNNING', task: 'FAILED' },
      restarted: { '': twice(null) },
    }),
    ...restartsOf('whose task has failed, paused', {
      given: after(aFailedSink, PAUSE),
      then: PAUSED,
      restarted: { '?includeTasks=TRUE&onlyFailed=TRUE': [{ connector: 'PAUSED', task: 'RESTARTING' }, PAUSED] },
    }),
    ...restartsOf('whose task has failed, stopped', {
      given: after(aFailedSink, STOP),
      then: STOPPED,
      restarted: { '?includeTasks=true&onlyFailed=true': twice(STOPPED) },
    }),
    {
      what: 'a source that could not find its shards',
      given: aFailedSource,
      path: '/connectors/rows/restart?onlyFailed=true',
      status: 202,
      body: {
        name: 'rows',
        connector: { state: 'RESTARTING', ...INSTANCE },
        tasks: [{ id: 0, state: 'UNASSIGNED', ...INSTANCE }],
        type: 'source',
      },
      then: async ({ ask }) => {
        expect((await ask('GET', '/connectors/rows/status')).body).toMatchObject({ connector: { state: 'RUNNING' } });
      },
    },
    {
      what: 'a source, without flags',
      given: aFreshSource,
      path: '/connectors/rows/restart',
      status: 204,
    },
    { what: 'an unknown one', path: '/connectors/nobody/restart', ...error(404, 'Unknown connector: nobody') },
    {
      what: 'an unknown one, with its tasks',
      path: '/connectors/nobody/restart?includeTasks=true',
      ...error(404, 'Unknown connector: nobody'),
    },
  ]),

  ...situationsOf('POST /connectors/{connector}/tasks/{task}/restart', [
    {
      what: 'one that has failed',
      given: aFailedSink,
      path: '/connectors/orders/tasks/0/restart',
      status: 204,
      then: shows(RUNNING),
    },
    {
      what: 'one that has failed, again',
      given: after(aFailedSink, 'POST /connectors/orders/tasks/0/restart'),
      path: '/connectors/orders/tasks/0/restart',
      status: 204,
      then: shows(RUNNING),
    },
    {
      what: 'one that runs',
      given: aRunningSink,
      path: '/connectors/orders/tasks/0/restart',
      status: 204,
      then: shows(RUNNING),
    },
    {
      what: 'one that is paused',
      given: after(aRunningSink, PAUSE),
      path: '/connectors/orders/tasks/0/restart',
      status: 204,
      then: shows(PAUSED),
    },
    {
      what: 'one that has failed, paused',
      given: after(aFailedSink, PAUSE),
      path: '/connectors/orders/tasks/0/restart',
      status: 204,
      then: shows(PAUSED),
    },
    {
      what: 'of one that is stopped, which has none',
      given: after(aRunningSink, STOP),
      path: '/connectors/orders/tasks/0/restart',
      ...error(404, 'Unknown task: orders-0'),
    },
    ...['1', '00', '-1', '+0', '1.5', 'first', '9223372036854775808', '0x0'].map((task) => ({
      what: `no such task: ${task}`,
      given: aFailedSink,
      path: `/connectors/orders/tasks/${task}/restart`,
      ...error(404, `Unknown task: orders-${task}`),
      then: shows({ connector: 'RUNNING', task: 'FAILED' }),
    })),
    { what: 'an unknown connector', path: '/connectors/nobody/tasks/0/restart', ...error(404, 'Unknown connector: nobody') },
  ]),
];
