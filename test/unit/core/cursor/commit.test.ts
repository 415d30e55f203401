import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claim } from '../../../../core/cursor/claim.ts';
import { commit, fail, release } from '../../../../core/cursor/commit.ts';
import { ACTIVE, assertLogCursor, watermark } from '../../../../core/cursor/cursor.ts';
import { skip } from '../../../../core/cursor/steer.ts';
import { FencedError } from '../../../../core/errors.ts';
import { offset } from '../../../../core/offset.ts';
import { aFreeRange, aHeldRange, aLogClaim, aLogCursor, aProgress, claimed, NOW_MS } from '../../../support/builders.ts';
import { holdings } from '../../../support/cursor-arbitraries.ts';
import { unfinishedOf, without } from '../../../support/unfinished.ts';

const DEADLINE_AT_MS = NOW_MS + 30_000;
const FAILURE = { error: 'target.unavailable', retryAtMs: NOW_MS + 1_000 } as const;
const BOUNDED = offset(0);

describe('commit', () => {
  test('moves the start and the deadline forward, and forgets deaths and attempts', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100, deaths: 1, attempts: 3 })] });

    const after = commit(cursor, aProgress({ upTo: 40 }), DEADLINE_AT_MS);

    expect(after.open).toEqual([aHeldRange({ start: 40, end: 100, deadlineAtMs: DEADLINE_AT_MS })]);
    expect(watermark(after)).toBe(40n);
  });

  test('forgets neither deaths nor attempts when nothing was finished', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100, deaths: 1, attempts: 3 })] });

    const after = commit(cursor, aProgress({ upTo: 0 }), DEADLINE_AT_MS);

    expect(after.open).toEqual([aHeldRange({ end: 100, deaths: 1, attempts: 3, deadlineAtMs: DEADLINE_AT_MS })]);
  });

  test('removes the range when all of it is finished', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })] });

    const after = commit(cursor, aProgress({ upTo: 100 }), DEADLINE_AT_MS);

    expect(after).toEqual({ ...cursor, open: [] });
    expect(watermark(after)).toBe(100n);
  });

  test('moves the watermark only up to the lowest range that is not finished (I1)', () => {
    const cursor = aLogCursor({ next: 300, open: [aFreeRange({ start: 50, end: 100 }), aHeldRange({ start: 200, end: 300 })] });

    const after = commit(cursor, aProgress({ from: 200, upTo: 300 }), DEADLINE_AT_MS);

    expect(watermark(after)).toBe(50n);
  });

  test('takes no store time of a log that was found to be another one (I1)', () => {
    const status = { state: 'failed', code: 'shard.log_truncated', retryAtMs: null, restarts: 0 } as const;
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })], lastStoredAtMs: 500, status });

    const after = commit(cursor, aProgress({ upTo: 10, storedAtMs: 600 }), DEADLINE_AT_MS);

    expect(after).toMatchObject({ open: [{ start: 10n }], lastStoredAtMs: 500, status });
  });

  test('keeps the newest store time, and the pace when there is no new one', () => {
    const pace = { usPerRecord: 2, bytesPerRecord: 10 };
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })], lastStoredAtMs: 500, pace });

    const older = commit(cursor, aProgress({ upTo: 10, storedAtMs: 400 }), DEADLINE_AT_MS);
    const newer = commit(
      cursor,
      aProgress({ upTo: 10, storedAtMs: 600, pace: { usPerRecord: 3, bytesPerRecord: 20 } }),
      DEADLINE_AT_MS,
    );

    expect([older.lastStoredAtMs, older.pace]).toEqual([500, pace]);
    expect([newer.lastStoredAtMs, newer.pace]).toEqual([600, { usPerRecord: 3, bytesPerRecord: 20 }]);
  });

  test('makes past restarts forgotten once something was finished', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })], status: { state: 'active', restarts: 3 } });

    expect(commit(cursor, aProgress({ upTo: 0 }), DEADLINE_AT_MS).status).toEqual({ state: 'active', restarts: 3 });
    expect(commit(cursor, aProgress({ upTo: 1 }), DEADLINE_AT_MS).status).toEqual(ACTIVE);
  });

  test.each(['paused', 'stopped', 'deleted'] as const)('lands through a gate that is %s (I9)', (state) => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })], gate: { state, revision: 9 } });

    expect(commit(cursor, aProgress({ upTo: 100 }), DEADLINE_AT_MS).open).toEqual([]);
  });

  test('lands on a shard that failed meanwhile, and leaves it failed', () => {
    const status = { state: 'failed', code: 'task.failed', retryAtMs: null, restarts: 1 } as const;
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })], status });

    expect(commit(cursor, aProgress({ upTo: 100 }), DEADLINE_AT_MS)).toMatchObject({ open: [], status });
  });

  test('refuses the epoch that a reclaim replaced (I2)', () => {
    const cursor = aLogCursor({ next: 100, epoch: 2, open: [aHeldRange({ end: 100, epoch: 2 })] });

    expect(() => commit(cursor, aProgress({ epoch: 1, upTo: 10 }), DEADLINE_AT_MS)).toThrow(FencedError);
  });

  test('refuses the epoch that a reclaim replaced also when it finished nothing: its slice is not its own any more (I2)', () => {
    const cursor = aLogCursor({ next: 100, epoch: 2, open: [aHeldRange({ end: 100, epoch: 2 })] });

    expect(() => commit(cursor, aProgress({ epoch: 1, upTo: 0 }), DEADLINE_AT_MS)).toThrow(FencedError);
  });

  test('refuses a commit of the generation before a reset (I2)', () => {
    const cursor = aLogCursor({ next: 100, generation: 2, open: [aHeldRange({ end: 100 })] });

    expect(() => commit(cursor, aProgress({ generation: 1, upTo: 100 }), DEADLINE_AT_MS)).toThrow(FencedError);
  });

  test('refuses what lies above next once an ordered shard gave the upper half back (I2)', () => {
    const cursor = aLogCursor({ next: 50, epoch: 3 });

    expect(() => commit(cursor, aProgress({ epoch: 1, upTo: 100 }), DEADLINE_AT_MS)).toThrow(FencedError);
  });

  test('recognises what is finished already, and changes nothing (I2)', () => {
    const cursor = aLogCursor({ next: 300, epoch: 2, open: [aHeldRange({ start: 200, end: 300, epoch: 2 })] });

    expect(commit(cursor, aProgress({ epoch: 1, from: 100, upTo: 200 }), DEADLINE_AT_MS)).toBe(cursor);
  });

  test('keeps the slice, from where the gap ends, when retention overtook what it finished', () => {
    const cursor = skip(aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })] }), offset(60));

    const after = commit(cursor, aProgress({ upTo: 40 }), DEADLINE_AT_MS);

    expect(after.open).toEqual([aHeldRange({ start: 60, end: 100, deadlineAtMs: DEADLINE_AT_MS })]);
  });

  test('finishes just what it says, and nothing of others (I1)', () => {
    fc.assert(
      fc.property(holdings, ({ cursor, held, progress }) => {
        const after = commit(cursor, progress, DEADLINE_AT_MS);

        assertLogCursor(after);
        expect(unfinishedOf(after)).toEqual(without(unfinishedOf(cursor), progress.from, progress.upTo));
        const others = cursor.open.filter((range) => range !== held);
        expect(after.open.filter((range) => others.includes(range))).toEqual(others);
      }),
    );
  });
});

