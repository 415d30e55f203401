import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimCheckpoint } from '../../../../core/cursor/claim.ts';
import { type CheckpointProgress, commitCheckpoint, failCheckpoint, releaseCheckpoint } from '../../../../core/cursor/commit.ts';
import type { CheckpointCursor, Holder } from '../../../../core/cursor/cursor.ts';
import { finish, raiseGate } from '../../../../core/cursor/steer.ts';
import { FencedError } from '../../../../core/errors.ts';
import {
  aCheckpointCursor,
  aCheckpointProgress,
  aClaim,
  CLAIM_MS,
  claimed,
  GRACE_MS,
  NOW_MS,
} from '../../../support/builders.ts';
import { checkpointCursors, checkpoints, claimableCheckpointCursors } from '../../../support/cursor-arbitraries.ts';

const DEADLINE_AT_MS = NOW_MS + 30_000;
const FAILURE = { error: 'source.unavailable', retryAtMs: NOW_MS + 1_000 } as const;
const LEFT = { clean: true, pollAtMs: NOW_MS + 500 } as const;
const holder: Holder = { owner: 'holder', deadlineAtMs: NOW_MS + CLAIM_MS };
const abandoned: Holder = { owner: 'holder', deadlineAtMs: NOW_MS - GRACE_MS };

const writes: readonly (readonly [string, (cursor: CheckpointCursor, progress: CheckpointProgress) => CheckpointCursor])[] = [
  ['commitCheckpoint', (cursor, progress) => commitCheckpoint(cursor, progress, DEADLINE_AT_MS)],
  ['releaseCheckpoint', (cursor, progress) => releaseCheckpoint(cursor, progress, LEFT)],
  ['releaseCheckpoint, then finish', (cursor, progress) => finish(releaseCheckpoint(cursor, progress, LEFT))],
  ['failCheckpoint', (cursor, progress) => failCheckpoint(cursor, progress, FAILURE)],
];

const heldCursors = checkpointCursors().filter((cursor) => cursor.holder !== null);

