import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claim, claimCheckpoint } from '../../../../core/cursor/claim.ts';
import { commit } from '../../../../core/cursor/commit.ts';
import { ACTIVE, assertLogCursor, type Cursor, holdersOf, type Status, watermark } from '../../../../core/cursor/cursor.ts';
import { failShard, finish, raiseGate, reappear, reset, restart, skip, vanish } from '../../../../core/cursor/steer.ts';
import { FencedError } from '../../../../core/errors.ts';
import { advance, offset } from '../../../../core/offset.ts';
import {
  aCheckpointCursor,
  aFreeRange,
  aHeldRange,
  aLogClaim,
  aLogCursor,
  anAbandonedRange,
  aProgress,
  claimed,
  GRACE_MS,
  NOW_MS,
} from '../../../support/builders.ts';
import { checkpointCursors, checkpoints, logCursors } from '../../../support/cursor-arbitraries.ts';
import { type Stretch, unfinishedOf, without } from '../../../support/unfinished.ts';

const cursors: fc.Arbitrary<Cursor> = fc.oneof(logCursors(), checkpointCursors());
const FAILED: Status = { state: 'failed', code: 'task.failed', retryAtMs: null, restarts: 2 };

describe('raiseGate', () => {
  test('closes the gate for claims; held slices still commit (I9)', () => {
    const cursor = raiseGate(aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })] }), { state: 'paused', revision: 2 });

    expect(claim(cursor, aLogClaim({ revision: 2 }))).toMatchObject({ kind: 'refused', reason: 'gate-closed' });
    expect(commit(cursor, aProgress({ upTo: 100 }), NOW_MS).open).toEqual([]);
  });

  test('goes upwards only: whatever the order in which actions arrive, the last one stands (I9)', () => {
    const states = ['running', 'paused', 'stopped', 'deleted'] as const;
    const gates = fc.uniqueArray(fc.record({ state: fc.constantFrom(...states), revision: fc.nat({ max: 50 }) }), {
      minLength: 1,
      selector: ({ revision }) => revision,
    });
    fc.assert(
      fc.property(cursors, gates, (cursor, arriving) => {
        const raised = arriving.reduce(raiseGate, cursor);

        const highest = [cursor.gate, ...arriving].reduce((top, gate) => (gate.revision > top.revision ? gate : top));
        expect(raised).toEqual({ ...cursor, gate: highest });
      }),
    );
  });

  test('changes nothing for the revision it stands at', () => {
    const cursor = aLogCursor({ gate: { state: 'stopped', revision: 3 } });

    expect(raiseGate(cursor, { state: 'running', revision: 3 })).toBe(cursor);
  });
});

describe('failShard', () => {
  test('marks the shard failed, with the restarts it had', () => {
    const cursor = aLogCursor({ status: { state: 'active', restarts: 2 } });

    const after = failShard(cursor, { code: 'task.failed', retryAtMs: NOW_MS });

    expect(after.status).toEqual({ state: 'failed', code: 'task.failed', retryAtMs: NOW_MS, restarts: 2 });
  });

  test('twice is once', () => {
    fc.assert(
      fc.property(cursors, (cursor) => {
        const once = failShard(cursor, { code: 'task.failed', retryAtMs: null });

        expect(failShard(once, { code: 'task.failed', retryAtMs: null })).toEqual(once);
      }),
    );
  });

  test('leaves a finished shard done', () => {
    const cursor = finish(aCheckpointCursor());

    expect(failShard(cursor, { code: 'task.failed', retryAtMs: NOW_MS })).toBe(cursor);
  });

  test('leaves a shard whose log was truncated to its reset (I1)', () => {
    const truncated = failShard(aLogCursor(), { code: 'shard.log_truncated', retryAtMs: null });

    expect(failShard(truncated, { code: 'record.rejected', retryAtMs: NOW_MS })).toBe(truncated);
  });

  test('a restart by its retry time counts, until something is finished', () => {
    const failed = failShard(aLogCursor({ status: { state: 'active', restarts: 1 } }), {
      code: 'task.failed',
      retryAtMs: NOW_MS,
    });

    const restarted = claimed(claim(failed, aLogClaim({ records: 10 })));
    const again = failShard(restarted.cursor, { code: 'task.failed', retryAtMs: NOW_MS });
    const progressed = commit(restarted.cursor, aProgress({ upTo: 5 }), NOW_MS);

    expect(again.status).toMatchObject({ state: 'failed', restarts: 2 });
    expect(progressed.status).toEqual(ACTIVE);
  });
});

