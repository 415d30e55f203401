import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import type { Demand } from '../../../core/planner/demand.ts';
import { queueShardId, type ShardId } from '../../../core/shard-id.ts';
import type { ShardState } from '../../../scheduler/shard-state.ts';
import { ShardTable } from '../../../scheduler/shard-table.ts';
import { aHeldRange, aLogCursor, NOW_MS } from '../../support/builders.ts';

function shardOf(uid: string, queueId = 0): ShardId {
  return queueShardId(uid, { topic: 'orders', brokerName: 'broker', queueId });
}

function aTable(): { table: ShardTable; forgotten: ShardState[] } {
  const forgotten: ShardState[] = [];
  return { table: new ShardTable((state) => forgotten.push(state)), forgotten };
}

function aDemand(fields: Partial<Demand> = {}): Demand {
  return {
    reason: 'backlog',
    running: 0,
    slots: 0,
    mode: 'slice',
    slice: { records: 1, bytes: 1, durationMs: 1 },
    isPaced: false,
    againAtMs: null,
    ...fields,
  };
}

describe('ShardTable', () => {
  test('knows each shard once, by itself and with those of its connector', () => {
    const { table } = aTable();

    const one = table.ensure(shardOf('a', 0));
    const two = table.ensure(shardOf('a', 1));
    table.ensure(shardOf('b'));

    expect(table.ensure(shardOf('a', 0))).toBe(one);
    expect(table.get(shardOf('a', 1))).toBe(two);
    expect([...table.ofConnector('a')]).toEqual([one, two]);
    expect([...table.ofConnector('nobody')]).toEqual([]);
  });

  test('has a shard looked at when it is new, and once for all that changed since', () => {
    const { table } = aTable();
    const state = table.ensure(shardOf('a'));
    const atFirst = table.takeDue(NOW_MS);
    const without = table.takeDue(NOW_MS);

    table.touch(state);
    table.touchConnector('a');

    expect([atFirst, without, table.takeDue(NOW_MS)]).toEqual([[state], [], [state]]);
  });

  test('has a shard looked at when its cursor says something new', () => {
    const { table } = aTable();
    const state = table.ensure(shardOf('a'));
    table.takeDue(NOW_MS);
    const document = { value: encodeCursor(aLogCursor({ next: 5 })), version: '1' };

    table.observe(state, document, NOW_MS);
    const changed = table.takeDue(NOW_MS);
    table.observe(state, document, NOW_MS);

    expect([changed, table.takeDue(NOW_MS)]).toEqual([[state], []]);
    expect([state.observedAs, table.observations]).toEqual([2, 2]);
  });

  test('has a shard looked at again when time alone has made it worth it', () => {
    const { table } = aTable();
    const state = table.ensure(shardOf('a'));
    table.takeDue(NOW_MS);

    table.note(state, aDemand({ againAtMs: NOW_MS + 10 }), NOW_MS);

    expect(table.nextAtMs).toBe(NOW_MS + 10);
    expect([table.takeDue(NOW_MS + 9), table.takeDue(NOW_MS + 10)]).toEqual([[], [state]]);
    expect(table.nextAtMs).toBeNull();
  });

  test('has no shard looked at for a moment that it no longer waits for', () => {
    const { table } = aTable();
    const state = table.ensure(shardOf('a'));
    table.takeDue(NOW_MS);
    table.note(state, aDemand({ againAtMs: NOW_MS + 10 }), NOW_MS);

    table.note(state, aDemand({ againAtMs: NOW_MS + 20 }), NOW_MS);

    expect([table.takeDue(NOW_MS + 10), table.takeDue(NOW_MS + 20)]).toEqual([[], [state]]);
  });

  test('counts what runs, in all and by connector', () => {
    const { table } = aTable();
    const [one, two] = [table.ensure(shardOf('a', 0)), table.ensure(shardOf('a', 1))];
    const other = table.ensure(shardOf('b'));

    table.note(one, aDemand({ running: 2 }), NOW_MS);
    table.note(two, aDemand({ running: 1 }), NOW_MS);
    table.note(other, aDemand({ running: 4 }), NOW_MS);
    const before = [table.running.total, ...table.running.byConnector];
    table.note(one, aDemand({ running: 0 }), NOW_MS);
    table.note(other, null, NOW_MS);

    expect(before).toEqual([7, ['a', 3], ['b', 4]]);
    expect([table.running.total, ...table.running.byConnector]).toEqual([1, ['a', 1]]);
  });

  test('knows who wants an invocation, and since when', () => {
    const { table } = aTable();
    const [one, two] = [table.ensure(shardOf('a', 0)), table.ensure(shardOf('a', 1))];

    table.note(one, aDemand({ slots: 1 }), NOW_MS);
    table.note(one, aDemand({ slots: 2 }), NOW_MS + 5);
    table.note(two, aDemand({ reason: 'collecting' }), NOW_MS + 7);
    const waiting = [table.isAnyWanting, table.wanting(), one.waitingSinceMs, two.waitingSinceMs];
    table.note(one, aDemand(), NOW_MS + 9);

    expect(waiting).toEqual([true, [one], NOW_MS, NOW_MS + 7]);
    expect([table.isAnyWanting, one.waitingSinceMs]).toEqual([false, null]);
  });

  test('knows that what an ended process had claimed is free, also where the cursor says nothing new', () => {
    const { table } = aTable();
    const state = table.ensure(shardOf('a'));
    const open = [aHeldRange({ end: 2, owner: 'gone-1/run.1' })];
    const document = { value: encodeCursor(aLogCursor({ next: 2, open })), version: '1' };
    table.observe(state, document, NOW_MS);
    table.takeDue(NOW_MS);
    const before = state.ended();

    const ended = ['gone-'];
    const isFreed = [table.noteEndedOffers(ended), table.noteEndedOffers(ended)];
    table.observe(state, document, NOW_MS);
    table.observe(state, document, NOW_MS);

    expect(isFreed).toEqual([true, false]);
    expect([before, state.ended()]).toEqual([[], [{ owner: 'gone-1/run.1', epoch: 1, isGone: true }]]);
    expect(table.takeDue(NOW_MS)).toEqual([state]);
  });

  test('knows the same of a cursor that it comes to see later', () => {
    const { table } = aTable();
    const state = table.ensure(shardOf('a'));
    const open = [aHeldRange({ end: 2, owner: 'gone-1/run.1' })];

    const isFreed = table.noteEndedOffers(['gone-']);
    table.observe(state, { value: encodeCursor(aLogCursor({ next: 2, open })), version: '1' }, NOW_MS);

    expect(isFreed).toBe(false);
    expect(state.ended()).toEqual([{ owner: 'gone-1/run.1', epoch: 1, isGone: true }]);
  });

  test('counts offers under way also where nothing is known of what a shard deserves', () => {
    const { table } = aTable();
    const state = table.ensure(shardOf('a'));
    state.offers.add('offer');

    table.note(state, null, NOW_MS);

    expect([table.running.total, ...table.running.byConnector]).toEqual([1, ['a', 1]]);
  });

  test('counts the offers of a shard that it forgot until they end, and knows them when it finds the shard again', () => {
    const { table } = aTable();
    const [gone, found] = [table.ensure(shardOf('a', 0)), table.ensure(shardOf('a', 1))];
    for (const state of [gone, found]) {
      state.offers.add(`offer for ${state.shard}`);
      table.observe(state, { value: encodeCursor(aLogCursor({ next: 1 })), version: '1' }, NOW_MS);
      table.forget(state);
    }
    const forgotten = table.running.total;

    const again = table.ensure(found.shard);
    gone.offers.clear();
    table.touch(gone);
    const due = table.takeDue(NOW_MS);

    expect([forgotten, table.running.total]).toEqual([2, 1]);
    expect([again.offers.size, again.cursor, again.version]).toEqual([1, null, null]);
    expect(due).toEqual([again]);
    expect(table.ensure(gone.shard)).not.toBe(gone);
  });

  test('forgets a shard with all that was known of it, and says so once', () => {
    const { table, forgotten } = aTable();
    const state = table.ensure(shardOf('a'));
    table.note(state, aDemand({ running: 2, slots: 1, againAtMs: NOW_MS }), NOW_MS);

    table.forget(state);
    table.forget(state);

    expect(forgotten).toEqual([state]);
    expect([table.get(state.shard), table.isAnyWanting, table.running.total, table.takeDue(NOW_MS)]).toEqual([
      undefined,
      false,
      0,
      [],
    ]);
    expect([...table.ofConnector('a')]).toEqual([]);
  });

  test('keeps a shard that came back apart from the one that was forgotten', () => {
    const { table, forgotten } = aTable();
    const old = table.ensure(shardOf('a'));
    table.forget(old);
    const back = table.ensure(shardOf('a'));

    table.forget(old);
    table.touch(old);

    expect([table.get(back.shard), forgotten.length]).toEqual([back, 1]);
    expect(table.takeDue(NOW_MS)[0]).toBe(back);
  });
});
