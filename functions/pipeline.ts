/**
 * Records between reader and writer: decode, predicates and transforms, encode. Synchronous per record (I7: order is kept).
 *
 * Key and value stay undecoded while nobody looks at them. A writer that takes values gets them decoded here, so that a record
 * that cannot be read is refused in stage convert; one that takes bytes gets them as they came where nothing changed them.
 */
import { isAssertion } from '../core/assert.ts';
import { messageOf, RecordError, type Stage } from '../core/errors.ts';
import { ConnectRecord, type Datum, type Header, type LogHeaders, type LogRecord } from '../core/record/connect-record.ts';
import { LazyDatum } from '../core/record/lazy-datum.ts';
import type { Converter } from '../plugins/api/converter.ts';
import type { ConfiguredSteps, Step } from '../plugins/configure.ts';

/** A record that did not pass, with its place in the batch. */
export interface Refusal {
  readonly index: number;
  readonly record: ConnectRecord;
  readonly stage: Stage;
  readonly error: RecordError;
}

export interface Processed {
  readonly records: ConnectRecord[];
  /** For each of `records`, its index in the batch. */
  readonly indexes: number[];
  readonly refusals: Refusal[];
  readonly filtered: number;
}

const NO_HEADERS: readonly Header[] = [];

export class Pipeline {
  readonly #key: Converter;
  readonly #value: Converter;
  readonly #steps: readonly Step[];
  readonly #writes: 'values' | 'bytes';
  readonly #stopsAtRefusal: boolean;

  /** With `stopsAtRefusal` nothing behind the first refused record of a batch is looked at. */
  constructor(
    { key, value, steps }: ConfiguredSteps,
    { writes, stopsAtRefusal }: { readonly writes: 'values' | 'bytes'; readonly stopsAtRefusal: boolean },
  ) {
    this.#key = key;
    this.#value = value;
    this.#steps = steps;
    this.#writes = writes;
    this.#stopsAtRefusal = stopsAtRefusal;
  }

  /** A record of a log, undecoded. */
  fromLog(log: LogRecord): ConnectRecord {
    return new ConnectRecord({
      log,
      position: null,
      topic: log.queue.topic,
      key: new LazyDatum(this.#key, log.queue.topic, log.key, log.headers),
      value: new LazyDatum(this.#value, log.queue.topic, log.value, log.headers),
      timestampMs: log.bornAtMs,
      tag: log.tag,
      headers: log.headers.length === 0 ? NO_HEADERS : textHeaders(log.headers),
    });
  }

  apply(batch: readonly ConnectRecord[]): Processed {
    const records: ConnectRecord[] = [];
    const indexes: number[] = [];
    const refusals: Refusal[] = [];
    let filtered = 0;
    for (let index = 0; index < batch.length; index += 1) {
      const record = batch[index] as ConnectRecord;
      let stage: Stage = 'transform';
      try {
        const transformed = this.#steps.length === 0 ? record : this.#transform(record);
        if (transformed === null) {
          filtered += 1;
          continue;
        }
        stage = 'convert';
        records.push(this.#writes === 'values' ? decoded(transformed) : this.#encoded(transformed));
        indexes.push(index);
      } catch (error) {
        // The program is wrong, not the record: nothing may pass as finished.
        if (isAssertion(error)) throw error;
        refusals.push({ index, record, ...refusalOf(stage, error) });
        if (this.#stopsAtRefusal) break;
      }
    }
    return { records, indexes, refusals, filtered };
  }

  #transform(record: ConnectRecord): ConnectRecord | null {
    let current = record;
    for (const { applies, negate, apply } of this.#steps) {
      if (applies !== null && applies(current) === negate) continue;
      const next = apply(current);
      if (next === null) return null;
      current = next;
    }
    return current;
  }

  #encoded(record: ConnectRecord): ConnectRecord {
    const { keyDatum, valueDatum, topic } = record;
    if (keyDatum.bytes !== undefined && valueDatum.bytes !== undefined) return record;
    return record.with({ key: encode(this.#key, topic, keyDatum), value: encode(this.#value, topic, valueDatum) });
  }
}

function encode(converter: Converter, topic: string, datum: Datum): Datum {
  if (datum.bytes !== undefined) return datum;
  const { schema, value } = datum;
  return { schema, value, bytes: converter.fromConnect(topic, schema, value) };
}

/** Looks once, so that bytes that cannot be read are refused here. */
function decoded(record: ConnectRecord): ConnectRecord {
  void record.key;
  void record.value;
  return record;
}

/** A converter's error is stage convert wherever a lazy look raised it; anything a plugin throws here is about the record. */
function refusalOf(stage: Stage, error: unknown): Pick<Refusal, 'stage' | 'error'> {
  if (error instanceof RecordError) {
    return { stage: error.code === 'record.conversion_failed' ? 'convert' : stage, error };
  }
  const code = stage === 'convert' ? 'record.conversion_failed' : 'record.transform_failed';
  return { stage, error: new RecordError(messageOf(error), { code, cause: error }) };
}

function textHeaders(headers: LogHeaders): Header[] {
  return headers.map(([name, value]) => ({ name, schema: null, value }));
}