describe('restart', () => {
  test('makes a failed shard active, and forgets restarts, attempts, deaths and errors', () => {
    const open = [aFreeRange({ attempts: 9, deaths: 5, error: 'target.unavailable' })];

    const after = restart(aLogCursor({ next: 100, open, status: FAILED }));

    expect(after).toMatchObject({ status: ACTIVE, open: [aFreeRange()] });
  });

  test('starts nothing before its back-off is over, for a put that was given up may still land', () => {
    const open = [aFreeRange({ end: 100, attempts: 1, retryAtMs: NOW_MS + 9_000, error: 'target.timed_out' })];

    const log = restart(aLogCursor({ next: 100, open, status: FAILED }));
    const source = restart(aCheckpointCursor({ retryAtMs: NOW_MS + 9_000, status: FAILED }));

    const refusal = { kind: 'refused', reason: 'backing-off', notBeforeMs: NOW_MS + 9_000 };
    expect(claim(log, aLogClaim({ ordered: true }))).toEqual(refusal);
    expect(claimCheckpoint(source, aLogClaim())).toEqual(refusal);
    expect(claim(log, aLogClaim({ ordered: true, nowMs: NOW_MS + 9_000 })).kind).toBe('claimed');
  });

  test('leaves held ranges to their holders (I2)', () => {
    const open = [aHeldRange({ deaths: 1 })];

    expect(restart(aLogCursor({ next: 100, open, status: FAILED })).open).toEqual(open);
  });

  test('makes a failed source active, and leaves its checkpoint', () => {
    const cursor = aCheckpointCursor({
      checkpoint: 'x',
      attempts: 9,
      deaths: 5,
      error: 'task.failed',
      status: FAILED,
    });

    expect(restart(cursor)).toEqual(aCheckpointCursor({ checkpoint: 'x' }));
  });

  test('leaves a shard that is gone to whoever finds its queue again, and forgets its restarts', () => {
    const gone = vanish(aLogCursor({ next: 7, status: { state: 'active', restarts: 3 } }));

    expect(restart(gone)).toEqual({ ...gone, status: { state: 'gone', restarts: 0 } });
  });

  test.each<Status>([
    { state: 'active', restarts: 3 },
    { state: 'done' },
    { state: 'failed', code: 'shard.log_truncated', retryAtMs: null, restarts: 0 },
  ])('changes nothing of a shard that is $state $code', (status) => {
    const cursor = aLogCursor({ status });

    expect(restart(cursor)).toBe(cursor);
  });
});

describe('vanish', () => {
  test('leaves a failed shard to whoever it waits for, should the queue be back (I10)', () => {
    const cursor = aLogCursor({ status: FAILED });

    expect(vanish(cursor)).toBe(cursor);
  });

  test('marks the shard gone, once, and keeps what it knows', () => {
    const cursor = aLogCursor({ next: 100, open: [aFreeRange()] });

    const gone = vanish(cursor);

    expect(gone).toEqual({ ...cursor, status: { state: 'gone', restarts: 0 } });
    expect(vanish(gone)).toBe(gone);
  });

  test('leaves a finished shard done', () => {
    const cursor = finish(aCheckpointCursor());

    expect(vanish(cursor)).toBe(cursor);
  });
});

describe('reappear', () => {
  test('makes of a shard whose queue is back what it was, with the restarts and the troubles it had', () => {
    const cursor = aLogCursor({ next: 100, status: { state: 'active', restarts: 2 }, open: [aFreeRange({ attempts: 3 })] });

    const back = reappear(vanish(cursor));

    expect(back).toEqual(cursor);
    expect(reappear(back)).toBe(back);
  });
});

describe('finish', () => {
  test('is left by a reset only', () => {
    const done = finish(aCheckpointCursor({ checkpoint: 'end', gate: { state: 'stopped', revision: 1 } }));

    const after = reset(restart(done), { position: null, nowMs: NOW_MS, graceMs: GRACE_MS });

    expect(restart(done)).toBe(done);
    expect(after).toMatchObject({ kind: 'reset', cursor: { status: ACTIVE, checkpoint: null } });
  });
});

