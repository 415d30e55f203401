/**
 * Records that come although nothing is changed, as Debezium's do, so that whoever watches a topic can tell a quiet database from a
 * connector that stands still. When the last one was sent is in the checkpoint.
 *
 * One stands right below whatever is committed next, as rows do that are read, and its time tells it from those before. Where it is sent
 * and not committed, the next one comes at a later time.
 */
import type { Datum } from '../../../core/record/connect-record.ts';
import type { StructSchema } from '../../../core/record/schema.ts';
import type { PolledRecord } from '../../api/source.ts';
import { topicName } from '../change-capture/topic-name.ts';
import type { CdcCheckpoint } from './cdc-checkpoint.ts';
import type { CdcSettings } from './cdc-config.ts';
import { fileNumber, isKnown } from './log-places.ts';

const KEY: StructSchema = {
  type: 'struct',
  optional: false,
  name: 'io.debezium.connector.common.ServerNameKey',
  fields: [{ name: 'serverName', schema: { type: 'string', optional: false } }],
};

const VALUE: StructSchema = {
  type: 'struct',
  optional: false,
  name: 'io.debezium.connector.common.Heartbeat',
  fields: [{ name: 'ts_ms', schema: { type: 'int64', optional: false } }],
};

export class Heartbeat {
  readonly #topic: string;
  readonly #everyMs: number;
  readonly #key: Datum;

  constructor(config: CdcSettings) {
    const prefix = config['topic.prefix'];
    this.#topic = topicName([config['topic.heartbeat.prefix'], prefix].join(config['topic.delimiter']));
    this.#everyMs = config['heartbeat.interval.ms'];
    this.#key = { schema: KEY, value: { serverName: prefix } };
  }

  /** `null`: none is due, or it stands within a transaction, or nobody knows where. Not among rows that are read, which come at the same place. */
  due({ era, place, inside, snapshot, beatAtMs }: CdcCheckpoint, nowMs: number): PolledRecord | null {
    if (this.#everyMs === 0 || nowMs - beatAtMs < this.#everyMs) return null;
    if (inside !== null || snapshot !== null || !isKnown(place)) return null;
    return {
      topic: this.#topic,
      key: this.#key,
      value: { schema: VALUE, value: { ts_ms: BigInt(nowMs) } },
      timestampMs: nowMs,
      position: [BigInt(era), fileNumber(place.file), BigInt(place.position) - 1n, BigInt(nowMs)],
    };
  }
}
