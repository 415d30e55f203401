/**
 * A shard's id: the connector's uid, then the parts that name the shard inside it, percent-encoded and joined by `/`.
 *
 * The uid comes first and is random per connector, so a connector deleted and created again under the same name shares
 * no shard, no cursor and no row in a target with the one before.
 */
import { assert } from './assert.ts';
import { FatalTaskError } from './errors.ts';
import type { MessageQueue } from './message-queue.ts';

export type ShardId = string & { readonly __brand: 'ShardId' };

/** @throws {FatalTaskError} for a part with half of a surrogate pair: replaced by something else, two names could become one. */
export function shardId(uid: string, parts: readonly string[]): ShardId {
  assert(parts.length > 0, 'a shard id needs at least one part');
  return [uid, ...parts].map(encoded).join('/') as ShardId;
}

function encoded(part: string): string {
  try {
    return encodeURIComponent(part);
  } catch (error) {
    throw new FatalTaskError(
      `a shard cannot be named ${JSON.stringify(part)}: half of a surrogate pair stands alone in it; next: rename what the shard is named after, or mend the plugin that names it`,
      { cause: error },
    );
  }
}

/** What a shard is about; the first part of its id, so that no source can name a shard like a queue's. */
const QUEUE = 'queue';
const SOURCE = 'source';
const DISCOVERY = 'discovery';

/** The shard of a sink that reads `queue`. */
export function queueShardId(uid: string, queue: MessageQueue): ShardId {
  return shardId(uid, [QUEUE, queue.topic, queue.brokerName, String(queue.queueId)]);
}

/** A shard that a source's plugin discovered under these names. */
export function sourceShardId(uid: string, names: readonly string[]): ShardId {
  return shardId(uid, [SOURCE, ...names]);
}

/** The shard whose work is to find a source's other shards. */
export function discoveryShardId(uid: string): ShardId {
  return shardId(uid, [DISCOVERY]);
}

export function parseShardId(id: ShardId): { readonly uid: string; readonly parts: readonly string[] } {
  const encodedParts = id.split('/');
  // Most ids have nothing encoded in them, and are looked at for every invocation.
  const [uid, ...parts] = id.includes('%') ? encodedParts.map(decodeURIComponent) : encodedParts;
  assert(uid !== undefined && parts.length > 0, `not a shard id: ${id}`);
  return { uid, parts };
}

/** The message queue of a sink's shard; `undefined` for any other. */
export function queueOfShard(id: ShardId): MessageQueue | undefined {
  const [kind, topic, brokerName, queueId] = parseShardId(id).parts;
  if (kind !== QUEUE || topic === undefined || brokerName === undefined || queueId === undefined) return undefined;
  return { topic, brokerName, queueId: Number(queueId) };
}

/** The names a source's plugin gave its shard; `undefined` for any other. */
export function sourceNamesOfShard(id: ShardId): readonly string[] | undefined {
  const [kind, ...names] = parseShardId(id).parts;
  return kind === SOURCE ? names : undefined;
}

export function isDiscoveryShard(id: ShardId): boolean {
  return parseShardId(id).parts[0] === DISCOVERY;
}
