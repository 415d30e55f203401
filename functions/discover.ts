/**
 * The discovery of a source's shards: an invocation of the connector's own `discovery` shard, so that drivers and secrets
 * load here and never in the scheduler. Each shard found gets a cursor; the list of cursors is the list of shards.
 */
import { bounded } from '../core/bounded.ts';
import { encodeCursor } from '../core/cursor/codec.ts';
import { releaseCheckpoint } from '../core/cursor/commit.ts';
import { type CheckpointCursor, createCheckpointCursor } from '../core/cursor/cursor.ts';
import { resumingAt } from '../core/cursor/source-checkpoint.ts';
import { cursorKey, cursorPartition, type StoredCursor } from '../core/cursor/stored-cursor.ts';
import { documentsIn } from '../core/document-pages.ts';
import { FatalTaskError, RetryableError } from '../core/errors.ts';
import type { Offer } from '../core/offer.ts';
import { sourceShardId } from '../core/shard-id.ts';
import type { SourceShard } from '../plugins/api/source.ts';
import type { ConfiguredSource } from '../plugins/configure.ts';
import { claimByCheckpoint, demandAlive, failByCheckpoint } from './checkpoint-claim.ts';
import { type Deadline, TIMED_OUT, within } from './deadline.ts';
import { classified } from './deliver.ts';
import type { Host } from './host.ts';
import { COMMIT_RESERVE_MS, claimMoment, type Ending, IDLE_MAX_MS, type Invocation } from './invocation.ts';
import { pluginContext } from './open-connector.ts';
import type { OpenedConnector } from './opened-connector.ts';
import { failureOf } from './settle.ts';

export async function discover(
  invocation: Invocation,
  shard: StoredCursor<CheckpointCursor>,
  { source, config }: OpenedConnector,
): Promise<Ending> {
  if (source === null) return { outcome: null, refusal: 'nothing-to-claim', notBeforeMs: null };
  const { deadline, moment } = claimMoment(invocation);
  const terms = { graceMs: invocation.host.settings.skewMaxMs, ended: invocation.offer.ended };
  const claimed = await claimByCheckpoint(invocation, shard, { moment, terms, forMs: deadline.remainingMs() });
  if (claimed.kind === 'refused') return { outcome: null, refusal: claimed.reason, notBeforeMs: claimed.notBeforeMs };

  const { epoch, generation, attempts } = claimed.slice;
  const progress = { epoch, generation, checkpoint: null, pace: null };
  let foundAll: boolean;
  try {
    demandAlive(claimed.slice);
    foundAll = await createShards(invocation, await listShards(invocation, source, deadline), deadline);
  } catch (error) {
    const known = classified(error);
    if (!(known instanceof RetryableError || known instanceof FatalTaskError)) throw known;
    const failure = failureOf(invocation, { error: known, stage: 'poll', attempts, runtime: config.runtime, lateMs: 0 });
    await failByCheckpoint(shard, { progress, failure, forMs: deadline.remainingMs() });
    return { outcome: 'failed', notBeforeMs: null };
  }
  const pollAtMs = foundAll ? invocation.host.clock.nowMs() + bounded(source.discoverEveryMs, IDLE_MAX_MS) : 0;
  // The checkpoint never moves, but a discovery that came to its end is progress.
  const release = (cursor: CheckpointCursor): CheckpointCursor => ({
    ...releaseCheckpoint(cursor, progress, { clean: true, pollAtMs }),
    attempts: 0,
  });
  await shard.change(release, { forMs: deadline.remainingMs() });
  return { outcome: foundAll ? 'drained' : 'yielded', notBeforeMs: null };
}

async function listShards(
  { host, connector, offer }: Invocation,
  source: ConfiguredSource,
  deadline: Deadline,
): Promise<readonly SourceShard[]> {
  const context = pluginContext(host, connector, offer.shard);
  const found = await within(host.clock, deadline.remainingMs() - COMMIT_RESERVE_MS, () => source.discover(context));
  if (found !== TIMED_OUT) return found;
  throw new RetryableError('the discovery did not end within its claim', { code: 'source.unavailable' });
}

/**
 * `false`: the claim was over first, and the next discovery goes on behind what is there. Of a connector that is deleted
 * meanwhile too: its cursors are removed with what else it may leave behind, see `sweepDeleted`.
 */
async function createShards({ host, offer }: Invocation, found: readonly SourceShard[], deadline: Deadline): Promise<boolean> {
  const known = await knownShards(host, offer);
  // One after the other: a first discovery may find thousands, and the store is shared.
  for (const { names, checkpoint = null } of found) {
    const shard = sourceShardId(offer.uid, names);
    if (known.has(shard)) continue;
    if (deadline.remainingMs() <= COMMIT_RESERVE_MS) return false;
    const first = createCheckpointCursor(checkpoint === null ? null : resumingAt(checkpoint));
    await host.store.put(cursorKey(shard), encodeCursor(first), { ifAbsent: true });
  }
  return true;
}

async function knownShards({ store }: Host, { uid }: Offer): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for await (const { key } of documentsIn(store, cursorPartition(uid))) known.add(key.sort);
  return known;
}
