/** A record of the other cluster as it is copied: what it holds, and nothing of how that cluster keeps it. */
import type { PulledRecord } from '../../../clients/rocketmq/records/pulled-record.ts';
import type { Datum, Header, LogHeaders, LogRecord } from '../../../core/record/connect-record.ts';
import { copiedQueueIndex } from '../../../core/record/queue-choice.ts';
import type { Schema } from '../../../core/record/schema.ts';
import type { PolledRecord } from '../../api/source.ts';
import { headersOfCopy, type Passage } from '../../replication/origins.ts';

const BYTES: Schema = { type: 'bytes', optional: true };

const NO_HEADERS: readonly Header[] = [];

export interface CopyTerms {
  readonly topic: string;
  readonly passage: Passage | null;
  readonly queueBy: 'queue' | 'key';
}

/** `null`: it has been where it would go, and is left out. */
export function copyOf(record: PulledRecord, { topic, passage, queueBy }: CopyTerms): PolledRecord | null {
  const headers = headersOfCopy(record.headers, passage);
  if (headers === null) return null;
  const { queue, offset, storedAtMs, tag } = record;
  const { shardingKey } = record;
  const hasKey = record.key !== null || shardingKey !== null;
  return {
    topic,
    key: new CopiedDatum(record, 'key'),
    value: new CopiedDatum(record, 'value'),
    timestampMs: record.bornAtMs,
    tag,
    keys: record.keys,
    shardingKey,
    headers: headers.length === 0 ? NO_HEADERS : headersOf(headers),
    bytes: (record.key?.length ?? 0) + record.valueBytesMax,
    // With its time, for a topic that was created anew has other records at the same offsets.
    position: [offset, BigInt(storedAtMs)],
    ...(queueBy === 'key' && hasKey ? {} : { queueIndex: copiedQueueIndex(queue) }),
  };
}

/** Untouched, unless somebody looks: a value that cannot be inflated fails its record, and not the poll. */
class CopiedDatum implements Datum {
  readonly schema = BYTES;
  readonly #record: LogRecord;
  readonly #part: 'key' | 'value';

  constructor(record: LogRecord, part: 'key' | 'value') {
    this.#record = record;
    this.#part = part;
  }

  get value(): Uint8Array | null {
    return this.#record[this.#part];
  }

  get bytes(): Uint8Array | null {
    return this.#record[this.#part];
  }
}

function headersOf(headers: LogHeaders): readonly Header[] {
  return headers.map(([name, value]) => ({ name, schema: null, value }));
}
