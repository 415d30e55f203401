import type { MessageQueue } from '../../core/message-queue.ts';
import { offset } from '../../core/offset.ts';
import { ConnectRecord, type Datum, type LogRecord } from '../../core/record/connect-record.ts';
import type { Schema } from '../../core/record/schema.ts';
import { bytesOf } from './log-records.ts';

export const STRING: Schema = { type: 'string', optional: false };

const ORDERS: MessageQueue = { topic: 'orders', brokerName: 'broker-a', queueId: 0 };

/** Text with a schema, and the bytes it was read from. */
export function textDatum(text: string): Datum & { readonly bytes: Uint8Array } {
  return { schema: STRING, value: text, bytes: bytesOf(text) };
}

/** A record that began in a log. */
type SinkRecord = ConnectRecord & { readonly log: LogRecord };

interface SinkRecordFields {
  readonly key?: Datum;
  readonly value?: Datum;
  readonly offset?: number | bigint;
  readonly queue?: MessageQueue;
}

/** A record as the pipeline hands it to a sink. */
export function aSinkRecord({
  key = textDatum('key'),
  value = textDatum('value'),
  queue = ORDERS,
  ...fields
}: SinkRecordFields = {}): SinkRecord {
  const bornAtMs = 1_700_000_000_000;
  const log = {
    queue,
    offset: offset(fields.offset ?? 0),
    key: key.bytes ?? null,
    value: value.bytes ?? null,
    tag: null,
    headers: [],
    bornAtMs,
    storedAtMs: bornAtMs,
  };
  const record = new ConnectRecord({
    log,
    position: null,
    topic: queue.topic,
    key,
    value,
    timestampMs: bornAtMs,
    tag: null,
    headers: [],
  });
  return record as SinkRecord;
}
