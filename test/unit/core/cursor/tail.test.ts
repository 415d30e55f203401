import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claim, claimTail } from '../../../../core/cursor/claim.ts';
import { closeTail, commit, release } from '../../../../core/cursor/commit.ts';
import { assertLogCursor, watermark } from '../../../../core/cursor/cursor.ts';
import { skip } from '../../../../core/cursor/steer.ts';
import { FencedError } from '../../../../core/errors.ts';
import { offset } from '../../../../core/offset.ts';
import {
  aFreeRange,
  aHeldRange,
  aLogClaim,
  aLogCursor,
  anAbandonedRange,
  aProgress,
  CLAIM_MS,
  claimed,
  GRACE_MS,
  NOW_MS,
} from '../../../support/builders.ts';
import { cursorsAndClaims, holdings } from '../../../support/cursor-arbitraries.ts';
import { unfinishedOf } from '../../../support/unfinished.ts';

const DEADLINE_AT_MS = NOW_MS + 30_000;
const aTail = aHeldRange({ start: 20, end: null });

describe('claimTail', () => {
  test('takes everything from next on, with an open end', () => {
    const cursor = aLogCursor({ next: 20 });

    const { slice, cursor: after } = claimed(claimTail(cursor, aLogClaim({ max: 20 })));

    expect(slice).toEqual({ kind: 'log', start: 20n, end: null, epoch: 1, generation: 1, deaths: 0, attempts: 0 });
    expect(after).toEqual({ ...cursor, epoch: 1, open: [aHeldRange({ start: 20, end: null, owner: 'claimer' })] });
  });

  test('is alone: a second one is refused (I4)', () => {
    const cursor = aLogCursor({ next: 20, open: [aTail] });

    const answer = claimTail(cursor, aLogClaim());

    expect(answer).toEqual({ kind: 'refused', reason: 'held', notBeforeMs: NOW_MS + CLAIM_MS + GRACE_MS });
  });

  test('takes what is open first, as a bounded slice', () => {
    const cursor = aLogCursor({ next: 100, open: [aFreeRange({ start: 50, end: 100 })] });

    const { slice } = claimed(claimTail(cursor, aLogClaim()));

    expect(slice).toMatchObject({ start: 50n, end: 100n });
  });

  test('takes a bounded slice from next beside one that is held (I4)', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })] });

    const { slice } = claimed(claimTail(cursor, aLogClaim({ records: 10 })));

    expect(slice).toMatchObject({ start: 100n, end: 110n });
  });

  test('follows on from a dead tail that has nothing behind its start, as a tail', () => {
    const cursor = aLogCursor({ next: 20, open: [anAbandonedRange({ start: 20, end: null, epoch: 3 })] });

    const { slice, cursor: after } = claimed(claimTail(cursor, aLogClaim({ max: 20 })));

    expect(slice).toMatchObject({ start: 20n, end: null, epoch: 4 });
    expect(after.open).toHaveLength(1);
  });

  test('blames no death on a tail that had no record: the one that comes next was never touched', () => {
    const cursor = aLogCursor({ next: 20, open: [anAbandonedRange({ start: 20, end: null, deaths: 4 })] });

    const { slice } = claimed(claimTail(cursor, aLogClaim({ max: 20 })));

    expect(slice.deaths).toBe(0);
  });

  test('is refused by gate, revision and status like any claim (I9)', () => {
    const paused = aLogCursor({ gate: { state: 'paused', revision: 1 } });

    expect(claimTail(paused, aLogClaim())).toMatchObject({ kind: 'refused', reason: 'gate-closed' });
    expect(claimTail(aLogCursor(), aLogClaim({ revision: 2 }))).toMatchObject({ kind: 'refused', reason: 'revision-differs' });
    expect(claimTail(aLogCursor({ status: { state: 'gone', restarts: 0 } }), aLogClaim())).toMatchObject({
      kind: 'refused',
      reason: 'gone',
    });
  });

  test('restarts a failed shard whose retry time has come', () => {
    const cursor = aLogCursor({ status: { state: 'failed', code: 'task.failed', retryAtMs: NOW_MS, restarts: 0 } });

    expect(claimed(claimTail(cursor, aLogClaim())).cursor.status).toEqual({ state: 'active', restarts: 1 });
  });

  test('loses no range, is alone, and is the same when its reply was lost (I1, I2, I4)', () => {
    fc.assert(
      fc.property(cursorsAndClaims, ({ cursor, request }) => {
        const answer = claimTail(cursor, request);

        if (answer.kind === 'refused') return;
        assertLogCursor(answer.cursor);
        expect(unfinishedOf(answer.cursor)).toEqual(unfinishedOf(cursor));
        if (answer.slice.end === null) expect(answer.cursor.open).toHaveLength(1);
        expect(claimTail(answer.cursor, request)).toEqual(answer);
      }),
    );
  });
});

