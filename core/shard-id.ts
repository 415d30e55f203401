/**
 * A shard's id: the connector's uid, then the parts that name the shard inside it, percent-encoded and joined by `/`.
 *
 * The uid comes first and is random per connector, so a connector deleted and created again under the same name shares
 * no shard, no cursor and no row in a target with the one before.
 */
import { assert } from './assert.ts';
import type { MessageQueue } from './message-queue.ts';

export type ShardId = string & { readonly __brand: 'ShardId' };

export function shardId(uid: string, parts: readonly string[]): ShardId {
  assert(parts.length > 0, 'a shard id needs at least one part');
  return [uid, ...parts].map(encodeURIComponent).join('/') as ShardId;
}

/** The shard of a sink that reads `queue`. */
export function queueShardId(uid: string, queue: MessageQueue): ShardId {
  return shardId(uid, ['queue', queue.topic, queue.brokerName, String(queue.queueId)]);
}

export function parseShardId(id: ShardId): { readonly uid: string; readonly parts: readonly string[] } {
  const [uid, ...parts] = id.split('/').map(decodeURIComponent);
  assert(uid !== undefined && parts.length > 0, `not a shard id: ${id}`);
  return { uid, parts };
}

/** The message queue of a sink's shard; `undefined` for the shard of a source. */
export function queueOfShard(id: ShardId): MessageQueue | undefined {
  const [kind, topic, brokerName, queueId] = parseShardId(id).parts;
  if (kind !== 'queue' || topic === undefined || brokerName === undefined || queueId === undefined) return undefined;
  return { topic, brokerName, queueId: Number(queueId) };
}
