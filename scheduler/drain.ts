/**
 * Whether a connector has moved all there is, or all there was at a moment, by what is stored and what its log holds: whoever leads.
 *
 * - A message queue is done once its watermark has reached the goal: its end as it is now, or as it was at the moment.
 * - A source knows no end. A shard of it is done once a slice that was claimed after the moment found nothing more: its goal is the
 *   epoch of the moment, and a later one must have left it, told to come again some time. So is its search for shards; one that is
 *   found later has to be read, too.
 */
import type { CheckpointCursor } from '../core/cursor/cursor.ts';
import type { ShardId } from '../core/shard-id.ts';
import type { ShardPosition } from './shard-positions.ts';

/** Of a queue an offset, of a source's shard an epoch. */
export type Goals = ReadonlyMap<ShardId, bigint>;

export interface ShardProgress {
  readonly shard: ShardId;
  /** `failed`: only an operator moves it on. */
  readonly state: 'done' | 'moving' | 'failed';
  readonly position: bigint | null;
  readonly goal: bigint | null;
}

/** As of now. Without `upToNow` queues have none: their end is looked at again each time. */
export function goalsOf(positions: readonly ShardPosition[], { upToNow }: { readonly upToNow: boolean }): Goals {
  const goals = new Map<ShardId, bigint>();
  for (const { shard, queue, bounds, cursor, isRead } of positions) {
    if (!isRead) continue;
    if (queue === null) goals.set(shard, BigInt(cursor?.epoch ?? 0));
    else if (upToNow && bounds !== null) goals.set(shard, bounds.max);
  }
  return goals;
}

/** Of all that has a goal. Up to a moment, queues without one came later, or had gone. */
export function progressOf(
  positions: readonly ShardPosition[],
  goals: Goals,
  { upToNow }: { readonly upToNow: boolean },
): readonly ShardProgress[] {
  return positions.flatMap((position) => {
    const { shard, queue, isRead } = position;
    if (!isRead || (queue !== null && upToNow && !goals.has(shard))) return [];
    const own = goals.get(shard);
    return queue === null ? sourceProgress(position, own ?? 0n) : queueProgress(position, own ?? position.bounds?.max ?? null);
  });
}

/** Over, when nothing is left that moves by itself. */
export function stateOf(progress: readonly ShardProgress[]): 'drained' | 'moving' | 'failed' {
  if (progress.some(({ state }) => state === 'moving')) return 'moving';
  return progress.every(({ state }) => state === 'done') ? 'drained' : 'failed';
}

// ---------------------------------------------------------------------------------------------------------------------

function queueProgress(at: ShardPosition, goal: bigint | null): ShardProgress {
  const { shard, bounds, position } = at;
  // What went with its queue is not there to be moved. What retention removed has to be passed over first, or fails the shard.
  const isDone = bounds === null || goal === null || (position !== null && position >= goal);
  return { shard, state: isDone ? 'done' : unfinished(at), position, goal };
}

function sourceProgress(at: ShardPosition, goal: bigint): ShardProgress {
  const { shard, cursor } = at;
  const isDone = cursor?.kind === 'checkpoint' && (cursor.status.state === 'done' || wasIdleAfter(cursor, goal));
  return { shard, state: isDone ? 'done' : unfinished(at), position: cursor === null ? null : BigInt(cursor.epoch), goal };
}

function wasIdleAfter({ epoch, holder, attempts, pollAtMs }: CheckpointCursor, goal: bigint): boolean {
  return BigInt(epoch) > goal && holder === null && attempts === 0 && pollAtMs > 0;
}

function unfinished({ cursor, problem }: ShardPosition): 'moving' | 'failed' {
  const waitsForOperator = cursor?.status.state === 'failed' && cursor.status.retryAtMs === null;
  return problem !== null || waitsForOperator ? 'failed' : 'moving';
}