describe('claimCheckpoint', () => {
  test('holds the shard from its checkpoint on', () => {
    const cursor = aCheckpointCursor({ checkpoint: 'x', epoch: 3, attempts: 2, clean: false });

    const { slice, cursor: after } = claimed(claimCheckpoint(cursor, aClaim()));

    expect(slice).toEqual({ kind: 'checkpoint', checkpoint: 'x', clean: false, epoch: 4, generation: 1, deaths: 0, attempts: 2 });
    expect(after).toMatchObject({ checkpoint: 'x', epoch: 4, holder: { owner: 'claimer' } });
  });

  test('says that the last holder left clean, also when the reply to the claim was lost (I2)', () => {
    const first = claimed(claimCheckpoint(aCheckpointCursor({ clean: true }), aClaim()));

    const second = claimed(claimCheckpoint(first.cursor, aClaim()));

    expect(first.slice.clean).toBe(true);
    expect(second.slice).toEqual(first.slice);
    expect(second.cursor).toBe(first.cursor);
  });

  test('never says clean after a holder that did not leave', () => {
    const first = claimed(claimCheckpoint(aCheckpointCursor({ clean: true }), aClaim({ owner: 'dead' })));

    const second = claimed(claimCheckpoint(first.cursor, aClaim({ ended: [{ owner: 'dead', epoch: 1 }] })));

    expect(second.slice).toMatchObject({ clean: false, deaths: 1 });
  });

  test('is refused while the shard is held (I4)', () => {
    const answer = claimCheckpoint(aCheckpointCursor({ holder }), aClaim());

    expect(answer).toEqual({ kind: 'refused', reason: 'held', notBeforeMs: NOW_MS + CLAIM_MS + GRACE_MS });
  });

  test('takes over from a holder past its deadline and the grace, and counts a death', () => {
    const { slice } = claimed(claimCheckpoint(aCheckpointCursor({ holder: abandoned, epoch: 3, deaths: 1 }), aClaim()));

    expect(slice).toMatchObject({ epoch: 4, deaths: 2 });
  });

  test.each([
    { owner: 'holder', epoch: 2, isTaken: false },
    { owner: 'other', epoch: 3, isTaken: false },
    { owner: 'holder', epoch: 3, isTaken: true },
  ])('of epoch 3 held by holder, with $owner of epoch $epoch seen to end: $isTaken (I2)', ({ isTaken, ...ended }) => {
    const answer = claimCheckpoint(aCheckpointCursor({ holder, epoch: 3 }), aClaim({ ended: [ended] }));

    expect(answer.kind).toBe(isTaken ? 'claimed' : 'refused');
  });

  test('waits for the retry time, and then forgets it and its error', () => {
    const cursor = aCheckpointCursor({ retryAtMs: NOW_MS + 1, error: 'source.unavailable', attempts: 2 });

    const { cursor: after, slice } = claimed(claimCheckpoint(cursor, aClaim({ nowMs: NOW_MS + 1 })));

    expect(claimCheckpoint(cursor, aClaim())).toEqual({ kind: 'refused', reason: 'backing-off', notBeforeMs: NOW_MS + 1 });
    expect(after).toMatchObject({ retryAtMs: 0, error: null });
    expect(slice.attempts).toBe(2);
  });

  test('does not wait for the time at which the source wants to be polled: that is advice', () => {
    expect(claimCheckpoint(aCheckpointCursor({ pollAtMs: NOW_MS + 9 }), aClaim()).kind).toBe('claimed');
  });

  test('restarts a failed shard whose retry time has come, and no other', () => {
    const status = { state: 'failed', code: 'task.failed', retryAtMs: NOW_MS, restarts: 0 } as const;

    expect(claimed(claimCheckpoint(aCheckpointCursor({ status }), aClaim())).cursor.status).toEqual({
      state: 'active',
      restarts: 1,
    });
    expect(claimCheckpoint(aCheckpointCursor({ status: { ...status, retryAtMs: null } }), aClaim())).toMatchObject({
      reason: 'failed',
    });
  });

  test('takes nothing of a shard that is done', () => {
    expect(claimCheckpoint(finish(aCheckpointCursor()), aClaim())).toEqual({
      kind: 'refused',
      reason: 'done',
      notBeforeMs: null,
    });
  });

  test('takes nothing through a closed gate, or for another revision (I9)', () => {
    fc.assert(
      fc.property(checkpointCursors(), fc.nat({ max: 20 }), (cursor, revision) => {
        const isOpen = cursor.gate.state === 'running' && cursor.gate.revision === revision;

        if (!isOpen) expect(claimCheckpoint(cursor, aClaim({ revision })).kind).toBe('refused');
      }),
    );
  });

  test('moves no checkpoint, takes nothing from a live holder, and is the same when its reply was lost (I2, I3)', () => {
    fc.assert(
      fc.property(claimableCheckpointCursors(), (cursor) => {
        const request = aClaim({ revision: cursor.gate.revision });
        const answer = claimCheckpoint(cursor, request);

        if (answer.kind === 'refused') return;
        expect(answer.slice.checkpoint).toEqual(cursor.checkpoint);
        expect(answer.cursor).toMatchObject({ epoch: cursor.epoch + 1, generation: cursor.generation, holder: request.holder });
        if (cursor.holder !== null) expect(cursor.holder.deadlineAtMs + GRACE_MS).toBeLessThanOrEqual(NOW_MS);
        expect(claimCheckpoint(answer.cursor, request)).toEqual(answer);
      }),
    );
  });

  test('is refused at every moment before notBeforeMs, and at any when that is null', () => {
    const cursors = fc.oneof(checkpointCursors(), claimableCheckpointCursors());
    fc.assert(
      fc.property(cursors, fc.nat({ max: 4 * CLAIM_MS }), (cursor, byMs) => {
        const request = aClaim({ revision: cursor.gate.revision });
        const answer = claimCheckpoint(cursor, request);

        if (answer.kind === 'claimed') return;
        const nowMs = Math.min(NOW_MS + byMs, (answer.notBeforeMs ?? Number.POSITIVE_INFINITY) - 1);
        expect(claimCheckpoint(cursor, { ...request, nowMs }).kind).toBe('refused');
      }),
    );
  });
});

