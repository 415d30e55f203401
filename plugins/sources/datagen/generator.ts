import type { Datum } from '../../../core/record/connect-record.ts';
import type { Schema } from '../../../core/record/schema.ts';
import type { PolledRecord } from '../../api/source.ts';

const KEY_SCHEMA: Schema = { type: 'string', optional: false };

const VALUE_SCHEMA: Schema = {
  type: 'struct',
  optional: false,
  name: 'datagen',
  fields: [
    { name: 'id', schema: { type: 'int64', optional: false, doc: 'Unique in the connector, ascending along a shard.' } },
    { name: 'key', schema: { type: 'string', optional: false, doc: 'The key of the record.' } },
    { name: 'payload', schema: { type: 'string', optional: false, doc: 'Random letters and digits.' } },
    { name: 'at', schema: { type: 'int64', optional: false, doc: 'A time, epoch ms: one ms after the record before.' } },
  ],
};

/** Time of record 0. Any would do that is the same whenever the record is made again. */
const FIRST_AT_MS = Date.UTC(2026, 0, 1);

/** Payloads that take turns: windows into one text, each a character further. */
const PAYLOADS = 256;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** `id` and `at`, eight bytes each, and what JSON puts around all four fields. */
const FIELD_BYTES = 64;

export interface GeneratorOptions {
  readonly topic: string;
  readonly payloadBytes: number;
  readonly keys: number;
  readonly seed: number;
  readonly shard: number;
  readonly shards: number;
}

export interface Generator {
  /** Of a record, roughly; all are alike. */
  readonly recordBytes: number;
  /** Record number `sequence` of the shard: always the same. */
  record(sequence: number): PolledRecord;
}

/** Keys and payloads are made once, so that a record costs only the objects that hold it. */
export function generator({ topic, payloadBytes, keys, seed, shard, shards }: GeneratorOptions): Generator {
  const recordBytes = payloadBytes + FIELD_BYTES;
  const salt = scramble(seed ^ scramble(shard + 1));
  const payloads = payloadsOf(payloadBytes, salt);
  const keyData = new Array<(Datum & { readonly value: string }) | undefined>(keys).fill(undefined);
  const [shardsBig, shardBig] = [BigInt(shards), BigInt(shard)];

  function record(sequence: number): PolledRecord {
    const chance = scramble(salt ^ scramble(sequence ^ Math.floor(sequence / 2 ** 32)));
    const keyIndex = chance % keys;
    keyData[keyIndex] ??= { schema: KEY_SCHEMA, value: `key-${keyIndex}` };
    const key = keyData[keyIndex];
    const place = BigInt(sequence);
    const atMs = FIRST_AT_MS + sequence;
    const value = {
      id: place * shardsBig + shardBig,
      key: key.value,
      payload: payloads[chance >>> 24] ?? '',
      at: BigInt(atMs),
    };
    return { topic, key, value: { schema: VALUE_SCHEMA, value }, timestampMs: atMs, position: [place], bytes: recordBytes };
  }

  return { recordBytes, record };
}

function payloadsOf(payloadBytes: number, salt: number): readonly string[] {
  const text = Array.from(
    { length: payloadBytes + PAYLOADS },
    (_, index) => ALPHABET[scramble(salt + index) % ALPHABET.length],
  ).join('');
  return Array.from({ length: PAYLOADS }, (_, start) => text.slice(start, start + payloadBytes));
}

/** MurmurHash3's finalizer: 32 bits in, each of which changes about half of the 32 bits out. */
function scramble(bits: number): number {
  let hash = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
