/** I10: what retention took unread is counted, and whoever finds a log broken says so. */
import { type LogCursor, watermark } from '../../../core/cursor/cursor.ts';
import { queueKey } from '../../../core/message-queue.ts';
import { minOffset, offset } from '../../../core/offset.ts';
import { queueOfShard } from '../../../core/shard-id.ts';
import type { World } from '../world/world.ts';
import type { CursorWrite } from './cursor-write.ts';

export function checkGaps(world: World, { shard, caller }: CursorWrite, before: LogCursor, after: LogCursor): void {
  const { status, gaps } = after;
  const isNewFailure = status.state === 'failed' && before.status.state !== 'failed';
  if (isNewFailure && (status.code === 'shard.log_truncated' || status.code === 'shard.log_gap'))
    caller.audit.found(shard, status.code);
  // One that was away before anything of it was known is not trusted when it is back.
  const isKnown = before.firstRecord !== null || before.lastStoredAtMs !== null;
  const isBroken = world.brokenTopics.has(queueOfShard(shard)?.topic ?? '');
  if (isNewFailure && status.code === 'shard.log_truncated' && isKnown && !isBroken)
    world.violate('I10', `${caller.name} calls the log of ${shard} truncated, and nobody touched it`);
  if (gaps === null || gaps.count <= (before.gaps?.count ?? 0)) return;
  caller.audit.found(shard, 'a gap');
  const queue = queueOfShard(shard);
  const removedTo = world.removedTo.get(queue === undefined ? '' : queueKey(queue)) ?? offset(0);
  if (gaps.end > removedTo)
    world.violate('I10', `${caller.name} skipped ${shard} to ${gaps.end}, retention took up to ${removedTo}`);
  const counted = gaps.records - (before.gaps?.records ?? 0n);
  const missed = unfinishedBelow(before, gaps.end);
  if (counted !== missed) world.violate('I10', `the gap of ${shard} counts ${counted} records, ${missed} were lost`);
}

/** Offset by offset, so that no arithmetic of ranges can be wrong in the same way twice. */
function unfinishedBelow(cursor: LogCursor, end: bigint): bigint {
  let records = 0n;
  for (let at: bigint = watermark(cursor); at < end; at += 1n) {
    const isOpen = cursor.open.some((range) => range.start <= at && at < (range.end ?? minOffset(range.start, cursor.next)));
    if (isOpen || at >= cursor.next) records += 1n;
  }
  return records;
}
