/** At the end: of connectors that were deleted nothing is left, once what may lie there unlisted has been swept. */
import { cursorPartition } from '../../../core/cursor/stored-cursor.ts';
import { parseShardId } from '../../../core/shard-id.ts';
import { sweepDeleted } from '../../../scheduler/deleted-connectors.ts';
import type { World } from '../world/world.ts';

/** More than a deletion lets pass before it counts on no invocation from before it. */
const LATER_MS = 25 * 3_600_000;

/** More than deletions of one run can leave work for. */
const SWEEPS_MAX = 20;

export async function checkLeftovers(world: World): Promise<void> {
  const clock = { ...world.clock, nowMs: () => world.time.nowMs + LATER_MS };
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep += 1) await sweepDeleted({ store: world.store, clock });
  const living = new Set(world.uids.values());
  const uids = new Set([...world.shards].map((shard) => parseShardId(shard).uid));
  for (const uid of uids) {
    if (living.has(uid)) continue;
    const [left] = (await world.store.list(cursorPartition(uid), { limit: 1 })).documents;
    if (left !== undefined) return world.violate('leftovers', `${left.key.sort} is left of a connector that was deleted`);
  }
}
