/** What people call a shard: a queue `topic/broker/number`, a shard of a source by its own names. */
import { parseShardId, type ShardId } from '../core/shard-id.ts';

/** Its first two parts say whose it is, and of which kind; a source's search for shards has nothing but its kind. */
export function shardName(shard: string): string {
  const [kind = '', ...names] = parseShardId(shard as ShardId).parts;
  return names.length === 0 ? kind : names.join('/');
}
