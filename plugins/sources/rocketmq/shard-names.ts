/** The shards of `rocketmq-source`: one for each queue, and one that copies the offsets of groups. */
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { SourceShard } from '../../api/source.ts';

const QUEUE = 'queue';
const GROUPS = 'groups';

export const GROUPS_SHARD: SourceShard = { names: [GROUPS], finite: false };

export function shardOfQueue({ topic, brokerName, queueId }: MessageQueue): SourceShard {
  return { names: [QUEUE, topic, brokerName, String(queueId)], finite: false };
}

/** `null` for the shard of groups. */
export function queueOfNames([kind, topic, brokerName, queueId]: SourceShard['names']): MessageQueue | null {
  if (kind !== QUEUE || topic === undefined || brokerName === undefined) return null;
  return { topic, brokerName, queueId: Number(queueId) };
}