describe('a tail', () => {
  test('moves start and next with each commit, and stays', () => {
    const cursor = aLogCursor({ next: 20, open: [aTail] });

    const after = commit(cursor, aProgress({ from: 20, upTo: 30 }), DEADLINE_AT_MS);

    expect(after).toMatchObject({ next: 30n, open: [aHeldRange({ start: 30, end: null, deadlineAtMs: DEADLINE_AT_MS })] });
  });

  test('keeps its deadline moving while there is no record', () => {
    const cursor = aLogCursor({ next: 20, open: [aTail] });

    const after = commit(cursor, aProgress({ from: 20, upTo: 20 }), DEADLINE_AT_MS);

    expect(after).toMatchObject({ next: 20n, open: [aHeldRange({ start: 20, end: null, deadlineAtMs: DEADLINE_AT_MS })] });
  });

  test('goes on behind the gap when retention overtakes it', () => {
    const cursor = skip(aLogCursor({ next: 20, open: [aTail] }), offset(60));

    const after = commit(cursor, aProgress({ from: 20, upTo: 30 }), DEADLINE_AT_MS);

    expect(after).toMatchObject({ next: 60n, open: [aHeldRange({ start: 60, end: null, deadlineAtMs: DEADLINE_AT_MS })] });
  });
});

describe('closeTail', () => {
  test('fixes the end at what was read, so that others claim behind it', () => {
    const cursor = aLogCursor({ next: 20, open: [aTail] });

    const after = closeTail(cursor, { epoch: 1, generation: 1, end: offset(50) });

    expect(after).toMatchObject({ next: 50n, open: [aHeldRange({ start: 20, end: 50 })] });
    expect(claimed(claim(after, aLogClaim({ records: 10 }))).slice).toMatchObject({ start: 50n, end: 60n });
  });

  test('then commits and ends like any slice', () => {
    const closed = closeTail(aLogCursor({ next: 20, open: [aTail] }), { epoch: 1, generation: 1, end: offset(50) });

    const half = commit(closed, aProgress({ from: 20, upTo: 40 }), DEADLINE_AT_MS);
    const whole = commit(half, aProgress({ from: 40, upTo: 50 }), DEADLINE_AT_MS);

    expect(half).toMatchObject({ next: 50n, open: [aHeldRange({ start: 40, end: 50, deadlineAtMs: DEADLINE_AT_MS })] });
    expect(whole).toMatchObject({ next: 50n, open: [] });
  });

  test('leaves what was read and not finished below its end when it is released', () => {
    const closed = closeTail(aLogCursor({ next: 20, open: [aTail] }), { epoch: 1, generation: 1, end: offset(50) });

    const after = release(closed, aProgress({ from: 20, upTo: 30 }), offset(50));

    expect(after).toMatchObject({ next: 50n, open: [aFreeRange({ start: 30, end: 50 })] });
  });

  test('removes a tail that has nothing left', () => {
    const cursor = aLogCursor({ next: 20, open: [aTail] });

    expect(closeTail(cursor, { epoch: 1, generation: 1, end: offset(20) })).toEqual({ ...cursor, open: [] });
  });

  test('leaves no range below a gap that overtook what was read (I3)', () => {
    const cursor = skip(aLogCursor({ next: 20, open: [aTail] }), offset(60));

    const after = closeTail(cursor, { epoch: 1, generation: 1, end: offset(40) });

    expect(after).toEqual({ ...cursor, open: [] });
    expect(watermark(after)).toBe(60n);
  });

  test('changes nothing when its reply was lost, whoever claimed behind it since (I2)', () => {
    const close = { epoch: 1, generation: 1, end: offset(50) };
    const closed = closeTail(aLogCursor({ next: 20, open: [aTail] }), close);
    const { cursor } = claimed(claim(closed, aLogClaim()));

    expect(closeTail(closed, close)).toBe(closed);
    expect(closeTail(cursor, close)).toBe(cursor);
  });

  test('refuses the epoch that a reclaim replaced, and another generation (I2)', () => {
    const cursor = aLogCursor({ next: 50, epoch: 2, open: [aHeldRange({ start: 20, end: 50, epoch: 2 })] });

    expect(() => closeTail(cursor, { epoch: 1, generation: 1, end: offset(60) })).toThrow(FencedError);
    expect(() => closeTail(cursor, { epoch: 2, generation: 2, end: offset(60) })).toThrow(FencedError);
  });

  test('loses no range (I1)', () => {
    fc.assert(
      fc.property(holdings, ({ cursor, held, readEnd }) => {
        const after = closeTail(cursor, { epoch: held.epoch, generation: cursor.generation, end: readEnd });

        assertLogCursor(after);
        expect(unfinishedOf(after)).toEqual(unfinishedOf(cursor));
        expect(watermark(after)).toBe(watermark(cursor));
      }),
    );
  });
});
