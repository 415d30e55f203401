import { createHash } from 'node:crypto';
import { parseShardId, type ShardId } from '../../../core/shard-id.ts';

/** File systems take names of 255 bytes; this leaves room, and is enough for people to tell shards apart. */
const READABLE_CHARACTERS_MAX = 100;
/** 64 bits: no two shards of one directory will ever share them by chance. */
const HASH_CHARACTERS = 16;

/** `orders-broker.a-0-5f0c...`: what the shard is about, for people, and a hash of its whole id, with the connector's uid. */
export function shardFolderName(shard: ShardId): string {
  const [, ...parts] = parseShardId(shard).parts;
  const readable = parts
    .join('-')
    .replaceAll(/[^A-Za-z0-9_-]+/g, '.')
    .slice(0, READABLE_CHARACTERS_MAX);
  return `${readable}-${createHash('sha256').update(shard).digest('hex').slice(0, HASH_CHARACTERS)}`;
}
