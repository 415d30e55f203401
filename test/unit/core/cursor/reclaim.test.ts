import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claim, type LogClaimRequest, type LogSlice } from '../../../../core/cursor/claim.ts';
import { commit, release } from '../../../../core/cursor/commit.ts';
import {
  assertLogCursor,
  DEATHS_BEFORE_VERDICT,
  type HeldRange,
  heldRanges,
  type LogCursor,
  OPEN_RANGES_MAX,
} from '../../../../core/cursor/cursor.ts';
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
import { cursorsAndClaims } from '../../../support/cursor-arbitraries.ts';
import { unfinishedOf } from '../../../support/unfinished.ts';

describe('reclaim', () => {
  test('takes the range of a holder past its deadline and the grace, and counts a death', () => {
    const cursor = aLogCursor({
      next: 100,
      open: [aHeldRange({ end: 100, epoch: 4, deadlineAtMs: NOW_MS - GRACE_MS, attempts: 2 })],
    });

    const { slice } = claimed(claim(cursor, aLogClaim()));

    expect(slice).toMatchObject({ start: 0n, end: 100n, epoch: 5, deaths: 1, attempts: 2 });
  });

  test('waits one millisecond before that', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100, deadlineAtMs: NOW_MS - GRACE_MS + 1 })] });

    const answer = claim(cursor, aLogClaim({ max: 100 }));

    expect(answer).toMatchObject({ kind: 'refused', notBeforeMs: NOW_MS + 1 });
  });

  test('takes the range of a holder whose end was seen at once', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100, epoch: 4, owner: 'dead' })] });

    const { slice } = claimed(claim(cursor, aLogClaim({ ended: [{ owner: 'dead', epoch: 4 }] })));

    expect(slice).toMatchObject({ start: 0n, end: 100n, deaths: 1 });
  });

  test.each([
    { owner: 'dead', epoch: 3 },
    { owner: 'other', epoch: 4 },
  ])('takes nothing when it was $owner of epoch $epoch whose end was seen (I2)', (ended) => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100, epoch: 4, owner: 'dead' })] });

    expect(claim(cursor, aLogClaim({ max: 100, ended: [ended] })).kind).toBe('refused');
  });

  test('fences the holder that was given up (I2)', () => {
    const { cursor } = claimed(claim(aLogCursor({ next: 100, open: [anAbandonedRange({ end: 100 })] }), aLogClaim()));

    expect(() => commit(cursor, aProgress({ epoch: 1, upTo: 100 }), NOW_MS)).toThrow(FencedError);
  });

  test('counts no death for a range that was given back', () => {
    const cursor = aLogCursor({ next: 100, open: [aFreeRange({ end: 100, deaths: 1 })] });

    expect(claimed(claim(cursor, aLogClaim())).slice.deaths).toBe(1);
  });

  test('takes the lower half from two deaths on, and leaves the upper half free with its deaths', () => {
    const cursor = aLogCursor({ next: 101, open: [anAbandonedRange({ end: 101, deaths: 1, attempts: 3 })] });

    const { slice, cursor: after } = claimed(claim(cursor, aLogClaim()));

    expect(slice).toMatchObject({ start: 0n, end: 51n, deaths: 2, attempts: 3 });
    expect(after.open[1]).toEqual(aFreeRange({ start: 51, end: 101, deaths: 2, attempts: 3 }));
    expect(after.next).toBe(101n);
  });

  test('takes a half whole, and halves it again after one death more, counting from the same', () => {
    const cursor = aLogCursor({ next: 101, open: [aFreeRange({ start: 51, end: 101, deaths: 2 })] });

    const whole = claimed(claim(cursor, aLogClaim()));
    const again = claimed(claim(whole.cursor, aLogClaim({ owner: 'next', ended: [{ owner: 'claimer', epoch: 1 }] })));

    expect(whole.slice).toMatchObject({ start: 51n, end: 101n, deaths: 2 });
    expect(again.slice).toMatchObject({ start: 51n, end: 76n, deaths: 2 });
  });

  test('keeps a range of one record, and goes on counting', () => {
    const cursor = aLogCursor({ next: 1, open: [anAbandonedRange({ end: 1, deaths: 4 })] });

    const { slice, cursor: after } = claimed(claim(cursor, aLogClaim()));

    expect(slice).toMatchObject({ start: 0n, end: 1n, deaths: 5 });
    expect(after.open).toHaveLength(1);
  });

  test('moves next of an ordered shard back to the middle, so that one range stays open (I4)', () => {
    const cursor = aLogCursor({ next: 100, open: [anAbandonedRange({ end: 100, deaths: 1 })] });

    const { slice, cursor: after } = claimed(claim(cursor, aLogClaim({ ordered: true })));

    expect(slice).toMatchObject({ start: 0n, end: 50n });
    expect(after).toMatchObject({ next: 50n, open: [{ start: 0n, end: 50n }] });
  });

  test('keeps the upper half open where an ordered shard has more above it from before', () => {
    const above = aFreeRange({ start: 150, end: 200 });
    const cursor = aLogCursor({ next: 200, open: [anAbandonedRange({ end: 100, deaths: 1 }), above] });

    const { cursor: after } = claimed(claim(cursor, aLogClaim({ ordered: true })));

    expect(after.next).toBe(200n);
    expect(after.open.slice(1)).toEqual([aFreeRange({ start: 50, end: 100, deaths: 2 }), above]);
  });

  describe('of a tail', () => {
    test('makes it a bounded range from its start, with next at its new end', () => {
      const cursor = aLogCursor({ next: 20, open: [anAbandonedRange({ start: 20, end: null })] });

      const { slice, cursor: after } = claimed(claim(cursor, aLogClaim({ records: 100, max: 1_000 })));

      expect(slice).toMatchObject({ start: 20n, end: 120n, deaths: 1 });
      expect(after.next).toBe(120n);
    });

    test('fences the old tail, however far it had come (I2)', () => {
      const taken = claimed(
        claim(aLogCursor({ next: 20, open: [anAbandonedRange({ start: 20, end: null })] }), aLogClaim({ records: 5 })),
      );
      const finished = commit(taken.cursor, aProgress({ epoch: 2, from: 20, upTo: 25 }), NOW_MS);

      expect(() => commit(taken.cursor, aProgress({ epoch: 1, from: 20, upTo: 20 }), NOW_MS)).toThrow(FencedError);
      expect(() => release(taken.cursor, aProgress({ epoch: 1, from: 20, upTo: 24 }), offset(30))).toThrow(FencedError);
      expect(() => commit(finished, aProgress({ epoch: 1, from: 20, upTo: 26 }), NOW_MS)).toThrow(FencedError);
    });

    test('halves what it becomes from two deaths on', () => {
      const cursor = aLogCursor({ next: 20, open: [anAbandonedRange({ start: 20, end: null, deaths: 1 })] });

      const unordered = claimed(claim(cursor, aLogClaim({ records: 100 }))).cursor;
      const ordered = claimed(claim(cursor, aLogClaim({ records: 100, ordered: true }))).cursor;

      expect(unordered).toMatchObject({
        next: 120n,
        open: [{ start: 20n, end: 70n }, aFreeRange({ start: 70, end: 120, deaths: 2 })],
      });
      expect(ordered).toMatchObject({ next: 70n, open: [{ start: 20n, end: 70n }] });
    });

    test('is refused while there is nothing behind its start', () => {
      const cursor = aLogCursor({ next: 20, open: [anAbandonedRange({ start: 20, end: null })] });

      expect(claim(cursor, aLogClaim({ max: 20 }))).toEqual({ kind: 'refused', reason: 'nothing-to-claim', notBeforeMs: null });
    });
  });

  test('loses no range, and takes at least one record (I1)', () => {
    fc.assert(
      fc.property(cursorsAndClaims, ({ cursor, request }) => {
        const answer = claim(abandoned(cursor), request);

        if (answer.kind === 'refused') return;
        assertLogCursor(answer.cursor);
        expect(unfinishedOf(answer.cursor)).toEqual(unfinishedOf(cursor));
        expect(lengthOf(answer.slice)).toBeGreaterThan(0n);
      }),
    );
  });

  test('halves only the lowest range while eight are open; the others wait for room', () => {
    const dead = (index: number): HeldRange =>
      anAbandonedRange({ start: 10 * index, end: 10 * index + 10, epoch: index + 1, deaths: 1 });
    const cursor = aLogCursor({ next: 80, open: Array.from({ length: 8 }, (_, index) => dead(index)) });

    const first = claimed(claim(cursor, aLogClaim({ owner: 'one', heldMax: 8 })));
    const second = claimed(claim(first.cursor, aLogClaim({ owner: 'two', heldMax: 8 })));
    const third = claim(second.cursor, aLogClaim({ owner: 'three', heldMax: 8 }));
    const room = [first, second].reduce(
      (after, { slice: { epoch, start, end } }) => commit(after, aProgress({ epoch, from: start, upTo: end ?? start }), NOW_MS),
      second.cursor,
    );
    const fourth = claimed(claim(room, aLogClaim({ owner: 'four', heldMax: 8 })));

    expect([first.slice, second.slice]).toMatchObject([
      { start: 0n, end: 5n },
      { start: 5n, end: 10n },
    ]);
    expect(third).toMatchObject({ kind: 'refused', reason: 'too-many-open', notBeforeMs: NOW_MS + CLAIM_MS + GRACE_MS });
    expect(fourth.slice).toMatchObject({ start: 10n, end: 15n });
    expect(fourth.cursor.open).toHaveLength(8);
  });

  test('keeps few ranges open though every invocation dies: eight, and as many as one can be halved', () => {
    const slices = fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.constant(10_000));
    // Of up to eight holders a round, how many deliver: mostly none.
    const rounds = fc.array(fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 8 }) }), {
      minLength: 50,
      maxLength: 100,
      size: 'max',
    });
    fc.assert(
      fc.property(slices, rounds, (records, deliveries) => {
        let cursor = aLogCursor();
        for (const [round, count] of deliveries.entries()) {
          for (let at = 0; at < 8; at += 1) {
            const answer = claim(cursor, aLogClaim({ owner: `${round}.${at}`, records, max: 1_000_000, heldMax: 8 }));
            if (answer.kind === 'claimed') ({ cursor } = answer);
          }
          cursor = abandoned(heldRanges(cursor).toReversed().slice(0, count).reduce(delivered, cursor));
          expect(cursor.open.length).toBeLessThanOrEqual(OPEN_RANGES_MAX + Math.ceil(Math.log2(records)));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('blames a deadly record, and never one that only lay beside it', () => {
    const logs = fc.record({ deadly: fc.nat({ max: 99 }), records: fc.integer({ min: 1, max: 100 }), ordered: fc.boolean() });
    fc.assert(
      fc.property(logs, ({ deadly, records, ordered }) => {
        let cursor = aLogCursor();
        let slice: LogSlice | undefined;
        for (let round = 0; round < ROUNDS_MAX && !isVerdict(slice); round += 1) {
          const request = aLogClaim({ owner: `run-${round}`, records, max: 100, ordered, ended: endedOf(cursor) });
          ({ cursor, slice } = claimed(claim(cursor, request)));
          cursor = unlessDeadly(cursor, slice, deadly);
        }

        expect(slice).toMatchObject({ start: BigInt(deadly), end: BigInt(deadly + 1) });
      }),
    );
  });
});

function delivered(cursor: LogCursor, { epoch, start, end }: HeldRange): LogCursor {
  return commit(cursor, aProgress({ epoch, from: start, upTo: end ?? start }), NOW_MS);
}

/** Far more than the records of the log and the deaths on the way to the deadly one. */
const ROUNDS_MAX = 200;

/** One record, and as many deaths as are blamed on it. */
function isVerdict(slice: LogSlice | undefined): boolean {
  return slice !== undefined && lengthOf(slice) === 1n && slice.deaths >= DEATHS_BEFORE_VERDICT;
}

/** Commits the slice, unless the deadly record is in it. */
function unlessDeadly(cursor: LogCursor, { start, end, epoch }: LogSlice, deadly: number): LogCursor {
  if (end === null || (start <= deadly && end > deadly)) return cursor;
  return commit(cursor, aProgress({ epoch, from: start, upTo: end }), NOW_MS);
}

function endedOf(cursor: LogCursor): LogClaimRequest['ended'] {
  return cursor.open.flatMap((range) => (range.kind === 'held' ? [{ owner: range.holder.owner, epoch: range.epoch }] : []));
}

/** The same, with all holders dead. */
function abandoned(cursor: LogCursor): LogCursor {
  const open = cursor.open.map((range) =>
    range.kind === 'held' ? { ...range, holder: { ...range.holder, deadlineAtMs: 0 } } : range,
  );
  return { ...cursor, open };
}

function lengthOf({ start, end }: LogSlice): bigint {
  return (end ?? start) - start;
}
