import { offset } from '../../core/offset.ts';
import { ConnectRecord, NULL_DATUM, type RecordFields } from '../../core/record/connect-record.ts';

/** A record of a source, with only the fields that matter written in the test. */
export function aRecord(fields: Partial<RecordFields> = {}): ConnectRecord {
  return new ConnectRecord({
    log: null,
    position: null,
    topic: 'orders',
    key: NULL_DATUM,
    value: NULL_DATUM,
    timestampMs: 1_483_425_001_864,
    tag: null,
    headers: [],
    ...fields,
  });
}

/** A record of a sink, with its place in the log. */
export function aSinkRecord({ at = 42n, ...fields }: Partial<RecordFields> & { readonly at?: bigint } = {}): ConnectRecord {
  return aRecord({
    log: {
      queue: { topic: 'orders', brokerName: 'broker-a', queueId: 3 },
      offset: offset(at),
      key: null,
      value: null,
      tag: null,
      headers: [],
      bornAtMs: 0,
      storedAtMs: 0,
    },
    ...fields,
  });
}
