/** A record as it goes to the other cluster, and the queue it goes to. */
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { OutgoingRecord } from '../../../core/ports.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import { outgoing } from '../../../core/record/outgoing.ts';
import { chooseQueue, copiedQueueIndex } from '../../../core/record/queue-choice.ts';
import { idempotencyKey } from '../../api/idempotency-key.ts';
import type { SliceIdentity } from '../../api/sink.ts';
import { headersOfCopy, ID_HEADER, type Passage } from '../../replication/origins.ts';

export interface SendTerms {
  readonly passage: Passage | null;
  readonly slice: Pick<SliceIdentity, 'shard' | 'generation'>;
  readonly nowMs: number;
}

/** `null`: it has been where it would go, and is left out. */
export function copyToSend(record: ConnectRecord, { passage, slice, nowMs }: SendTerms): OutgoingRecord | null {
  const sent = outgoing(record, nowMs);
  const headers = headersOfCopy(sent.headers, passage);
  if (headers === null) return null;
  const id = idempotencyKey(slice, [record]);
  const keys = record.keys ?? record.log?.keys ?? null;
  const shardingKey = shardingKeyOf(record);
  return {
    ...sent,
    headers: id === null ? headers : [...headers, [ID_HEADER, id]],
    ...(keys !== null && { keys }),
    ...(shardingKey !== null && { shardingKey }),
  };
}

/** By its key where that is wished and it has one; else with all others of the queue it lies in. A record of no log says itself. */
export function queueToSendTo(
  record: ConnectRecord,
  queues: readonly MessageQueue[],
  { queueBy, turn }: { readonly queueBy: 'queue' | 'key'; readonly turn: number },
): MessageQueue | undefined {
  const { log, keyDatum } = record;
  const shardingKey = shardingKeyOf(record);
  const hasKey = shardingKey !== null || (keyDatum.bytes ?? null) !== null;
  if (log !== null && !(hasKey && queueBy === 'key')) return queues[copiedQueueIndex(log.queue) % queues.length];
  return queues[chooseQueue(shardingKey === record.shardingKey ? record : record.with({ shardingKey }), queues, turn)];
}

function shardingKeyOf({ shardingKey, log }: ConnectRecord): string | null {
  return shardingKey ?? log?.shardingKey ?? null;
}
