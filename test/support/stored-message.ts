import { type OutgoingMessage, OutgoingMessages } from '../../clients/rocketmq/outgoing-messages.ts';
import { writeRecord } from '../../clients/rocketmq/records/record-properties.ts';
import type { OutgoingRecord } from '../../core/ports.ts';

export interface StoredMessage {
  readonly body: Uint8Array;
  readonly properties: string;
  readonly bornAtMs: number;
  readonly storedAtMs?: number;
  readonly offset?: number;
  readonly systemFlags?: number;
}

/** A message as a broker stores it: the format is told of by `clients/rocketmq/message-layout.ts`. */
export function storedMessage({
  body,
  properties,
  bornAtMs,
  storedAtMs = 0,
  offset = 0,
  systemFlags = 0,
}: StoredMessage): Buffer {
  const propertyBytes = Buffer.from(properties);
  const head = Buffer.alloc(88);
  head.writeUInt32BE(0xdaa320a7, 4);
  head.writeBigInt64BE(BigInt(offset), 20);
  head.writeInt32BE(systemFlags, 36);
  head.writeBigInt64BE(BigInt(bornAtMs), 40);
  head.writeBigInt64BE(BigInt(storedAtMs), 56);
  head.writeInt32BE(body.length, 84);
  const topic = Buffer.from('\u0001T');
  const propertiesLength = Buffer.alloc(2);
  propertiesLength.writeInt16BE(propertyBytes.length);
  const message = Buffer.concat([head, body, topic, propertiesLength, propertyBytes]);
  message.writeInt32BE(message.length, 0);
  return message;
}

/** What is sent of a record. `batchBornAtMs`: what the batch says of all of its messages. */
export function messageOf(record: OutgoingRecord, batchBornAtMs: number): OutgoingMessage {
  const messages = new OutgoingMessages();
  writeRecord(messages, record, batchBornAtMs);
  return messages.message(0);
}
