/** Appends records to a queue, in order; those that no message holds are refused for themselves, and the others are sent. */
import { RecordError } from '../../../core/errors.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { OutgoingRecord, SendResult } from '../../../core/ports.ts';
import { OutgoingMessages, PROPERTIES_BYTES_MAX } from '../outgoing-messages.ts';
import type { RocketmqClient } from '../rocketmq-client.ts';
import { writeRecord } from './record-properties.ts';

/** Enough for a key, where it comes from, and what a message has besides; more room is made where it is not. */
const ROOM_BESIDE_VALUE = 192;

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
  const messages = new OutgoingMessages(roomFor(records));
  const bornAtMs = wholeTime(records[0]?.bornAtMs ?? 0);
  for (const [index, record] of records.entries()) {
    writeRecord(messages, record, bornAtMs);
    const error = tooLarge(messages, client.batchBytesMax);
    if (error === null) accepted.push(index);
    else {
      messages.drop();
      refused.push({ index, error });
    }
  }
  const sent = await client.send(queue, messages, bornAtMs);
  for (const { index, error } of sent.refused) refused.push({ index: accepted[index] ?? 0, error });
  return { end: sent.end, refused: refused.sort((a, b) => a.index - b.index) };
}

function roomFor(records: readonly OutgoingRecord[]): number {
  let bytes = records.length * ROOM_BESIDE_VALUE;
  for (const { value } of records) bytes += value?.length ?? 0;
  return bytes;
}

/** What is wrong with the size of the last one; `null` when nothing is. */
function tooLarge({ lastBytes, lastPropertiesBytes }: OutgoingMessages, bytesMax: number): RecordError | null {
  if (lastBytes > bytesMax) {
    return new RecordError(`the record has ${lastBytes} bytes and RocketMQ takes at most ${bytesMax}`, {
      code: 'record.too_large',
      details: { bytes: lastBytes, bytesMax },
    });
  }
  if (lastPropertiesBytes <= PROPERTIES_BYTES_MAX) return null;
  const message = `key, tag and headers of the record have ${lastPropertiesBytes} bytes, and RocketMQ takes at most ${PROPERTIES_BYTES_MAX}`;
  return new RecordError(message, {
    code: 'record.too_large',
    details: { bytes: lastPropertiesBytes, bytesMax: PROPERTIES_BYTES_MAX },
  });
}

/** A message's time is a whole number; another is kept beside it, as that of each record is where it differs. */
function wholeTime(atMs: number): number {
  return Number.isSafeInteger(atMs) ? atMs : 0;
}
