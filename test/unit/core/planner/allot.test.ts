import { describe, expect, test } from 'vitest';
import type { LimitReason } from '../../../../core/planner/allot.ts';
import type { PlannedConnector, PlannedShard, PlannerLimits, Running } from '../../../../core/planner/view.ts';
import { NOW_MS } from '../../../support/builders.ts';
import { plan } from '../../../support/plan.ts';
import { aConnector, aQueueShard, runningCursor, TERMS, UNLIMITED } from '../../../support/planning.ts';

const LARGE = 1_000_000;

interface World {
  readonly connectors?: readonly PlannedConnector[];
  readonly shards: readonly PlannedShard[];
  readonly limits?: Partial<PlannerLimits>;
  readonly tails?: Running['tails'];
}

function planOf({ connectors = [aConnector()], shards, limits, tails = new Map() }: World) {
  return plan(connectors, shards, { terms: TERMS, limits: { ...UNLIMITED, ...limits }, tails, nowMs: NOW_MS });
}

/** Of one connector, as many as asked for. */
function queues(count: number, fields: Parameters<typeof aQueueShard>[0] = {}): readonly PlannedShard[] {
  return Array.from({ length: count }, (_, queueId) => aQueueShard({ queueId, ...fields }));
}

const limited: readonly (readonly [LimitReason, Omit<World, 'shards'>])[] = [
  ['tasks.max', { connectors: [aConnector({ tasksMax: 2 })] }],
  ['back-pressure', { connectors: [aConnector({ bears: 2 })] }],
  ['invocations.max', { limits: { invocationsMax: 2 } }],
  ['ramp', { limits: { rampMax: 2 } }],
  ['no-free-slot', { limits: { freeSlots: 2 } }],
];

