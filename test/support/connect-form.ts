/** Golden vectors of Kafka Connect (test/vectors/README.md) as records and values. */
import { readFileSync } from 'node:fs';
import { offset } from '../../core/offset.ts';
import { ConnectRecord, type Datum, type Header, type LogRecord } from '../../core/record/connect-record.ts';
import type { LosslessJson } from '../../core/record/json-parser.ts';
import { isList, isObject, schemaFromJson } from '../../core/record/json-schema.ts';
import { parseJson } from '../../core/record/lossless-json.ts';
import type { Schema, Value } from '../../core/record/schema.ts';
import { jsonReader } from '../../plugins/converters/json-reader.ts';

export interface ConnectForm {
  readonly schema: LosslessJson;
  readonly payload: LosslessJson;
  readonly types?: Readonly<Record<string, string>>;
  readonly invalid?: boolean;
}

export interface RecordForm {
  readonly kind: 'sink' | 'source';
  readonly topic: string;
  readonly partition: number | null;
  readonly offset?: number | bigint;
  readonly timestamp: number | null;
  readonly key: ConnectForm;
  readonly value: ConnectForm;
  readonly headers: readonly (ConnectForm & { readonly name: string })[];
}

interface VectorFacts {
  readonly id: string;
  readonly class: string;
  readonly config: Readonly<Record<string, string>>;
  readonly error?: { readonly stage: 'configure' | 'apply' | 'convert' };
}

export interface RecordVector extends VectorFacts {
  readonly kind: 'transform' | 'predicate' | 'chain';
  readonly input: RecordForm;
  readonly output?: RecordForm | null;
  readonly result?: boolean;
}

export type ConverterVector = ToConnectVector | FromConnectVector;

export interface ToConnectVector extends VectorFacts {
  readonly kind: 'toConnect';
  readonly input?: string | null;
  readonly inputBase64?: string | null;
  readonly output?: ConnectForm;
}

export interface FromConnectVector extends VectorFacts {
  readonly kind: 'fromConnect';
  readonly input: ConnectForm;
  readonly output?: string | null;
  readonly outputBase64?: string | null;
}

export function recordVectors(): readonly RecordVector[] {
  return vectorsIn<RecordVector>('smt.json');
}

export function converterVectors(): readonly ConverterVector[] {
  return vectorsIn<ConverterVector>('converter.json');
}

function vectorsIn<Vector>(file: string): readonly Vector[] {
  const text = readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8');
  return (parseJson(text) as unknown as { readonly vectors: readonly Vector[] }).vectors;
}

/** A source record has no log; a vector's partition shows only where there is one. */
export function recordOf(form: RecordForm): ConnectRecord {
  return new ConnectRecord({
    log: form.kind === 'sink' ? logRecordOf(form) : null,
    position: null,
    topic: form.topic,
    key: datumOf(form.key),
    value: datumOf(form.value),
    timestampMs: form.timestamp,
    tag: null,
    headers: form.headers.map((header): Header => ({ name: header.name, ...datumOf(header) })),
  });
}

function logRecordOf(form: RecordForm): LogRecord {
  const timestampMs = form.timestamp ?? 0;
  return {
    queue: { topic: form.topic, brokerName: 'broker-a', queueId: form.partition ?? 0 },
    offset: offset(form.offset ?? 0),
    key: null,
    value: null,
    tag: null,
    headers: [],
    bornAtMs: timestampMs,
    storedAtMs: timestampMs,
  };
}

/** What has to be equal in two records that a vector calls equal. */
export function comparable({ topic, log, timestampMs, keyDatum, valueDatum, headers }: ConnectRecord): unknown {
  return {
    topic,
    partition: log?.queue.queueId,
    offset: log?.offset,
    timestampMs,
    key: comparableDatum(keyDatum),
    value: comparableDatum(valueDatum),
    headers,
  };
}

export function comparableDatum({ schema, value }: Datum): unknown {
  return { schema, value };
}

/** @throws {Error} for values that exist in Java alone: decimals and dates without a schema. */
export function datumOf(form: ConnectForm): { readonly schema: Schema | null; readonly value: Value } {
  if (form.schema === null) return { schema: null, value: untyped(form.payload, '', form.types ?? {}) };
  const read = { replaceNullWithDefault: false };
  const schema = schemaFromJson(form.schema, (type, json) => jsonReader(type, read)(json));
  return {
    schema,
    value: form.invalid === true ? untyped(form.payload, '', form.types ?? {}) : jsonReader(schema, read)(form.payload),
  };
}

function untyped(payload: LosslessJson, pointer: string, types: Readonly<Record<string, string>>): Value {
  const below = (item: LosslessJson, step: string | number) => untyped(item, `${pointer}/${step}`, types);
  if (isList(payload)) return payload.map((item, index) => below(item, index));
  if (isObject(payload)) {
    return Object.fromEntries(Object.entries(payload).map(([name, item]) => [name, below(item, name)]));
  }
  return payload === null ? null : scalar(payload as string | number | bigint | boolean, types[pointer]);
}

function scalar(payload: string | number | bigint | boolean, type = ''): Value {
  if (type === 'decimal' || type === 'date') throw new Error(`a ${type} without a schema has no form in memory`);
  if (type === 'bytes') return Uint8Array.from(Buffer.from(String(payload), 'base64'));
  if (type === 'bigint') return parseJson(String(payload)) as number | bigint;
  return type.startsWith('float') ? Number(payload) : payload;
}
