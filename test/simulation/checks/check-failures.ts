/** I10: why a shard failed is true of the configuration it has, and stands until it restarts or somebody acts. */
import { type Cursor, isTruncated, type Status } from '../../../core/cursor/cursor.ts';
import { parseShardId, type ShardId } from '../../../core/shard-id.ts';
import type { World } from '../world/world.ts';
import type { CursorWrite } from './cursor-write.ts';

/** No shard restarts by itself more often than its connector allows, and none is promised a restart that it has not left. */
function checkBudget(world: World, shard: ShardId, { status }: Cursor): void {
  if (status.state !== 'active' && status.state !== 'failed') return;
  const { uid } = parseShardId(shard);
  const setup = world.setups.find(({ name }) => world.uids.get(name) === uid);
  if (setup === undefined) return;
  const max = Number(setup.config['auto.restart.max.attempts']);
  const promised = status.restarts + (status.state === 'failed' && status.retryAtMs !== null ? 1 : 0);
  if (promised > max) world.violate('restarts', `${shard} restarts by itself for the ${promised}. time, ${max} are allowed`);
}

export function checkFailures(world: World, { shard, caller }: CursorWrite, before: Cursor, after: Cursor): void {
  checkBudget(world, shard, after);
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
