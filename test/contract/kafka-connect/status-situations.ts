import { INFO, INSTANCE, STATUS, TASK, UNREADABLE, VAULT_INFO } from './answers.ts';
import {
  aFailedSink,
  aFailedSource,
  anOrdersSink,
  anUnreadableSink,
  aRunningSink,
  aSinkBeingDeleted,
  aSpoiledSink,
  aStoppedSink,
  aStoppedSource,
  aVault,
  error,
  type Situation,
  situationsOf,
} from './situation.ts';

const TRACE =
  'record.conversion_failed at orders/memory/0@0: A converter could not read or write a record in the shape it declares. It restarts by itself at 2026-01-01T00:01:00.000Z. Next: Check key.converter and value.converter against what the topic holds, or set errors.tolerance=all with a dead-letter queue.';
const FAILED_TASK = { id: 0, state: 'FAILED', ...INSTANCE, trace: TRACE };
/** Nothing is known of its plugin. */
const { version: _, ...UNVERSIONED } = INSTANCE;
const SPOILED = 'config.invalid: speed: is not a key of memory-append, which has none. Next: Correct each key that is named.';

const PATH = '/connectors/orders/status';

type Given = NonNullable<Situation['given']>;

function of(given: Given, verb: string): Given {
  return async (api) => {
    await given(api);
    await api.ask('PUT', `/connectors/orders/${verb}`);
  };
}

export const statusSituations: readonly Situation[] = [
  ...situationsOf('GET /connectors/{connector}/status', [
    { what: 'of a running one', given: aRunningSink, path: PATH, status: 200, body: STATUS },
    {
      what: 'before its first invocation',
      given: anOrdersSink,
      path: PATH,
      status: 200,
      body: { ...STATUS, connector: { state: 'UNASSIGNED', ...INSTANCE }, tasks: [] },
    },
    {
      what: 'of one that is paused: it keeps its tasks',
      given: of(aRunningSink, 'pause'),
      path: PATH,
      status: 200,
      body: { ...STATUS, connector: { state: 'PAUSED', ...INSTANCE }, tasks: [{ id: 0, state: 'PAUSED', ...INSTANCE }] },
    },
    {
      what: 'of one that is stopped: it has none',
      given: aStoppedSink,
      path: PATH,
      status: 200,
      body: { ...STATUS, connector: { state: 'STOPPED', ...INSTANCE }, tasks: [] },
    },
    {
      what: 'of one whose task has failed: where, why, and what to do',
      given: aFailedSink,
      path: PATH,
      status: 200,
      body: { ...STATUS, tasks: [FAILED_TASK] },
    },
    {
      what: 'of one whose task has failed, paused',
      given: of(aFailedSink, 'pause'),
      path: PATH,
      status: 200,
      body: { ...STATUS, connector: { state: 'PAUSED', ...INSTANCE }, tasks: [FAILED_TASK] },
    },
    {
      what: 'of one whose task has failed, stopped',
      given: of(aFailedSink, 'stop'),
      path: PATH,
      status: 200,
      body: { ...STATUS, connector: { state: 'STOPPED', ...INSTANCE }, tasks: [] },
    },
    {
      what: 'of one whose configuration is not valid any more',
      given: aSpoiledSink,
      path: PATH,
      status: 200,
      body: {
        name: 'orders',
        connector: { state: 'FAILED', ...UNVERSIONED, trace: SPOILED },
        tasks: [{ id: 0, state: 'RUNNING', ...UNVERSIONED }],
        type: 'unknown',
      },
    },
    { what: 'of one whose document cannot be read', given: anUnreadableSink, path: PATH, status: 200, body: UNREADABLE },
    {
      what: 'of a source that cannot find its shards',
      given: aFailedSource,
      path: '/connectors/rows/status',
      status: 200,
      body: {
        name: 'rows',
        connector: {
          state: 'FAILED',
          ...INSTANCE,
          trace:
            'sink.unauthorized at discovery: The system being written to refuses the credentials. Next: Correct the credentials in the connector configuration, or what they are allowed to do, then restart the connector.',
        },
        tasks: [{ id: 0, state: 'UNASSIGNED', ...INSTANCE }],
        type: 'source',
      },
    },
    {
      what: 'of a source that is stopped',
      given: aStoppedSource,
      path: '/connectors/rows/status',
      status: 200,
      body: { name: 'rows', connector: { state: 'STOPPED', ...INSTANCE }, tasks: [], type: 'source' },
    },
    {
      what: 'of one that is being deleted, until nothing of it runs',
      given: aSinkBeingDeleted,
      path: PATH,
      status: 200,
      body: STATUS,
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
    { what: 'before its first invocation', given: anOrdersSink, path: '/connectors/orders/tasks', status: 200, body: [] },
    {
      what: 'of one that is paused',
      given: of(aRunningSink, 'pause'),
      path: '/connectors/orders/tasks',
      status: 200,
      body: [{ id: TASK, config: INFO.config }],
    },
    { what: 'of one that is stopped', given: aStoppedSink, path: '/connectors/orders/tasks', status: 200, body: [] },
    {
      what: 'with what is secret',
      given: async (api) => {
        api.log.createTopic('orders', { queues: 1 });
        await aVault(api);
        await api.run('vault');
      },
      path: '/connectors/vault/tasks',
      status: 200,
      body: [{ id: { connector: 'vault', task: 0 }, config: VAULT_INFO.config }],
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
      what: 'of one that has failed',
      given: aFailedSink,
      path: '/connectors/orders/tasks/0/status',
      status: 200,
      body: FAILED_TASK,
    },
    {
      what: 'of one that is stopped',
      given: aStoppedSink,
      path: '/connectors/orders/tasks/0/status',
      ...error(404, 'No status found for task orders-0'),
    },
    ...['1', '00', '-1', '+0', '1.5', 'first', '9223372036854775808', '0x0'].map((task) => ({
      what: `of no such task: ${task}`,
      given: aRunningSink,
      path: `/connectors/orders/tasks/${task}/status`,
      ...error(404, `No status found for task orders-${task}`),
    })),
    {
      what: 'an unknown connector',
      path: '/connectors/nobody/tasks/0/status',
      ...error(404, 'No status found for task nobody-0'),
    },
  ]),
];
