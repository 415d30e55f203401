import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claim, type LogClaimRequest } from '../../../../core/cursor/claim.ts';
import { assertLogCursor, type LogCursor, OPEN_RANGES_MAX, type OpenRange, watermark } from '../../../../core/cursor/cursor.ts';
import {
  aFreeRange,
  aHeldRange,
  aLogClaim,
  aLogCursor,
  anAbandonedRange,
  CLAIM_MS,
  claimed,
  GRACE_MS,
  NOW_MS,
} from '../../../support/builders.ts';
import { claimableLogCursors, claimsOf, cursorsAndClaims, logCursors } from '../../../support/cursor-arbitraries.ts';
import { unfinishedOf } from '../../../support/unfinished.ts';

describe('claim', () => {
  test('takes a new range from next, up to the limit of records (I6)', () => {
    const cursor = aLogCursor({ next: 200 });

    const { slice, cursor: after } = claimed(claim(cursor, aLogClaim({ records: 100, max: 1_000 })));

    expect(slice).toEqual({ kind: 'log', start: 200n, end: 300n, epoch: 1, generation: 1, deaths: 0, attempts: 0 });
    expect(after).toEqual({ ...cursor, epoch: 1, next: 300n, open: [aHeldRange({ start: 200, end: 300, owner: 'claimer' })] });
  });

  test('takes no more than the log holds', () => {
    const cursor = aLogCursor({ next: 950 });

    const { slice } = claimed(claim(cursor, aLogClaim({ records: 100, max: 1_000 })));

    expect(slice.end).toBe(1_000n);
  });

  test.each([1_000, 999])('has nothing to claim when next is 1000 and the log ends at %i', (max) => {
    const answer = claim(aLogCursor({ next: 1_000 }), aLogClaim({ max }));

    expect(answer).toEqual({ kind: 'refused', reason: 'nothing-to-claim', notBeforeMs: null });
  });

  test('takes the lowest free range before a new one, as large as it was left', () => {
    const cursor = aLogCursor({
      next: 900,
      open: [aFreeRange({ start: 100, end: 400, attempts: 2 }), aFreeRange({ start: 500, end: 600 })],
    });

    const { slice, cursor: after } = claimed(claim(cursor, aLogClaim({ records: 100 })));

    expect(slice).toMatchObject({ start: 100n, end: 400n, attempts: 2 });
    expect(after.next).toBe(900n);
  });

  test('passes over a range whose retry time has not come', () => {
    const cursor = aLogCursor({
      next: 200,
      open: [aFreeRange({ retryAtMs: NOW_MS + 1 }), aFreeRange({ start: 100, end: 200, retryAtMs: NOW_MS })],
    });

    const { slice } = claimed(claim(cursor, aLogClaim()));

    expect(slice.start).toBe(100n);
  });

  test('says when a range that backs off can be claimed, when there is nothing else', () => {
    const cursor = aLogCursor({ next: 1_000, open: [aFreeRange({ retryAtMs: NOW_MS + 700 })] });

    const answer = claim(cursor, aLogClaim({ max: 1_000 }));

    expect(answer).toEqual({ kind: 'refused', reason: 'backing-off', notBeforeMs: NOW_MS + 700 });
  });

  test('holds at most K ranges, and says when the first of them can be taken', () => {
    const cursor = aLogCursor({
      next: 200,
      open: [
        aHeldRange({ epoch: 1, deadlineAtMs: NOW_MS + 300 }),
        aHeldRange({ start: 100, end: 200, epoch: 2, deadlineAtMs: NOW_MS + 200 }),
      ],
    });

    const answer = claim(cursor, aLogClaim({ heldMax: 2 }));

    expect(answer).toEqual({ kind: 'refused', reason: 'held', notBeforeMs: NOW_MS + 200 + GRACE_MS });
  });

  test('claims nothing new while eight ranges are open', () => {
    const open = Array.from({ length: OPEN_RANGES_MAX }, (_, index) =>
      aFreeRange({ start: index * 10, end: index * 10 + 10, retryAtMs: NOW_MS + 100 + index }),
    );

    const answer = claim(aLogCursor({ next: 80, open }), aLogClaim());

    expect(answer).toEqual({ kind: 'refused', reason: 'too-many-open', notBeforeMs: NOW_MS + 100 });
  });

  test('claims nothing beside a tail (I4)', () => {
    const cursor = aLogCursor({ next: 50, open: [aHeldRange({ start: 50, end: null })] });

    const answer = claim(cursor, aLogClaim());

    expect(answer).toEqual({ kind: 'refused', reason: 'held', notBeforeMs: NOW_MS + CLAIM_MS + GRACE_MS });
  });

  test('says when the range of a holder can be taken, when there is nothing else to claim', () => {
    const cursor = aLogCursor({ next: 1_000, open: [aHeldRange({ start: 900, end: 1_000, deadlineAtMs: NOW_MS + 300 })] });

    const answer = claim(cursor, aLogClaim({ max: 1_000 }));

    expect(answer).toEqual({ kind: 'refused', reason: 'nothing-to-claim', notBeforeMs: NOW_MS + 300 + GRACE_MS });
  });

  test.each(['paused', 'stopped', 'deleted'] as const)('takes nothing once the gate is %s (I9)', (state) => {
    const cursor = aLogCursor({ gate: { state, revision: 1 } });

    expect(claim(cursor, aLogClaim())).toEqual({ kind: 'refused', reason: 'gate-closed', notBeforeMs: null });
  });

  test.each([0, 2])('takes nothing for a configuration of revision %i when the gate says 1', (revision) => {
    const answer = claim(aLogCursor(), aLogClaim({ revision }));

    expect(answer).toEqual({ kind: 'refused', reason: 'revision-differs', notBeforeMs: null });
  });

  test.each([{ state: 'gone', restarts: 0 }, { state: 'done' }] as const)('takes nothing of a shard that is $state', (status) => {
    const answer = claim(aLogCursor({ status }), aLogClaim());

    expect(answer).toEqual({ kind: 'refused', reason: status.state, notBeforeMs: null });
  });

  test.each([null, NOW_MS + 1])('takes nothing of a failed shard with retry time %s', (retryAtMs) => {
    const cursor = aLogCursor({ status: { state: 'failed', code: 'task.failed', retryAtMs, restarts: 0 } });

    expect(claim(cursor, aLogClaim())).toEqual({ kind: 'refused', reason: 'failed', notBeforeMs: retryAtMs });
  });

  test('takes nothing of a truncated log, whatever its retry time: only a reset leaves it', () => {
    const cursor = aLogCursor({ status: { state: 'failed', code: 'shard.log_truncated', retryAtMs: NOW_MS, restarts: 0 } });

    expect(claim(cursor, aLogClaim())).toEqual({ kind: 'refused', reason: 'failed', notBeforeMs: null });
  });

  test('restarts a failed shard whose retry time has come, at the cost of one restart', () => {
    const cursor = aLogCursor({ status: { state: 'failed', code: 'task.failed', retryAtMs: NOW_MS, restarts: 2 } });

    const { cursor: after } = claimed(claim(cursor, aLogClaim()));

    expect(after.status).toEqual({ state: 'active', restarts: 3 });
  });

  test('leaves a failed shard failed when there is nothing to claim', () => {
    const cursor = aLogCursor({ next: 1_000, status: { state: 'failed', code: 'task.failed', retryAtMs: NOW_MS, restarts: 2 } });

    expect(claim(cursor, aLogClaim({ max: 1_000 })).kind).toBe('refused');
  });

  test('finds its own slice when the reply to the claim was lost (I2)', () => {
    const request = aLogClaim();
    const first = claimed(claim(aLogCursor(), request));

    const second = claimed(claim(first.cursor, request));

    expect(second.slice).toEqual(first.slice);
    expect(second.cursor).toBe(first.cursor);
  });

  describe('of an ordered shard (I7)', () => {
    test('takes the range that failed before anything behind it', () => {
      const cursor = aLogCursor({ next: 100, open: [aFreeRange({ start: 50, end: 100, retryAtMs: NOW_MS })] });

      const { slice } = claimed(claim(cursor, aLogClaim({ ordered: true })));

      expect(slice).toMatchObject({ start: 50n, end: 100n });
    });

    test('waits while its one range backs off', () => {
      const cursor = aLogCursor({ next: 100, open: [aFreeRange({ retryAtMs: NOW_MS + 9 })] });

      const answer = claim(cursor, aLogClaim({ ordered: true }));

      expect(answer).toEqual({ kind: 'refused', reason: 'backing-off', notBeforeMs: NOW_MS + 9 });
    });

    test('waits while its one range is held (I4)', () => {
      const cursor = aLogCursor({ next: 100, open: [aHeldRange({ deadlineAtMs: NOW_MS })] });

      const answer = claim(cursor, aLogClaim({ ordered: true }));

      expect(answer).toEqual({ kind: 'refused', reason: 'held', notBeforeMs: NOW_MS + GRACE_MS });
    });

    test('waits for every holder of the time when it was not ordered (I4)', () => {
      const cursor = aLogCursor({
        next: 200,
        open: [aFreeRange(), aHeldRange({ start: 100, end: 200, deadlineAtMs: NOW_MS + 5 })],
      });

      const answer = claim(cursor, aLogClaim({ ordered: true }));

      expect(answer).toEqual({ kind: 'refused', reason: 'held', notBeforeMs: NOW_MS + 5 + GRACE_MS });
    });

    test('then works through what was open, lowest first', () => {
      const cursor = aLogCursor({
        next: 300,
        open: [anAbandonedRange({ start: 50, end: 100 }), anAbandonedRange({ start: 200, end: 300, epoch: 2 })],
      });

      const { slice } = claimed(claim(cursor, aLogClaim({ ordered: true })));

      expect(slice).toMatchObject({ start: 50n, end: 100n });
    });
  });

  test('loses no range and finishes none (I1)', () => {
    fc.assert(
      fc.property(cursorsAndClaims, ({ cursor, request }) => {
        const answer = claim(cursor, request);

        if (answer.kind === 'refused') return;
        expect(unfinishedOf(answer.cursor)).toEqual(unfinishedOf(cursor));
        expect(watermark(answer.cursor)).toBe(watermark(cursor));
      }),
    );
  });

  test('leaves all ranges disjoint, and changes no other range (I4)', () => {
    fc.assert(
      fc.property(cursorsAndClaims, ({ cursor, request }) => {
        const answer = claim(cursor, request);

        if (answer.kind === 'refused') return;
        const { slice, cursor: after } = answer;
        assertLogCursor(after);
        const others = cursor.open.filter(({ start }) => start !== slice.start);
        expect(after.open.filter((range) => others.includes(range))).toEqual(others);
        const { start, end, epoch, deaths, attempts } = slice;
        expect(after.open).toContainEqual({ kind: 'held', start, end, epoch, holder: request.holder, deaths, attempts });
        expect(epoch).toBe(cursor.epoch + 1);
        expect(after.epoch).toBe(epoch);
      }),
    );
  });

  test('takes nothing from a holder before its deadline and the grace, unless its end was seen (I2)', () => {
    fc.assert(
      fc.property(cursorsAndClaims, ({ cursor, request }) => {
        const answer = claim(cursor, request);

        if (answer.kind === 'refused') return;
        for (const range of liveRanges(cursor, request)) expect(answer.cursor.open).toContain(range);
      }),
    );
  });

  test('takes the lowest range that can be taken, and a new one only when there is none and fewer than eight are open', () => {
    fc.assert(
      fc.property(cursorsAndClaims, ({ cursor, request: { ordered, ...rest } }) => {
        const request = { ...rest, ordered: false };
        const live = liveRanges(cursor, request);
        const takeable = cursor.open.filter(
          (range) => !live.includes(range) && (range.kind === 'held' || range.retryAtMs <= NOW_MS) && hasRoom(range, cursor),
        );

        const answer = claim(cursor, request);

        if (answer.kind === 'refused') return;
        expect(answer.slice.start).toBe(takeable[0]?.start ?? cursor.next);
        if (takeable.length === 0) expect(cursor.open.length).toBeLessThan(OPEN_RANGES_MAX);
      }),
    );
  });

  test('never lets more than K be held, one where the shard is ordered (I4)', () => {
    fc.assert(
      fc.property(cursorsAndClaims, ({ cursor, request }) => {
        const answer = claim(cursor, request);

        if (answer.kind === 'refused') return;
        expect(liveRanges(answer.cursor, request).length).toBeLessThanOrEqual(request.ordered ? 1 : request.heldMax);
        if (request.ordered) expect(answer.slice.start).toBe(watermark(cursor));
      }),
    );
  });

  test('is refused at every moment before notBeforeMs, and at any when that is null', () => {
    const cursors = fc.oneof(claimableLogCursors(), logCursors());
    fc.assert(
      fc.property(
        cursors.chain((cursor) => fc.tuple(fc.constant(cursor), claimsOf(cursor), fc.nat({ max: 4 * CLAIM_MS }))),
        ([cursor, request, byMs]) => {
          const answer = claim(cursor, request);

          if (answer.kind === 'claimed') return;
          const nowMs = Math.min(NOW_MS + byMs, (answer.notBeforeMs ?? Number.POSITIVE_INFINITY) - 1);
          expect(claim(cursor, { ...request, nowMs }).kind).toBe('refused');
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is the same slice of the same cursor when its reply was lost and it is sent again (I2)', () => {
    fc.assert(
      fc.property(cursorsAndClaims, ({ cursor, request }) => {
        const first = claim(cursor, request);
        if (first.kind === 'refused') return;

        const second = claim(first.cursor, request);

        expect(second).toEqual(first);
      }),
    );
  });

  test('takes nothing through a closed gate, or for another revision (I9)', () => {
    fc.assert(
      fc.property(
        logCursors().chain((cursor) => fc.tuple(fc.constant(cursor), claimsOf(cursor), fc.nat({ max: 20 }))),
        ([cursor, request, revision]) => {
          const isOpen = cursor.gate.state === 'running' && cursor.gate.revision === revision;

          const answer = claim(cursor, { ...request, revision });

          if (!isOpen) expect(answer.kind).toBe('refused');
        },
      ),
    );
  });
});

function liveRanges(cursor: LogCursor, { nowMs, graceMs, ended }: LogClaimRequest): LogCursor['open'] {
  return cursor.open.filter(
    (range) =>
      range.kind === 'held' &&
      range.holder.deadlineAtMs + graceMs > nowMs &&
      !ended.some(({ owner, epoch }) => owner === range.holder.owner && epoch === range.epoch),
  );
}

/** Of more than eight open ranges only the lowest is halved. */
function hasRoom(range: OpenRange, { open }: LogCursor): boolean {
  const isHalved = range.kind === 'held' && range.deaths > 0 && (range.end === null || range.end - range.start > 1n);
  return open.length < OPEN_RANGES_MAX || range === open[0] || !isHalved;
}
