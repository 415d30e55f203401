/** How far a group has consumed the queues that are copied, and which of the copies that is. */
import { boundsOf, type RecordReading, readRecords } from '../../../clients/rocketmq/records/read-records.ts';
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import { maxOffset, type Offset, offset } from '../../../core/offset.ts';
import type { LogRecord } from '../../../core/record/connect-record.ts';
import { sentFrom } from '../../../core/record/position-headers.ts';
import { parseShardId, type ShardId, sourceNamesOfShard } from '../../../core/shard-id.ts';
import { queueOfNames } from './shard-names.ts';

export interface Consumed {
  /** By queue at the source: everything below is consumed. */
  readonly offsets: ReadonlyMap<string, Offset>;
  /** When the oldest record that is not consumed yet was stored there, epoch ms: no copy of such a one is older. */
  readonly sinceMs: number;
}

/** `null`: the group has never noted how far it had come in any of them. */
export async function consumedBy(
  reading: RecordReading,
  group: string,
  queues: readonly MessageQueue[],
): Promise<Consumed | null> {
  const { client, clock } = reading;
  const [noted, spans] = await Promise.all([
    Promise.all(queues.map((queue) => client.groups.offset(queue, group))),
    client.spans(queues),
  ]);
  if (noted.every((at) => at === null)) return null;
  const nowMs = clock.nowMs();
  const offsets = new Map<string, Offset>();
  let sinceMs = nowMs;
  for (const [index, queue] of queues.entries()) {
    const span = spans[index];
    if (span === null || span === undefined) continue;
    const { min } = boundsOf(span);
    // Of a queue in which it noted nothing it has consumed nothing.
    const at = maxOffset(min, offset(noted[index] ?? 0n));
    offsets.set(queueKey(queue), at);
    // One after the other: a look at each queue once in a while.
    const [next] = (await readRecords(reading, { queue, from: at }, { records: 1, bytes: 1, waitMs: 0 })).records;
    if (next !== undefined && next.storedAtMs < sinceMs) sinceMs = next.storedAtMs;
  }
  return { offsets, sinceMs };
}

/** Whether the group has no use for a copy any more; what this connector did not copy is passed over. */
export function isConsumed({ offsets }: Consumed, own: ShardId): (record: LogRecord) => boolean {
  const { uid } = parseShardId(own);
  const queues = new Map<string, string | null>();
  const queueOf = (source: string): string | null => {
    const known = queues.get(source);
    if (known !== undefined) return known;
    const found = copiedQueue(source, uid);
    queues.set(source, found);
    return found;
  };
  return (record) => {
    const sent = sentFrom(record);
    const queue = sent === undefined ? null : queueOf(sent.source);
    const end = queue === null ? undefined : offsets.get(queue);
    return end === undefined || (sent?.position[0] ?? 0n) < end;
  };
}

/** `null`: another connector sent it, or another kind of shard. */
function copiedQueue(source: string, uid: string): string | null {
  const shard = source.slice(0, source.lastIndexOf('#')) as ShardId;
  if (!shard.startsWith(`${uid}/`)) return null;
  const queue = queueOfNames(sourceNamesOfShard(shard) ?? []);
  return queue === null ? null : queueKey(queue);
}