describe('failShard, restart, vanish, finish and raiseGate', () => {
  test('touch no progress and no holder (I2, I3)', () => {
    fc.assert(
      fc.property(cursors, (cursor) => {
        const steered = [
          failShard(cursor, { code: 'task.failed', retryAtMs: null }),
          restart(cursor),
          vanish(cursor),
          raiseGate(cursor, { state: 'stopped', revision: 99 }),
          ...(cursor.kind === 'checkpoint' ? [finish(cursor)] : []),
        ];

        for (const after of steered) {
          expect(holdersOf(after)).toEqual(holdersOf(cursor));
          expect(after).toMatchObject({ generation: cursor.generation, epoch: cursor.epoch });
          expect(progressOf(after)).toEqual(progressOf(cursor));
        }
      }),
    );
  });
});

describe('skip', () => {
  test('cuts what is open and next, and records what nobody read (I10)', () => {
    const open = [aHeldRange({ start: 10, end: 20 }), aFreeRange({ start: 40, end: 60 }), aFreeRange({ start: 80, end: 90 })];

    const after = skip(aLogCursor({ next: 100, open }), offset(50));

    expect(after).toMatchObject({ next: 100n, open: [aFreeRange({ start: 50, end: 60 }), aFreeRange({ start: 80, end: 90 })] });
    expect(after.gaps).toEqual({ count: 1, records: 20n, start: 10n, end: 50n });
  });

  test('moves next when nothing below it is left', () => {
    const after = skip(aLogCursor({ next: 100, open: [aFreeRange({ start: 90, end: 95 })] }), offset(130));

    expect(after).toMatchObject({ next: 130n, open: [], gaps: { count: 1, records: 35n, start: 90n, end: 130n } });
  });

  test('moves a tail along', () => {
    const after = skip(aLogCursor({ next: 100, open: [aHeldRange({ start: 100, end: null })] }), offset(130));

    expect(after).toMatchObject({ next: 130n, open: [{ start: 130n, end: null }], gaps: { records: 30n } });
  });

  test('adds up gaps, and shows the latest', () => {
    const once = skip(aLogCursor(), offset(10));

    expect(skip(once, offset(25)).gaps).toEqual({ count: 2, records: 25n, start: 10n, end: 25n });
  });

  test('changes nothing where the watermark is already there', () => {
    const cursor = aLogCursor({ next: 100, open: [aFreeRange({ start: 50, end: 100 })] });

    expect(skip(cursor, offset(50))).toBe(cursor);
  });

  test('keeps its holder what is left of a held range (I2)', () => {
    const cursor = skip(aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })] }), offset(60));

    expect(commit(cursor, aProgress({ upTo: 100 }), NOW_MS)).toMatchObject({ next: 100n, open: [] });
  });

  test('tells a holder whose range fell into the gap that it is finished', () => {
    const cursor = skip(aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })] }), offset(100));

    expect(commit(cursor, aProgress({ upTo: 30 }), NOW_MS)).toBe(cursor);
  });

  test('finishes what lies below, and nothing else; the watermark only rises; twice is once (I1, I3)', () => {
    const by = fc.integer({ min: -100, max: 3_000 }).map(BigInt);
    fc.assert(
      fc.property(logCursors(), by, (cursor, distance) => {
        const to = offset(watermark(cursor) + distance < 0n ? 0n : watermark(cursor) + distance);

        const after = skip(cursor, to);

        assertLogCursor(after);
        expect(unfinishedOf(after)).toEqual(without(unfinishedOf(cursor), offset(0), to));
        expect(watermark(after)).toBeGreaterThanOrEqual(watermark(cursor));
        expect(skip(after, to)).toBe(after);
      }),
    );
  });
});

describe('gaps', () => {
  test('count each record that nobody finished, once (I10)', () => {
    fc.assert(
      fc.property(logCursors(), fc.integer({ min: 1, max: 3_000 }), (cursor, distance) => {
        const to = advance(watermark(cursor), distance);
        const lost = lengthOf(unfinishedOf(cursor), to) - lengthOf(without(unfinishedOf(cursor), offset(0), to), to);

        const { gaps } = skip(cursor, to);

        const before = cursor.gaps ?? { count: 0, records: 0n };
        expect(gaps).toEqual({ count: before.count + 1, records: before.records + lost, start: watermark(cursor), end: to });
      }),
    );
  });
});

