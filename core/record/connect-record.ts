/**
 * A record on its way from a reader to a writer.
 *
 * Key and value decode when somebody looks: a record that only passes through is never parsed. Immutable; `with` makes a
 * changed copy and keeps what was not changed undecoded.
 */
import type { MessageQueue } from '../message-queue.ts';
import type { Offset } from '../offset.ts';
import { formatPosition, type Position } from './position.ts';
import type { Schema, Value } from './schema.ts';

/** A schema (or none) and the value that has its shape. */
export interface Datum {
  readonly schema: Schema | null;
  readonly value: Value;
  /** What this was read from, untouched; absent for a value made in memory. */
  readonly bytes?: Uint8Array | null;
}

export const NULL_DATUM: Datum = { schema: null, value: null };

export interface Header {
  readonly name: string;
  readonly schema: Schema | null;
  readonly value: Value;
}

/** User properties of a log record, in order. */
export type LogHeaders = readonly (readonly [name: string, value: string])[];

/** A record as a log holds it. */
export interface LogRecord {
  readonly queue: MessageQueue;
  readonly offset: Offset;
  readonly key: Uint8Array | null;
  /** `null` is a tombstone. */
  readonly value: Uint8Array | null;
  readonly tag: string | null;
  readonly headers: LogHeaders;
  /** As `OutgoingRecord` has them; `null` or absent without, and in a log that keeps none. */
  readonly shardingKey?: string | null;
  readonly keys?: string | null;
  /** When the producer made it, epoch ms. */
  readonly bornAtMs: number;
  /** When the broker stored it, epoch ms; does not decrease along a queue, clock faults aside. */
  readonly storedAtMs: number;
}

export interface RecordFields {
  /** The log record this began as; `null` for a record of a source. Also what tells a sink record's offset. */
  readonly log: LogRecord | null;
  /** The place its source gave it; `null` where the source orders nothing, and for records of a log. */
  readonly position: Position | null;
  /** Which queue of its topic it goes to, counted round and round; `null` or absent where its key or its position decide. */
  readonly queueIndex?: number | null;
  /** Takes the key's place in choosing the queue. */
  readonly shardingKey?: string | null;
  /** Words by which the log's own tools find the record, with blanks between; `null` or absent: its key is one. */
  readonly keys?: string | null;
  readonly topic: string;
  readonly key: Datum;
  readonly value: Datum;
  /** Epoch ms. */
  readonly timestampMs: number | null;
  readonly tag: string | null;
  readonly headers: readonly Header[];
}

export type RecordChanges = Partial<
  Pick<RecordFields, 'topic' | 'key' | 'value' | 'timestampMs' | 'tag' | 'headers' | 'queueIndex' | 'shardingKey' | 'keys'>
>;

export class ConnectRecord {
  readonly log: LogRecord | null;
  readonly position: Position | null;
  readonly queueIndex: number | null;
  readonly shardingKey: string | null;
  readonly keys: string | null;
  readonly topic: string;
  readonly timestampMs: number | null;
  readonly tag: string | null;
  readonly headers: readonly Header[];
  readonly keyDatum: Datum;
  readonly valueDatum: Datum;
  #positionText: string | undefined;

  constructor(fields: RecordFields) {
    this.log = fields.log;
    this.position = fields.position;
    this.queueIndex = fields.queueIndex ?? null;
    this.shardingKey = fields.shardingKey ?? null;
    this.keys = fields.keys ?? null;
    this.topic = fields.topic;
    this.timestampMs = fields.timestampMs;
    this.tag = fields.tag;
    this.headers = fields.headers;
    this.keyDatum = fields.key;
    this.valueDatum = fields.value;
  }

  /** Its position as `formatPosition` writes it, made once; `null` without one. */
  get positionText(): string | null {
    if (this.position === null) return null;
    this.#positionText ??= formatPosition(this.position);
    return this.#positionText;
  }

  /** @throws {RecordError} stage convert, when the bytes are not what the key converter reads. */
  get key(): Value {
    return this.keyDatum.value;
  }

  /** @throws {RecordError} as `key`. */
  get keySchema(): Schema | null {
    return this.keyDatum.schema;
  }

  /** @throws {RecordError} stage convert, when the bytes are not what the value converter reads. */
  get value(): Value {
    return this.valueDatum.value;
  }

  /** @throws {RecordError} as `value`. */
  get valueSchema(): Schema | null {
    return this.valueDatum.schema;
  }

  with(changes: RecordChanges): ConnectRecord {
    return new ConnectRecord({
      log: this.log,
      position: this.position,
      queueIndex: changes.queueIndex === undefined ? this.queueIndex : changes.queueIndex,
      shardingKey: changes.shardingKey === undefined ? this.shardingKey : changes.shardingKey,
      keys: changes.keys === undefined ? this.keys : changes.keys,
      topic: changes.topic ?? this.topic,
      key: changes.key ?? this.keyDatum,
      value: changes.value ?? this.valueDatum,
      timestampMs: changes.timestampMs === undefined ? this.timestampMs : changes.timestampMs,
      tag: changes.tag === undefined ? this.tag : changes.tag,
      headers: changes.headers ?? this.headers,
    });
  }
}
