/** Appends records to a queue, in order; those that no message holds are refused for themselves, and the others are sent. */
import { RecordError } from '../../../core/errors.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { OutgoingRecord, SendResult } from '../../../core/ports.ts';
import { messageBytes, type OutgoingMessage } from '../outgoing-message.ts';
import type { RocketmqClient } from '../rocketmq-client.ts';
import { propertiesTooLarge, toMessage } from './record-properties.ts';

type Refused = SendResult['refused'][number];

export interface SentRecords {
  /** Right behind the last one that was stored; `null` where none was. */
  readonly end: bigint | null;
  /** Ascending. */
  readonly refused: readonly Refused[];
}

/** @throws as the client. */
export async function sendRecords(
  client: RocketmqClient,
  queue: MessageQueue,
  records: readonly OutgoingRecord[],
): Promise<SentRecords> {
  const refused: Refused[] = [];
  const accepted: number[] = [];
  const messages: OutgoingMessage[] = [];
  const bornAtMs = wholeTime(records[0]?.bornAtMs ?? 0);
  for (const [index, record] of records.entries()) {
    const message = toMessage(record, bornAtMs);
    const error = tooLarge(message, client.batchBytesMax);
    if (error !== null) refused.push({ index, error });
    else {
      accepted.push(index);
      messages.push(message);
    }
  }
  const sent = await client.send(queue, messages, bornAtMs);
  for (const { index, error } of sent.refused) refused.push({ index: accepted[index] ?? 0, error });
  return { end: sent.end, refused: refused.sort((a, b) => a.index - b.index) };
}

function tooLarge(message: OutgoingMessage, bytesMax: number): RecordError | null {
  const bytes = messageBytes(message);
  if (bytes <= bytesMax) return propertiesTooLarge(message);
  return new RecordError(`the record has ${bytes} bytes and RocketMQ takes at most ${bytesMax}`, {
    code: 'record.too_large',
    details: { bytes, bytesMax },
  });
}

/** A message's time is a whole number; another is kept beside it, as that of each record is where it differs. */
function wholeTime(atMs: number): number {
  return Number.isSafeInteger(atMs) ? atMs : 0;
}
