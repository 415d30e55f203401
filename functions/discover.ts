/**
 * The discovery of a source's shards: an invocation of the connector's own `discovery` shard, so that drivers and secrets
 * load here and never in the scheduler. Each shard found gets a cursor; the list of cursors is the list of shards.
 */
import { type CheckpointSlice, type Claim, claimCheckpoint } from '../core/cursor/claim.ts';
import { encodeCursor } from '../core/cursor/codec.ts';
import { releaseCheckpoint } from '../core/cursor/commit.ts';
import { type CheckpointCursor, createCheckpointCursor } from '../core/cursor/cursor.ts';
import { raiseGate } from '../core/cursor/steer.ts';
import { cursorKey, type StoredCursor } from '../core/cursor/stored-cursor.ts';
import type { Outcome } from '../core/offer.ts';
import { sourceShardId } from '../core/shard-id.ts';
import { claimMoment, type Invocation, wantedGate } from './invocation.ts';
import { type OpenedConnector, pluginContext } from './opened-connector.ts';

export async function discover(
  invocation: Invocation,
  shard: StoredCursor<CheckpointCursor>,
  { source }: OpenedConnector,
): Promise<{ readonly outcome: Outcome | null; readonly refusal?: string; readonly notBeforeMs: number | null }> {
  if (source === null) return { outcome: null, refusal: 'nothing-to-claim', notBeforeMs: null };
  const { host, connector, offer } = invocation;
  const { deadline, moment } = claimMoment(invocation);
  const forMs = deadline.remainingMs();
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
  const answer = claimed as Claim<CheckpointCursor, CheckpointSlice>;
  if (answer.kind === 'refused') return { outcome: null, refusal: answer.reason, notBeforeMs: answer.notBeforeMs };

  const found = await source.discover(pluginContext(host, connector.name, offer.shard));
  const first = encodeCursor(createCheckpointCursor());
  // One after the other: a first discovery may find thousands, and the store is shared.
  for (const { names } of found) await host.store.put(cursorKey(sourceShardId(connector.uid, names)), first, { ifAbsent: true });
  const { epoch, generation } = answer.slice;
  const pollAtMs = host.clock.nowMs() + source.discoverEveryMs;
  await shard.change(
    (cursor) => releaseCheckpoint(cursor, { epoch, generation, checkpoint: null, pace: null }, { clean: true, pollAtMs }),
    { forMs },
  );
  return { outcome: 'drained', notBeforeMs: null };
}
