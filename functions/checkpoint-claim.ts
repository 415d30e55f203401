/** How a shard with a checkpoint is claimed and failed: a source's, and the discovery of them. */
import { type CheckpointSlice, type Claim, claimCheckpoint } from '../core/cursor/claim.ts';
import { type CheckpointProgress, failCheckpoint } from '../core/cursor/commit.ts';
import { type CheckpointCursor, DEATHS_BEFORE_VERDICT } from '../core/cursor/cursor.ts';
import { raiseGate } from '../core/cursor/steer.ts';
import type { StoredCursor } from '../core/cursor/stored-cursor.ts';
import { FatalTaskError } from '../core/errors.ts';
import type { ClaimMoment, ClaimTerms } from './claim-terms.ts';
import { type Invocation, wantedGate } from './invocation.ts';
import { type Failure, withFailure } from './work.ts';

/** Heals a gate that an operator left behind, in the same write. A claim that lands after `forMs` would be over before it began. */
export async function claimByCheckpoint(
  invocation: Invocation,
  shard: StoredCursor<CheckpointCursor>,
  {
    moment,
    terms: { graceMs, ended },
    forMs,
  }: { readonly moment: ClaimMoment; readonly terms: Pick<ClaimTerms, 'graceMs' | 'ended'>; readonly forMs: number },
): Promise<Claim<CheckpointCursor, CheckpointSlice>> {
  let claimed: Claim<CheckpointCursor, CheckpointSlice> | undefined;
  await shard.change(
    (cursor) => {
      const gated = raiseGate(cursor, wantedGate(invocation));
      claimed = claimCheckpoint(gated, { ...moment, graceMs, ended });
      return claimed.kind === 'claimed' ? claimed.cursor : gated;
    },
    { forMs },
  );
  return claimed as Claim<CheckpointCursor, CheckpointSlice>;
}

/** @throws {FatalTaskError} when nobody who claims it gets anywhere: it must not go on in silence (I10). */
export function demandAlive({ deaths }: CheckpointSlice): void {
  if (deaths < DEATHS_BEFORE_VERDICT) return;
  throw new FatalTaskError(`${deaths} invocations died at this place, one after the other`, { code: 'source.deadly' });
}

export async function failByCheckpoint(
  shard: StoredCursor<CheckpointCursor>,
  { progress, failure, forMs }: { readonly progress: CheckpointProgress; readonly failure: Failure; readonly forMs: number },
): Promise<void> {
  const { code: error, retryAtMs } = failure;
  await shard.change((cursor) => withFailure(cursor, failCheckpoint(cursor, progress, { error, retryAtMs }), failure), { forMs });
}