describe('commitCheckpoint', () => {
  test('moves checkpoint and deadline, and forgets deaths and attempts', () => {
    const cursor = aCheckpointCursor({ checkpoint: { p: 'x' }, holder, epoch: 1, deaths: 1, attempts: 2 });

    const after = commitCheckpoint(cursor, aCheckpointProgress({ checkpoint: { p: 'y' } }), DEADLINE_AT_MS);

    expect(after).toEqual(
      aCheckpointCursor({ checkpoint: { p: 'y' }, holder: { owner: 'holder', deadlineAtMs: DEADLINE_AT_MS }, epoch: 1 }),
    );
  });

  test('forgets nothing for what is only stored beside the checkpoint', () => {
    const status = { state: 'active', restarts: 3 } as const;
    const cursor = aCheckpointCursor({ checkpoint: { p: 'x' }, holder, epoch: 1, deaths: 1, attempts: 2, status });

    const after = commitCheckpoint(cursor, aCheckpointProgress({ checkpoint: { p: 'x', q: {} } }), DEADLINE_AT_MS);

    expect(after).toMatchObject({ checkpoint: { p: 'x', q: {} }, deaths: 1, attempts: 2, status });
  });

  test('lands through a closed gate (I9)', () => {
    const cursor = raiseGate(aCheckpointCursor({ holder, epoch: 1 }), { state: 'stopped', revision: 2 });

    expect(commitCheckpoint(cursor, aCheckpointProgress({ checkpoint: 'y' }), DEADLINE_AT_MS).checkpoint).toBe('y');
  });
});

describe('releaseCheckpoint', () => {
  test('leaves the shard free, with when to poll again and whether anything is in flight', () => {
    const cursor = aCheckpointCursor({ holder, epoch: 1, deaths: 1, attempts: 2, clean: false });

    const after = releaseCheckpoint(cursor, aCheckpointProgress({ checkpoint: { p: 'y' } }), LEFT);

    expect(after).toEqual(aCheckpointCursor({ checkpoint: { p: 'y' }, epoch: 1, clean: true, pollAtMs: LEFT.pollAtMs }));
  });

  test('keeps the attempts of a source that did not move', () => {
    const cursor = aCheckpointCursor({ holder, epoch: 1, attempts: 2 });

    expect(releaseCheckpoint(cursor, aCheckpointProgress(), { ...LEFT, clean: false })).toMatchObject({
      attempts: 2,
      clean: false,
    });
  });
});

describe('failCheckpoint', () => {
  test('says nothing of when to poll again: a later end without failure does', () => {
    const cursor = aCheckpointCursor({ holder, epoch: 1, pollAtMs: 61_000 });

    expect(failCheckpoint(cursor, aCheckpointProgress(), FAILURE).pollAtMs).toBe(0);
  });

  test('leaves the shard free after the back-off, not clean, with one attempt more', () => {
    const cursor = aCheckpointCursor({ holder, epoch: 1, attempts: 2, clean: true });

    expect(failCheckpoint(cursor, aCheckpointProgress(), FAILURE)).toMatchObject({
      holder: null,
      clean: false,
      attempts: 3,
      ...FAILURE,
    });
  });

  test('counts the first attempt anew where the checkpoint moved', () => {
    const cursor = aCheckpointCursor({ holder, epoch: 1, attempts: 2 });

    expect(failCheckpoint(cursor, aCheckpointProgress({ checkpoint: { p: 'y' } }), FAILURE)).toMatchObject({
      checkpoint: { p: 'y' },
      attempts: 1,
    });
  });

  test('forgets no restarts without progress', () => {
    const status = { state: 'active', restarts: 3 } as const;
    const cursor = aCheckpointCursor({ holder, epoch: 1, status });

    expect(failCheckpoint(cursor, aCheckpointProgress(), FAILURE)).toMatchObject({ status });
  });
});

describe.each(writes)('%s', (_, write) => {
  test('changes nothing of another epoch or generation: it is refused (I2)', () => {
    const strangers = fc.record({ epochs: fc.integer({ min: -3, max: 3 }), generations: fc.integer({ min: -1, max: 1 }) });
    fc.assert(
      fc.property(checkpointCursors(), checkpoints, strangers, (cursor, checkpoint, { epochs, generations }) => {
        fc.pre(epochs !== 0 || generations !== 0);
        const stale = { epoch: cursor.epoch + epochs, generation: cursor.generation + generations, checkpoint, pace: null };

        expect(() => write(cursor, stale)).toThrow(FencedError);
      }),
    );
  });

  test('is refused where its epoch left another checkpoint behind (I2)', () => {
    const cursor = aCheckpointCursor({ checkpoint: 'x', epoch: 1 });

    expect(() => write(cursor, aCheckpointProgress({ checkpoint: 'y' }))).toThrow(FencedError);
  });

  test('twice is once (I2)', () => {
    fc.assert(
      fc.property(heldCursors, checkpoints, (cursor, checkpoint) => {
        const progress = { epoch: cursor.epoch, generation: cursor.generation, checkpoint, pace: null };

        const once = write(cursor, progress);

        expect(write(once, progress)).toEqual(once);
      }),
    );
  });
});
