/** The shards of a source's connector, as its plugin sees them. */
import { decodeCursor } from '../core/cursor/codec.ts';
import { readSourceCheckpoint } from '../core/cursor/source-checkpoint.ts';
import { cursorPartition } from '../core/cursor/stored-cursor.ts';
import { documentsIn } from '../core/document-pages.ts';
import type { StateStore } from '../core/ports.ts';
import { type ShardId, sourceNamesOfShard } from '../core/shard-id.ts';
import type { FoundShard } from '../plugins/api/context.ts';

export async function foundShards(store: StateStore, uid: string): Promise<readonly FoundShard[]> {
  const found: FoundShard[] = [];
  for await (const { key, value } of documentsIn(store, cursorPartition(uid))) {
    const shard = key.sort as ShardId;
    const names = sourceNamesOfShard(shard);
    const cursor = names === undefined ? null : decodeCursor(value, shard);
    if (names === undefined || cursor?.kind !== 'checkpoint') continue;
    found.push({ names, checkpoint: readSourceCheckpoint(cursor.checkpoint).p, isDone: cursor.status.state === 'done' });
  }
  return found;
}
