import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import type { Cursor } from '../../../core/cursor/cursor.ts';
import { offset } from '../../../core/offset.ts';
import { ShardState } from '../../../scheduler/shard-state.ts';
import { aFreeRange, aHeldRange, aLogCursor, aShard, NOW_MS } from '../../support/builders.ts';

function aStateOf(cursor: Cursor): ShardState {
  const state = new ShardState(aShard);
  state.observe(stored(cursor, '1'), NOW_MS);
  return state;
}

function stored(cursor: Cursor, version: string) {
  return { value: encodeCursor(cursor), version };
}

describe('ShardState', () => {
  test('of two runs of one offer, only what the one held that ended is free', () => {
    const first = aHeldRange({ start: 0, end: 10, epoch: 1, owner: 'offer/a.1' });
    const second = aHeldRange({ start: 10, end: 20, epoch: 2, owner: 'offer/b.1' });
    const state = aStateOf(aLogCursor({ next: 20, open: [first, second] }));

    state.noteEnd('offer/a');

    expect(state.ended()).toEqual([{ owner: 'offer/a.1', epoch: 1 }]);
  });

  test('forgets whose end was seen once they hold nothing any more', () => {
    const held = aHeldRange({ start: 0, end: 10, epoch: 1, owner: 'offer/a.1' });
    const state = aStateOf(aLogCursor({ next: 10, open: [held] }));
    state.noteEnd('offer/a');

    state.observe(stored(aLogCursor({ next: 10, epoch: 1 }), '2'), NOW_MS);

    expect(state.ended()).toEqual([]);
  });

  test('knows that an offer is at work by a holder that bears its id', () => {
    const state = aStateOf(aLogCursor({ next: 10, open: [aHeldRange({ end: 10, owner: 'mine/a.1', deadlineAtMs: NOW_MS })] }));

    expect(state.isHeldBy('mine', NOW_MS - 1)).toBe(true);
    expect(state.isHeldBy('mine', NOW_MS)).toBe(false);
    expect(state.isHeldBy('min', NOW_MS - 1)).toBe(false);
  });

  test.each<[string, Cursor]>([
    ['an older epoch', aLogCursor({ next: 10, epoch: 4 })],
    ['an older generation', aLogCursor({ next: 10, epoch: 6, generation: 1 })],
    ['an older gate', aLogCursor({ next: 10, epoch: 6, generation: 2, gate: { state: 'paused', revision: 2 } })],
  ])('does not go back to a document of %s', (_what, old) => {
    const known = aLogCursor({ next: 20, epoch: 5, generation: 2, gate: { state: 'running', revision: 3 } });
    const state = aStateOf(known);

    expect(state.observe(stored(old, '2'), NOW_MS)).toBe(false);
    expect(state.cursor).toEqual(known);
  });

  test('takes note of when more was finished, and of no other change', () => {
    const open = [aFreeRange({ start: 0, end: 10 })];
    const state = aStateOf(aLogCursor({ next: 10, open }));

    state.observe(stored(aLogCursor({ next: 20, open: [aFreeRange({ start: 0, end: 20 })] }), '2'), NOW_MS + 1);
    const claimed = state.movedAtMs;
    state.observe(stored(aLogCursor({ next: 20, open: [aFreeRange({ start: 5, end: 20 })] }), '3'), NOW_MS + 2);

    expect([claimed, state.movedAtMs]).toEqual([null, NOW_MS + 2]);
  });

  test('counts on no more records than an invocation found', () => {
    const state = aStateOf(aLogCursor({ next: 10 }));
    state.bounds = { min: offset(0), max: offset(15) };

    state.noteDrained();

    expect(state.bounds).toEqual({ min: offset(0), max: offset(10) });
  });

  test('knows that what was claimed is there', () => {
    const state = aStateOf(aLogCursor({ next: 10 }));
    state.bounds = { min: offset(0), max: offset(10) };

    state.observe(stored(aLogCursor({ next: 30, epoch: 1 }), '2'), NOW_MS);

    expect(state.bounds).toEqual({ min: offset(0), max: offset(30) });
  });

  test('says why a document cannot be read, until one can', () => {
    const state = aStateOf(aLogCursor());

    state.observe({ value: 'nonsense', version: '2' }, NOW_MS);
    const problem = state.problem;
    state.observe(stored(aLogCursor({ epoch: 1 }), '3'), NOW_MS);

    expect(problem?.code).toBe('store.document_corrupt');
    expect(state.problem).toBeNull();
  });
});
