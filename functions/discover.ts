/**
 * The discovery of a source's shards: an invocation of the connector's own `discovery` shard, so that drivers and secrets
 * load here and never in the scheduler. Each shard found gets a cursor; the list of cursors is the list of shards.
 */
import { type CheckpointSlice, type Claim, claimCheckpoint } from '../core/cursor/claim.ts';
import { encodeCursor } from '../core/cursor/codec.ts';
import { failCheckpoint, releaseCheckpoint } from '../core/cursor/commit.ts';
import { type CheckpointCursor, createCheckpointCursor } from '../core/cursor/cursor.ts';
import { raiseGate } from '../core/cursor/steer.ts';
import { cursorKey, type StoredCursor } from '../core/cursor/stored-cursor.ts';
import { FatalTaskError, RetryableError } from '../core/errors.ts';
import { sourceShardId } from '../core/shard-id.ts';
import type { SourceShard } from '../plugins/api/source.ts';
import type { ClaimMoment } from './claim-terms.ts';
import { type Deadline, TIMED_OUT, within } from './deadline.ts';
import { classified } from './deliver.ts';
import { COMMIT_RESERVE_MS, claimMoment, type Ending, type Invocation, wantedGate } from './invocation.ts';
import { pluginContext } from './open-connector.ts';
import type { OpenedConnector, OpenedSource } from './opened-connector.ts';
import { failureOf } from './settle.ts';
import { withFailure } from './work.ts';

export async function discover(
  invocation: Invocation,
  shard: StoredCursor<CheckpointCursor>,
  { source, config }: OpenedConnector,
): Promise<Ending> {
  if (source === null) return { outcome: null, refusal: 'nothing-to-claim', notBeforeMs: null };
  const { deadline, moment } = claimMoment(invocation);
  const forMs = deadline.remainingMs();
  const claimed = await claimDiscovery(invocation, shard, { moment, forMs });
  if (claimed.kind === 'refused') return { outcome: null, refusal: claimed.reason, notBeforeMs: claimed.notBeforeMs };

  const { epoch, generation, attempts } = claimed.slice;
  const progress = { epoch, generation, checkpoint: null, pace: null };
  try {
    await createShards(invocation, await listShards(invocation, source, deadline));
  } catch (error) {
    const known = classified(error);
    if (!(known instanceof RetryableError || known instanceof FatalTaskError)) throw known;
    const failure = failureOf(invocation, { error: known, stage: 'poll', attempts, runtime: config.runtime, lateMs: 0 });
    const { code, retryAtMs } = failure;
    await shard.change((cursor) => withFailure(cursor, failCheckpoint(cursor, progress, { error: code, retryAtMs }), failure), {
      forMs,
    });
    return { outcome: 'failed', notBeforeMs: null };
  }
  const pollAtMs = invocation.host.clock.nowMs() + source.discoverEveryMs;
  // The checkpoint never moves, but a discovery that came to its end is progress.
  await shard.change((cursor) => ({ ...releaseCheckpoint(cursor, progress, { clean: true, pollAtMs }), attempts: 0 }), { forMs });
  return { outcome: 'drained', notBeforeMs: null };
}

async function claimDiscovery(
  invocation: Invocation,
  shard: StoredCursor<CheckpointCursor>,
  { moment, forMs }: { readonly moment: ClaimMoment; readonly forMs: number },
): Promise<Claim<CheckpointCursor, CheckpointSlice>> {
  const { host, offer } = invocation;
  const request = { ...moment, graceMs: host.settings.skewMaxMs, ended: offer.ended };
  let claimed: Claim<CheckpointCursor, CheckpointSlice> | undefined;
  await shard.change(
    (cursor) => {
      const gated = raiseGate(cursor, wantedGate(invocation));
      claimed = claimCheckpoint(gated, request);
      return claimed.kind === 'claimed' ? claimed.cursor : gated;
    },
    { forMs },
  );
  return claimed as Claim<CheckpointCursor, CheckpointSlice>;
}

async function listShards(
  { host, connector, offer }: Invocation,
  source: OpenedSource,
  deadline: Deadline,
): Promise<readonly SourceShard[]> {
  const context = pluginContext(host, connector.name, offer.shard);
  const found = await within(host.clock, deadline.remainingMs() - COMMIT_RESERVE_MS, () => source.discover(context));
  if (found !== TIMED_OUT) return found;
  throw new RetryableError('the discovery did not end within its claim', { code: 'source.unavailable' });
}

/** Of a connector that is deleted meanwhile too: they are removed with what else it may leave behind, see `sweepDeleted`. */
async function createShards({ host, offer }: Invocation, found: readonly SourceShard[]): Promise<void> {
  const first = encodeCursor(createCheckpointCursor());
  // One after the other: a first discovery may find thousands, and the store is shared.
  for (const { names } of found) await host.store.put(cursorKey(sourceShardId(offer.uid, names)), first, { ifAbsent: true });
}
