/** A record as it goes into a log. */
import type { OutgoingRecord } from '../ports.ts';
import type { ConnectRecord, Header, LogHeaders } from './connect-record.ts';
import type { Value } from './schema.ts';

const NONE: LogHeaders = [];

/** Key and value were encoded by the pipeline. */
export function outgoing(record: ConnectRecord, nowMs: number, extra: LogHeaders = NONE): OutgoingRecord {
  return {
    key: record.keyDatum.bytes ?? null,
    value: record.valueDatum.bytes ?? null,
    tag: record.tag,
    headers: record.headers.length === 0 ? extra : [...record.headers.map(logHeader), ...extra],
    bornAtMs: record.timestampMs ?? nowMs,
    shardingKey: record.shardingKey,
    keys: record.keys,
  };
}

function logHeader({ name, value }: Header): readonly [string, string] {
  return [name, headerText(value)];
}

/** Text as it is; everything else as JSON, 64-bit integers as their digits. */
function headerText(value: Value): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
}
