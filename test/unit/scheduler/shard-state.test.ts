import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import { closeTail, commit, fail, release } from '../../../core/cursor/commit.ts';
import { type Cursor, heldRanges, type LogCursor } from '../../../core/cursor/cursor.ts';
import { skip } from '../../../core/cursor/steer.ts';
import { offset } from '../../../core/offset.ts';
import { ShardState } from '../../../scheduler/shard-state.ts';
import { aCheckpointCursor, aFreeRange, aHeldRange, aLogCursor, aShard, NOW_MS } from '../../support/builders.ts';
import { type Holding, holdings } from '../../support/cursor-arbitraries.ts';

function aStateOf(cursor: Cursor): ShardState {
  const state = new ShardState(aShard);
  state.observe(stored(cursor, '1'), NOW_MS);
  return state;
}

function stored(cursor: Cursor, version: string) {
  return { value: encodeCursor(cursor), version };
}

function finished({ next, open }: LogCursor): bigint {
  return open.reduce((sum, { start, end }) => sum - ((end ?? next) - start), next as bigint);
}

describe('ShardState', () => {
  test('of two runs of one offer, only what the one held that ended is free', () => {
    const first = aHeldRange({ start: 0, end: 10, epoch: 1, owner: 'offer/a.1' });
    const second = aHeldRange({ start: 10, end: 20, epoch: 2, owner: 'offer/b.1' });
    const state = aStateOf(aLogCursor({ next: 20, open: [first, second] }));

    state.noteEnd('offer/a', { isGone: true });

    expect(state.ended()).toEqual([{ owner: 'offer/a.1', epoch: 1, isGone: true }]);
  });

  test('is behind since it last had nothing to do, or since the newest record that is finished was stored', () => {
    const cursor = aLogCursor({ next: 10, lastStoredAtMs: NOW_MS - 60_000 });
    const state = aStateOf(cursor);
    const atMs: number[] = [];
    const seen = (max: number, nowMs: number): void => {
      state.bounds = { min: offset(0), max: offset(max) };
      state.noteBacklog(nowMs);
      atMs.push(state.behindMs(nowMs));
    };

    seen(12, NOW_MS);
    seen(10, NOW_MS + 1_000);
    seen(13, NOW_MS + 100_000);
    seen(14, NOW_MS + 101_500);

    expect(atMs).toEqual([60_000, 0, 0, 1_500]);
  });

  test('that has finished nothing is behind since it was first seen to have something to do', () => {
    const state = aStateOf(aLogCursor({ next: 10, lastStoredAtMs: null }));
    state.bounds = { min: offset(0), max: offset(12) };
    state.noteBacklog(NOW_MS);

    expect([state.backlogRecords, state.behindMs(NOW_MS + 5_000)]).toEqual([2, 5_000]);
    expect(aStateOf(aCheckpointCursor()).behindMs(NOW_MS)).toBe(0);
  });

  test('forgets whose end was seen once they hold nothing any more', () => {
    const held = aHeldRange({ start: 0, end: 10, epoch: 1, owner: 'offer/a.1' });
    const state = aStateOf(aLogCursor({ next: 10, open: [held] }));
    state.noteEnd('offer/a', { isGone: true });

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

  test.each<[string, Cursor, Cursor]>([
    [
      'from before a release',
      aLogCursor({ next: 10, open: [aHeldRange({ end: 10 })] }),
      aLogCursor({ next: 10, epoch: 1, open: [aFreeRange({ end: 10 })] }),
    ],
    [
      'from before a commit',
      aLogCursor({ next: 10, open: [aHeldRange({ start: 2, end: 10 })] }),
      aLogCursor({ next: 10, open: [aHeldRange({ start: 5, end: 10 })] }),
    ],
    [
      "from before a tail's commit",
      aLogCursor({ next: 5, open: [aHeldRange({ start: 5, end: null })] }),
      aLogCursor({ next: 9, open: [aHeldRange({ start: 9, end: null })] }),
    ],
    [
      "from before a source's release",
      aCheckpointCursor({ epoch: 1, holder: { owner: 'holder', deadlineAtMs: NOW_MS } }),
      aCheckpointCursor({ epoch: 1, checkpoint: { p: 1 } }),
    ],
  ])('does not go back to a document %s, which has the same epoch', (_what, old, known) => {
    const state = aStateOf(known);

    expect(state.observe(stored(old, '2'), NOW_MS)).toBe(false);
    expect(state.cursor).toEqual(known);
  });

  test.each<[string, (holding: Holding) => LogCursor]>([
    ['commit', ({ cursor, progress }) => commit(cursor, progress, NOW_MS)],
    ['release', ({ cursor, progress, readEnd }) => release(cursor, progress, readEnd)],
    ['fail', ({ cursor, progress, readEnd }) => fail(cursor, progress, { readEnd, error: 'task.failed', retryAtMs: NOW_MS })],
    ['skip', ({ cursor, readEnd }) => skip(cursor, readEnd)],
    [
      'closeTail',
      ({ cursor, held, readEnd }) =>
        held.end === null ? closeTail(cursor, { epoch: held.epoch, generation: cursor.generation, end: readEnd }) : cursor,
    ],
  ])('goes forward with every %s, and not back', (_name, change) => {
    fc.assert(
      fc.property(holdings, (holding) => {
        const before = holding.cursor;
        const after = change(holding);
        const state = aStateOf(before);

        state.observe(stored(after, '2'), NOW_MS);
        const forward = state.cursor;
        state.observe(stored(before, '1'), NOW_MS);

        expect(forward).toEqual(after);
        expect(finished(state.cursor as LogCursor)).toBe(finished(after));
        expect(heldRanges(state.cursor as LogCursor)).toHaveLength(heldRanges(after).length);
      }),
    );
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
