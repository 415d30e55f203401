/** A write landed and its reply was lost: sent again, it finds its own work and changes nothing (I2). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claim, type LogClaimRequest } from '../../../../core/cursor/claim.ts';
import { commit, fail, type Progress, release } from '../../../../core/cursor/commit.ts';
import type { LogCursor } from '../../../../core/cursor/cursor.ts';
import { failShard, raiseGate } from '../../../../core/cursor/steer.ts';
import { offset } from '../../../../core/offset.ts';
import { aHeldRange, aLogClaim, aLogCursor, aProgress, claimed, NOW_MS } from '../../../support/builders.ts';
import { claimsOf, type Holding, holdings } from '../../../support/cursor-arbitraries.ts';

const DEADLINE_AT_MS = NOW_MS + 30_000;
const FAILURE = { error: 'target.unavailable', retryAtMs: NOW_MS + 1_000 } as const;

type Write = (cursor: LogCursor, holding: Pick<Holding, 'progress' | 'readEnd'>) => LogCursor;

/** How an invocation ends a slice, as its spine puts transitions together. */
const ends: readonly (readonly [name: string, write: Write])[] = [
  ['release', (cursor, { progress, readEnd }) => release(cursor, progress, readEnd)],
  ['fail', (cursor, { progress, readEnd }) => fail(cursor, progress, { ...FAILURE, readEnd })],
  [
    'fail, then failShard where that ended the slice',
    (cursor, { progress, readEnd }) => {
      const failed = fail(cursor, progress, { ...FAILURE, readEnd });
      return failed === cursor ? cursor : failShard(failed, { code: 'task.failed', retryAtMs: null });
    },
  ],
];

/** One write for both: the commit lands also when the claim is refused. */
function commitAndClaim(cursor: LogCursor, progress: Progress, request: LogClaimRequest): LogCursor {
  const committed = commit(cursor, progress, DEADLINE_AT_MS);
  const answer = claim(committed, request);
  return answer.kind === 'claimed' ? answer.cursor : committed;
}

describe('commit', () => {
  test('twice is once (I2)', () => {
    fc.assert(
      fc.property(holdings, ({ cursor, progress }) => {
        const once = commit(cursor, progress, DEADLINE_AT_MS);
        fc.pre(
          once.open.some((range) => range.kind === 'held' && range.epoch === progress.epoch) || progress.upTo > progress.from,
        );

        expect(commit(once, progress, DEADLINE_AT_MS)).toEqual(once);
      }),
    );
  });

  test('of a whole slice changes nothing the second time, whatever others wrote in between (I2)', () => {
    const wholes = holdings.filter(({ held, progress }) => held.end === progress.upTo);
    fc.assert(
      fc.property(andTheirClaims(wholes), ({ cursor, progress, request }) => {
        const landed = commit(cursor, progress, DEADLINE_AT_MS);
        const answer = claim(landed, request);
        const later = raiseGate(answer.kind === 'claimed' ? answer.cursor : landed, { state: 'stopped', revision: 99 });

        expect(commit(later, progress, DEADLINE_AT_MS)).toBe(later);
      }),
    );
  });
});

describe.each(ends)('%s', (_, write) => {
  test('changes nothing the second time (I2)', () => {
    fc.assert(
      fc.property(holdings, (holding) => {
        const once = write(holding.cursor, holding);

        expect(write(once, holding)).toBe(once);
      }),
    );
  });

  test('changes nothing the second time when the rest was claimed in between (I2)', () => {
    fc.assert(
      fc.property(andTheirClaims(holdings), ({ request, ...holding }) => {
        const landed = write(holding.cursor, holding);
        const answer = claim({ ...landed, gate: { state: 'running', revision: request.revision } }, request);
        const later = answer.kind === 'claimed' ? answer.cursor : landed;

        expect(write(later, holding)).toBe(later);
      }),
    );
  });
});

describe('commit, then claim in one write', () => {
  test('twice is once, and the claimer finds its own slice (I2)', () => {
    fc.assert(
      fc.property(andTheirClaims(holdings), ({ cursor, progress, request }) => {
        fc.pre(progress.upTo > progress.from);
        const once = commitAndClaim(cursor, progress, request);

        expect(commitAndClaim(once, progress, request)).toEqual(once);
      }),
    );
  });

  test('lands the commit where the gate refuses the claim (I9)', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })], gate: { state: 'paused', revision: 2 } });
    const progress = aProgress({ upTo: 100 });

    const after = commitAndClaim(cursor, progress, aLogClaim());

    expect(after.open).toEqual([]);
    expect(commitAndClaim(after, progress, aLogClaim())).toBe(after);
  });

  test('claims again what the same write gave back', () => {
    const cursor = aLogCursor({ next: 100, open: [aHeldRange({ end: 100 })] });
    const progress = aProgress({ upTo: 40 });
    const releaseAndClaim = (current: LogCursor) => claimed(claim(release(current, progress, offset(0)), aLogClaim()));

    const once = releaseAndClaim(cursor);
    const twice = releaseAndClaim(once.cursor);

    expect(once.slice).toMatchObject({ start: 40n, end: 100n, epoch: 2 });
    expect(twice).toEqual(once);
  });
});

/** With a claim by somebody else that the gate lets through. */
function andTheirClaims(arbitrary: fc.Arbitrary<Holding>): fc.Arbitrary<Holding & { readonly request: LogClaimRequest }> {
  return arbitrary.chain((holding) => claimsOf(holding.cursor).map((request) => ({ ...holding, request })));
}