describe('reset', () => {
  const stopped = { state: 'stopped', revision: 4 } as const;
  const request = { position: offset(7), nowMs: NOW_MS, graceMs: GRACE_MS };

  test('starts a new generation at the position, with nothing open, claimed or failed', () => {
    const cursor = aLogCursor({
      next: 100,
      epoch: 9,
      gate: stopped,
      open: [anAbandonedRange(), aFreeRange({ start: 100, end: 110 })],
      status: { state: 'failed', code: 'shard.log_truncated', retryAtMs: null, restarts: 1 },
      lastStoredAtMs: 500,
      firstRecord: { at: offset(0), storedAtMs: 400 },
      gaps: { count: 1, records: 1n, start: offset(1), end: offset(2) },
    });

    const answer = reset(cursor, request);

    expect(answer).toEqual({ kind: 'reset', cursor: aLogCursor({ next: 7, epoch: 9, generation: 2, gate: stopped }) });
  });

  test.each(['running', 'paused', 'deleted'] as const)('is refused while the gate is %s', (state) => {
    expect(reset(aLogCursor({ gate: { state, revision: 4 } }), request)).toEqual({ kind: 'refused', reason: 'not-stopped' });
  });

  test('is refused while anything is held, until all deadlines and the grace are past', () => {
    const open = [anAbandonedRange({ end: 10 }), aHeldRange({ start: 10, end: 20, deadlineAtMs: NOW_MS - GRACE_MS + 1 })];
    const cursor = aLogCursor({ next: 20, gate: stopped, open });

    expect(reset(cursor, request)).toEqual({ kind: 'refused', reason: 'held' });
    expect(reset(cursor, { ...request, nowMs: NOW_MS + 1 }).kind).toBe('reset');
  });

  test.each([
    ['range', aLogCursor({ next: 100, gate: stopped, open: [aFreeRange({ end: 100, retryAtMs: NOW_MS + 1 })] })],
    ['source', aCheckpointCursor({ gate: stopped, attempts: 1, retryAtMs: NOW_MS + 1 })],
  ])('is refused while a %s backs off, for the put it gave up may still land', (_, cursor: Cursor) => {
    const position = cursor.kind === 'log' ? offset(7) : null;

    expect(reset(cursor, { ...request, position })).toEqual({ kind: 'refused', reason: 'held' });
    expect(reset(cursor, { ...request, position, nowMs: NOW_MS + 1 }).kind).toBe('reset');
  });

  test('starts a source at a checkpoint, clean, with nothing held against it', () => {
    const { holder } = anAbandonedRange();
    const cursor = aCheckpointCursor({
      checkpoint: 'old',
      gate: stopped,
      holder,
      epoch: 3,
      attempts: 4,
      deaths: 2,
      clean: false,
      pollAtMs: 5,
    });

    const answer = reset(cursor, { ...request, position: { file: 'first' } });

    const fresh = aCheckpointCursor({ checkpoint: { file: 'first' }, gate: stopped, generation: 2, epoch: 3 });
    expect(answer).toEqual({ kind: 'reset', cursor: fresh });
  });

  test('fences whoever held a slice before (I2)', () => {
    const answer = reset(aLogCursor({ next: 100, gate: stopped, open: [anAbandonedRange({ end: 100 })] }), request);

    const { cursor } = answer as Extract<typeof answer, { kind: 'reset' }>;
    expect(() => commit(cursor, aProgress({ upTo: 5 }), NOW_MS)).toThrow(FencedError);
  });

  test('is the only way back, and only through a stopped gate (I3)', () => {
    fc.assert(
      fc.property(cursors, checkpoints, (cursor, checkpoint) => {
        const answer = reset(cursor, {
          position: cursor.kind === 'log' ? offset(0) : checkpoint,
          nowMs: NOW_MS,
          graceMs: GRACE_MS,
        });

        if (answer.kind === 'refused') return;
        expect(cursor.gate.state).toBe('stopped');
        expect(answer.cursor).toMatchObject({
          generation: cursor.generation + 1,
          epoch: cursor.epoch,
          gate: cursor.gate,
          status: ACTIVE,
        });
        expect(holdersOf(answer.cursor)).toEqual([]);
      }),
    );
  });
});

/** Records below `to`. */
function lengthOf(stretches: readonly Stretch[], to: bigint): bigint {
  return stretches.reduce((sum, { start, end }) => sum + (start >= to ? 0n : (end === null || end > to ? to : end) - start), 0n);
}

function progressOf(cursor: Cursor): unknown {
  return cursor.kind === 'log' ? unfinishedOf(cursor) : [cursor.checkpoint, cursor.clean];
}
