/** What a poll brought, ready to be delivered: all that takes this thread's time is done while the batch before is on its way. */
import { ConnectRecord, type Header } from '../core/record/connect-record.ts';
import type { PolledRecord, PollResult } from '../plugins/api/source.ts';
import type { Pipeline, Processed } from './pipeline.ts';
import { polledBytes } from './polled-bytes.ts';

/** Records as they were polled are let go: what lives while a batch is on its way is moved about by the collector. */
export type Polled = Omit<PollResult, 'records'>;

export interface PreparedPoll {
  readonly result: Polled;
  readonly records: readonly ConnectRecord[];
  readonly bytes: number;
  readonly processed: Processed;
}

const NO_HEADERS: readonly Header[] = [];

export function preparePoll({ records: polled, ...result }: PollResult, pipeline: Pipeline): PreparedPoll {
  const records = polled.map(toRecord);
  return { result, records, bytes: polledBytes(polled), processed: pipeline.apply(records) };
}

function toRecord(polled: PolledRecord): ConnectRecord {
  const { topic, key, value, timestampMs } = polled;
  return new ConnectRecord({
    log: null,
    position: polled.position ?? null,
    queueIndex: polled.queueIndex ?? null,
    shardingKey: polled.shardingKey ?? null,
    keys: polled.keys ?? null,
    topic,
    key,
    value,
    timestampMs,
    tag: polled.tag ?? null,
    headers: polled.headers ?? NO_HEADERS,
  });
}