describe('release', () => {
  test('makes what is left free at once, with its deaths and attempts when nothing was finished', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100, deaths: 1, attempts: 3 })] });

    expect(release(cursor, aProgress({ upTo: 0 }), BOUNDED).open).toEqual([aFreeRange({ end: 100, deaths: 1, attempts: 3 })]);
    expect(release(cursor, aProgress({ upTo: 40 }), BOUNDED).open).toEqual([aFreeRange({ start: 40, end: 100 })]);
    expect(release(cursor, aProgress({ upTo: 100 }), BOUNDED).open).toEqual([]);
  });

  test('leaves what a tail has read, and no more', () => {
    const cursor = aLogCursor({ next: 20, open: [aHeldRange({ start: 20, end: null })] });

    const after = release(cursor, aProgress({ from: 20, upTo: 30 }), offset(45));

    expect(after).toMatchObject({ next: 45n, open: [aFreeRange({ start: 30, end: 45 })] });
  });

  test('leaves nothing of a tail that finished all it read', () => {
    const cursor = aLogCursor({ next: 20, open: [aHeldRange({ start: 20, end: null })] });

    const after = release(cursor, aProgress({ from: 20, upTo: 30 }), offset(30));

    expect(after).toMatchObject({ next: 30n, open: [] });
  });

  test('lets go of the range also when retention overtook what was finished', () => {
    const cursor = skip(aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })] }), offset(60));

    const after = release(cursor, aProgress({ upTo: 40 }), BOUNDED);

    expect(after.open).toEqual([aFreeRange({ start: 60, end: 100 })]);
  });

  test('lets go of a tail also when retention overtook all it read', () => {
    const cursor = skip(aLogCursor({ next: 20, open: [aHeldRange({ start: 20, end: null })] }), offset(60));

    const after = release(cursor, aProgress({ from: 20, upTo: 30 }), offset(45));

    expect(after).toMatchObject({ next: 60n, open: [] });
  });
});

