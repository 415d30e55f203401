import { describe, expect, test } from 'vitest';
import type { Connector } from '../../../core/connector.ts';
import type { Cursor } from '../../../core/cursor/cursor.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { offset } from '../../../core/offset.ts';
import { discoveryShardId, queueShardId, type ShardId, sourceShardId } from '../../../core/shard-id.ts';
import { backlogOf, type ShardView, statusOf, unreadableStatus } from '../../../scheduler/status.ts';
import { aCheckpointCursor, aFreeRange, aLogCursor } from '../../support/builders.ts';
import { aConnector } from '../../support/planning.ts';

const WORKER = 'localhost:8083';
const CLOSED = { state: 'paused', revision: 2 } as const;
const STOPPED = { state: 'stopped', revision: 2 } as const;

type Known = Parameters<typeof statusOf>[0];

function aKnownSink({
  tasksMax = 10,
  topics = ['orders'],
  problem = null,
  ...connector
}: Partial<Connector> & { tasksMax?: number; topics?: Known['topics']; problem?: string | null } = {}): Known {
  return {
    connector: {
      name: 'orders-sink',
      uid: 'uid',
      revision: 1,
      targetState: 'running',
      config: {},
      createdAtMs: 1,
      ...connector,
    },
    planned: aConnector({ tasksMax }),
    topics,
    pluginVersion: null,
    problem,
  };
}

function queueShard(queueId: number, topic = 'orders'): ShardId {
  return queueShardId('uid', { topic, brokerName: 'b', queueId });
}

function aView(shard: ShardId, cursor: Cursor | null, problem: FatalTaskError | null = null): ShardView {
  return { shard, cursor, problem };
}

function failed(code: 'task.failed' | 'shard.log_truncated', retryAtMs: number | null = null) {
  return { status: { state: 'failed', code, retryAtMs, restarts: 0 } } as const;
}