describe('allot', () => {
  test.each(limited)('says that %s keeps a shard waiting', (reason, world) => {
    const shards = queues(3, { records: LARGE });

    const { allotments, reasons } = planOf({ ...world, shards });

    expect(allotments.map(({ shard }) => shard)).toEqual([shards[0]?.shard, shards[1]?.shard]);
    expect([...reasons.values()].map(({ withheld }) => withheld)).toEqual([null, null, reason]);
  });

  test('says tasks.max where the target bears more than that', () => {
    const { reasons } = planOf({ connectors: [aConnector({ tasksMax: 1, bears: 3 })], shards: queues(2, { records: 1 }) });

    expect([...reasons.values()].map(({ withheld }) => withheld)).toEqual([null, 'tasks.max']);
  });

  test('gives every shard of a connector one before any gets a second', () => {
    const shards = queues(2, { records: LARGE });

    const { allotments } = planOf({ connectors: [aConnector({ tasksMax: 3, slicesPerShardMax: 4 })], shards });

    expect(allotments.map(({ shard }) => shard)).toEqual([shards[0]?.shard, shards[1]?.shard, shards[0]?.shard]);
  });

  test('gives whoever waits longest the place of a connector', () => {
    const shards = [5_000, 9_000, 1_000].map((waitedMs, queueId) =>
      aQueueShard({ queueId, records: LARGE, waitingSinceMs: NOW_MS - waitedMs }),
    );

    const { allotments } = planOf({ connectors: [aConnector({ tasksMax: 1 })], shards });

    expect(allotments.map(({ shard }) => shard)).toEqual([shards[1]?.shard]);
  });

  test('gives a place to the connector with the fewest invocations', () => {
    const hot = aQueueShard({ uid: 'hot', records: LARGE, offers: new Set(['a', 'b']), waitingSinceMs: NOW_MS - 4_000 });
    const cold = aQueueShard({ uid: 'cold', records: 1 });

    const { allotments } = planOf({
      connectors: [aConnector({ uid: 'hot', slicesPerShardMax: 8 }), aConnector({ uid: 'cold' })],
      shards: [hot, cold],
      limits: { freeSlots: 1 },
    });

    expect(allotments.map(({ uid }) => uid)).toEqual(['cold']);
  });

  test('lets a long wait outweigh the invocations that a connector has', () => {
    const waits = aQueueShard({ uid: 'waits', records: LARGE, offers: new Set(['a', 'b']), waitingSinceMs: NOW_MS - 15_000 });
    const fresh = aQueueShard({ uid: 'fresh', records: 1 });

    const { allotments } = planOf({
      connectors: [aConnector({ uid: 'waits', slicesPerShardMax: 8 }), aConnector({ uid: 'fresh' })],
      shards: [waits, fresh],
      limits: { freeSlots: 1 },
    });

    expect(allotments.map(({ uid }) => uid)).toEqual(['waits']);
  });

  test('lets invocations go on for half a minute where nobody waits, and for two seconds where places are scarce', () => {
    const shards = queues(2, { records: LARGE });

    expect(planOf({ shards }).allotments.map(({ quantumMs }) => quantumMs)).toEqual([30_000, 30_000]);
    expect(planOf({ shards, limits: { freeSlots: 1 } }).allotments.map(({ quantumMs }) => quantumMs)).toEqual([2_000]);
  });

  test('lets invocations go on for two seconds where another shard waits for tasks.max, and only there', () => {
    const { allotments } = planOf({
      connectors: [aConnector({ uid: 'narrow', tasksMax: 1 }), aConnector({ uid: 'wide', tasksMax: 1 })],
      shards: [...queues(2, { uid: 'narrow', records: LARGE }), aQueueShard({ uid: 'wide', records: LARGE })],
    });

    expect(allotments.map(({ uid, quantumMs }) => [uid, quantumMs])).toEqual([
      ['narrow', 2_000],
      ['wide', 30_000],
    ]);
  });

  test('lets an invocation end soon whose slices nobody has measured yet', () => {
    const { allotments } = planOf({ shards: queues(1, { records: LARGE, cursor: runningCursor() }) });

    expect(allotments.map(({ quantumMs }) => quantumMs)).toEqual([2_000]);
  });

  test.each([
    ['places are scarce', { limits: { freeSlots: 1 } }],
    ["its connector's other shards wait", { connectors: [aConnector({ tasksMax: 1 })] }],
  ])('lets nobody wait for records while %s', (_, world) => {
    const { allotments } = planOf({ ...world, shards: queues(2, { records: 1 }) });

    expect(allotments.map(({ mode, quantumMs }) => [mode, quantumMs])).toEqual([['slice', 2_000]]);
  });

  test('lets those that waited longest follow, up to half of what may run, and the others come and go', () => {
    const shards = [0, 6_000, 0, 7_000].map((waitedMs, queueId) =>
      aQueueShard({ queueId, records: 1, waitingSinceMs: NOW_MS - waitedMs }),
    );

    const { allotments } = planOf({ shards, limits: { freeSlots: 4 } });

    expect(allotments.map(({ shard, mode }) => [shard, mode])).toEqual([
      [shards[3]?.shard, 'tail'],
      [shards[1]?.shard, 'tail'],
      [shards[0]?.shard, 'slice'],
      [shards[2]?.shard, 'slice'],
    ]);
  });

  test('lets nobody more follow while half of what may run does', () => {
    const { allotments } = planOf({
      shards: queues(2, { records: 1 }),
      limits: { freeSlots: 2 },
      tails: new Map([['another', 1]]),
    });

    expect(allotments.map(({ mode }) => mode)).toEqual(['slice', 'slice']);
  });

  test.each([
    ['all but one of four', { tasksMax: 4 }, ['tail', 'tail', 'tail', 'slice']],
    ['all but two of five', { tasksMax: 5 }, ['tail', 'tail', 'tail', 'slice', 'slice']],
    ['none, where there is one', { tasksMax: 1 }, ['slice']],
    ['all but one that its target bears', { tasksMax: 6, bears: 3 }, ['tail', 'tail', 'slice']],
  ])('lets shards of a connector that has more of them than tasks follow with %s', (_, fields, modes) => {
    const shards = [...queues(modes.length, { records: 1 }), ...queues(6).slice(modes.length)];

    const { allotments } = planOf({ connectors: [aConnector(fields)], shards });

    expect(allotments.map(({ mode }) => mode)).toEqual(modes);
  });

  test('counts the tails that a connector has', () => {
    const shards = [...queues(2, { records: 1 }), ...queues(6).slice(2)];

    const { allotments } = planOf({ connectors: [aConnector({ tasksMax: 4 })], shards, tails: new Map([['uid', 2]]) });

    expect(allotments.map(({ mode }) => mode)).toEqual(['tail', 'slice']);
  });

  test('lets every shard follow that has a task, beside others that want none any more', () => {
    const settled = queues(3, { cursor: runningCursor({ status: { state: 'done' } }) }).slice(1);

    const { allotments } = planOf({
      connectors: [aConnector({ tasksMax: 1 })],
      shards: [...queues(1, { records: 1 }), ...settled],
    });

    expect(allotments.map(({ mode }) => mode)).toEqual(['tail']);
  });

  test('follows with the only slot there is', () => {
    const { allotments } = planOf({ shards: queues(1, { records: 1 }), limits: { freeSlots: 1 } });

    expect(allotments).toMatchObject([{ mode: 'tail', quantumMs: 30_000, slice: { durationMs: 30_000 } }]);
  });
});