describe('fail', () => {
  test('makes what is left free after the back-off, with one attempt more', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100, deaths: 1, attempts: 3 })] });

    const after = fail(cursor, aProgress({ upTo: 0 }), { ...FAILURE, readEnd: BOUNDED });

    expect(after.open).toEqual([aFreeRange({ end: 100, deaths: 1, attempts: 4, ...FAILURE })]);
  });

  test('counts the first attempt anew where something was finished', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100, deaths: 1, attempts: 3 })] });

    const after = fail(cursor, aProgress({ upTo: 40 }), { ...FAILURE, readEnd: BOUNDED });

    expect(after.open).toEqual([aFreeRange({ start: 40, end: 100, attempts: 1, ...FAILURE })]);
  });

  test('keeps the attempts until the range is claimed again', () => {
    const cursor = aLogCursor({ next: 100, open: [aFreeRange({ end: 100, attempts: 4, ...FAILURE })] });

    const { slice } = claimed(claim(cursor, aLogClaim({ nowMs: FAILURE.retryAtMs })));

    expect(slice.attempts).toBe(4);
  });

  test('bounds what a tail leaves behind', () => {
    const cursor = aLogCursor({ next: 20, open: [aHeldRange({ start: 20, end: null })] });

    const after = fail(cursor, aProgress({ from: 20, upTo: 20 }), { ...FAILURE, readEnd: offset(45) });

    expect(after).toMatchObject({ next: 45n, open: [aFreeRange({ start: 20, end: 45, attempts: 1, ...FAILURE })] });
  });

  test('lets go of the range also when retention overtook what was finished', () => {
    const cursor = skip(aLogCursor({ next: 100, open: [aHeldRange({ end: 100, attempts: 1 })] }), offset(60));

    const after = fail(cursor, aProgress({ upTo: 40 }), { ...FAILURE, readEnd: BOUNDED });

    expect(after.open).toEqual([aFreeRange({ start: 60, end: 100, attempts: 2, ...FAILURE })]);
  });
});

describe.each([
  ['release', release],
  ['fail', (...[cursor, progress, readEnd]: Parameters<typeof release>) => fail(cursor, progress, { ...FAILURE, readEnd })],
] as const)('%s', (_, leave) => {
  test('finishes just what it says, and nobody holds the rest (I1)', () => {
    fc.assert(
      fc.property(holdings, ({ cursor, held, progress, readEnd }) => {
        const after = leave(cursor, progress, readEnd);

        assertLogCursor(after);
        expect(unfinishedOf(after)).toEqual(without(unfinishedOf(cursor), progress.from, progress.upTo));
        expect(after.open.filter((range) => range.kind === 'held' && range.epoch === held.epoch)).toEqual([]);
        const others = cursor.open.filter((range) => range !== held);
        expect(after.open.filter((range) => others.includes(range))).toEqual(others);
      }),
    );
  });
});

describe('a stale epoch (I2)', () => {
  const strangers = fc.record({
    epoch: fc.nat({ max: 200 }),
    generation: fc.constantFrom(0, 1),
    shift: fc.integer({ min: -600, max: 600 }),
  });

  test('changes nothing, ever: a write is refused, or its range is known as finished', () => {
    fc.assert(
      fc.property(holdings, strangers, ({ cursor, progress, readEnd }, { epoch, generation, shift }) => {
        fc.pre(generation === 1 || !cursor.open.some((range) => range.kind === 'held' && range.epoch === epoch));
        const from = moved(progress.from, shift);
        const stale = { ...progress, epoch, generation: cursor.generation + generation, from, upTo: moved(progress.upTo, shift) };

        const writes = [
          () => commit(cursor, stale, DEADLINE_AT_MS),
          () => release(cursor, stale, readEnd),
          () => fail(cursor, stale, { ...FAILURE, readEnd }),
        ];

        for (const write of writes) {
          const after = unlessFenced(write);
          if (after === null) continue;
          expect(after).toBe(cursor);
          expect(stale.generation).toBe(cursor.generation);
          expect(without(unfinishedOf(cursor), stale.from, stale.upTo)).toEqual(unfinishedOf(cursor));
        }
      }),
      { numRuns: 500 },
    );
  });
});

function moved(from: bigint, by: number) {
  const to = from + BigInt(by);
  return offset(to < 0n ? 0n : to);
}

function unlessFenced<T>(write: () => T): T | null {
  try {
    return write();
  } catch (error) {
    expect(error).toBeInstanceOf(FencedError);
    return null;
  }
}
