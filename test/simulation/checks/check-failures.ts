/** I10: why a shard failed is true of the configuration it has, and stands until it restarts or somebody acts. */
import { type Cursor, isTruncated, type Status } from '../../../core/cursor/cursor.ts';
import { parseShardId } from '../../../core/shard-id.ts';
import type { World } from '../world/world.ts';
import type { CursorWrite } from './cursor-write.ts';

export function checkFailures(world: World, { shard, caller }: CursorWrite, before: Cursor, after: Cursor): void {
  // A reset is the end of every failure.
  if (after.generation !== before.generation || before.status.state === 'done') return;
  if (isTruncated(before.status) && !isTruncated(after.status))
    world.violate('I10', `${shard} forgot that its log was truncated`);
  if (before.status.state === 'failed' && after.status.state === 'gone')
    world.violate('I10', `${shard} forgot ${before.status.code}, for its queue was away`);
  if (before.status.state === 'failed' || !isVerdict(after.status)) return;
  const { uid } = parseShardId(shard);
  if (!caller.hasRead(uid, after.gate.revision))
    world.violate('I10', `${caller.name} failed ${shard} with an older configuration than its gate has`);
}

/** That a log is another one is true whatever the configuration says. */
function isVerdict(status: Status): boolean {
  return status.state === 'failed' && !isTruncated(status);
}