describe('statusOf', () => {
  test('deals the shards in a stable order to as many tasks as there may be', () => {
    const shards = [2, 0, 1].map((id) => aView(queueShard(id), aLogCursor(id === 2 ? failed('task.failed') : {})));

    const { tasks, connector, type } = statusOf(aKnownSink({ tasksMax: 2 }), shards, WORKER);

    expect(tasks.map(({ id, state, worker_id }) => [id, state, worker_id])).toEqual([
      [0, 'FAILED', WORKER],
      [1, 'RUNNING', WORKER],
    ]);
    expect(connector).toEqual({ state: 'RUNNING', worker_id: WORKER });
    expect(type).toBe('sink');
  });

  test('has no more tasks than shards', () => {
    const { tasks } = statusOf(aKnownSink({ tasksMax: 8 }), [aView(queueShard(0), aLogCursor())], WORKER);

    expect(tasks).toHaveLength(1);
  });

  test('is unassigned until an invocation has looked at a shard', () => {
    const untouched = aLogCursor({ gate: { state: 'stopped', revision: 0 } });

    const status = statusOf(aKnownSink(), [aView(queueShard(0), null), aView(queueShard(1), untouched)], WORKER);

    expect(status.connector.state).toBe('UNASSIGNED');
    expect(status.tasks.map(({ state }) => state)).toEqual(['UNASSIGNED', 'UNASSIGNED']);
  });

  test('says paused only once every gate is raised (I9)', () => {
    const known = aKnownSink({ targetState: 'paused', revision: 2 });
    const half = [aView(queueShard(0), aLogCursor({ gate: CLOSED })), aView(queueShard(1), aLogCursor())];
    const whole = [aView(queueShard(0), aLogCursor({ gate: CLOSED })), aView(queueShard(1), aLogCursor({ gate: CLOSED }))];

    const before = statusOf(known, half, WORKER);
    const after = statusOf(known, whole, WORKER);

    expect([before.connector.state, ...before.tasks.map(({ state }) => state)]).toEqual(['RUNNING', 'PAUSED', 'RUNNING']);
    expect([after.connector.state, ...after.tasks.map(({ state }) => state)]).toEqual(['PAUSED', 'PAUSED', 'PAUSED']);
  });

  test('says stopped only once every gate is raised, and lists no tasks then (I9)', () => {
    const known = aKnownSink({ targetState: 'stopped', revision: 2 });
    const half = [aView(queueShard(0), aLogCursor({ gate: STOPPED })), aView(queueShard(1), aLogCursor())];
    const whole = [aView(queueShard(0), aLogCursor({ gate: STOPPED })), aView(queueShard(1), null)];

    const before = statusOf(known, half, WORKER);
    const after = statusOf(known, whole, WORKER);

    expect([before.connector.state, before.tasks.length]).toEqual(['RUNNING', 2]);
    expect([after.connector.state, after.tasks.length]).toEqual(['STOPPED', 0]);
  });

  test('does not say stopped while a cursor cannot be read: its gate is not known (I9)', () => {
    const problem = new FatalTaskError('stored in format 9', { code: 'store.document_newer' });
    const shards = [aView(queueShard(0), aLogCursor({ gate: STOPPED }), problem)];

    const { connector, tasks } = statusOf(aKnownSink({ targetState: 'stopped', revision: 2 }), shards, WORKER);

    expect(connector.state).toBe('RUNNING');
    expect(tasks[0]?.trace).toMatch(/^store\.document_newer at orders\/b\/0@0: stored in format 9\. Next: Upgrade/);
  });

  test('names what failed, where, and the next step (I10)', () => {
    const cursor = aLogCursor({ next: 9, open: [aFreeRange({ start: 7, end: 9 })], ...failed('shard.log_truncated') });

    const { tasks } = statusOf(aKnownSink(), [aView(queueShard(3), cursor)], WORKER);

    expect(tasks[0]).toMatchObject({
      state: 'FAILED',
      trace:
        'shard.log_truncated at orders/b/3@7: The log ends before what was already read, or was created anew. Next: Stop the connector and reset the offsets of this shard to where it should read on.',
    });
  });

  test('says when a failed shard restarts by itself', () => {
    const cursor = aLogCursor(failed('task.failed', Date.UTC(2026, 0, 2)));

    const { tasks } = statusOf(aKnownSink(), [aView(queueShard(0), cursor)], WORKER);

    expect(tasks[0]?.trace).toContain('restarts by itself at 2026-01-02T00:00:00.000Z');
  });

  test('keeps a trace readable, however many shards failed', () => {
    const shards = Array.from({ length: 25 }, (_, id) => aView(queueShard(id), aLogCursor(failed('task.failed'))));

    const { tasks } = statusOf(aKnownSink({ tasksMax: 1 }), shards, WORKER);

    expect(tasks[0]?.trace?.split('\n')).toHaveLength(11);
    expect(tasks[0]?.trace).toMatch(/and 15 more$/);
  });

  test('shows no task for a queue of a topic that was taken out of the configuration', () => {
    const shards = [aView(queueShard(0), aLogCursor()), aView(queueShard(0, 'returns'), aLogCursor(failed('task.failed')))];

    const { tasks } = statusOf(aKnownSink(), shards, WORKER);

    expect(tasks.map(({ state }) => state)).toEqual(['RUNNING']);
  });

  test('shows PAUSED only once the gates of queues that are no longer read say so too (I9)', () => {
    const closed = aView(queueShard(0), aLogCursor({ gate: CLOSED }));
    const open = aView(queueShard(0, 'returns'), aLogCursor());

    const { connector } = statusOf(aKnownSink({ targetState: 'paused', revision: 2 }), [closed, open], WORKER);

    expect(connector.state).toBe('RUNNING');
  });

  test('names a queue that is gone; a task that has no other is unassigned (I10)', () => {
    const { tasks } = statusOf(
      aKnownSink(),
      [aView(queueShard(0), aLogCursor({ status: { state: 'gone', restarts: 0 } }))],
      WORKER,
    );

    expect(tasks[0]).toMatchObject({ state: 'UNASSIGNED', trace: expect.stringMatching(/^orders\/b\/0@0: the queue is gone/) });
  });

  test('shows a configuration that cannot be read as a failed connector', () => {
    const known = aKnownSink({ problem: 'connector.class: there is no such plugin', topics: null });

    const { connector, type } = statusOf(known, [aView(queueShard(0), aLogCursor())], WORKER);

    expect(connector).toMatchObject({ state: 'FAILED', trace: expect.stringContaining('there is no such plugin') });
    expect(type).toBe('unknown');
  });

  test('shows a discovery that failed at the connector, and deals it to no task', () => {
    const shards = [
      aView(discoveryShardId('uid'), aCheckpointCursor(failed('task.failed'))),
      aView(sourceShardId('uid', ['table', '1']), aCheckpointCursor({ checkpoint: { p: { row: 5 } } })),
    ];

    const { connector, tasks, type } = statusOf(aKnownSink({ topics: null }), shards, WORKER);

    expect(connector).toMatchObject({ state: 'FAILED', trace: expect.stringMatching(/^task\.failed at discovery: /) });
    expect(tasks.map(({ state }) => state)).toEqual(['RUNNING']);
    expect(type).toBe('source');
  });

  test('names the checkpoint of a source that failed', () => {
    const cursor = aCheckpointCursor({ checkpoint: { p: { row: 5 } }, ...failed('task.failed') });

    const { tasks } = statusOf(aKnownSink({ topics: null }), [aView(sourceShardId('uid', ['table', '1']), cursor)], WORKER);

    expect(tasks[0]?.trace).toMatch(/^task\.failed at table\/1@\{"p":\{"row":5\}\}: /);
  });

  test('of a document that cannot be read, only the name is known, and what is wrong', () => {
    const error = new FatalTaskError('the stored document of connector x cannot be read', { code: 'store.document_corrupt' });

    const status = unreadableStatus('x', error, WORKER);

    expect(status).toMatchObject({ name: 'x', connector: { state: 'FAILED' }, tasks: [], type: 'unknown' });
    expect(status.connector.trace).toMatch(/^store\.document_corrupt: .* Next: Restore/);
  });
});

describe('backlogOf', () => {
  test('counts from the watermark, or from where retention ended', () => {
    const cursor = aLogCursor({ next: 30, open: [aFreeRange({ start: 10, end: 20 })] });

    expect(backlogOf(cursor, { min: offset(0), max: offset(100) })).toBe(90);
    expect(backlogOf(cursor, { min: offset(40), max: offset(100) })).toBe(60);
    expect(backlogOf(cursor, { min: offset(0), max: offset(5) })).toBe(0);
  });

  test('is not known of a source, nor before the first look at a queue', () => {
    expect(backlogOf(aCheckpointCursor(), null)).toBeNull();
    expect(backlogOf(aLogCursor(), null)).toBeNull();
  });
});
