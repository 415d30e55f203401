import type { Datum, LogHeaders } from './connect-record.ts';
import type { Schema, Value } from './schema.ts';

/** How bytes become a value; a converter's `toConnect`. */
export interface Decoder {
  toConnect(topic: string, bytes: Uint8Array | null, headers: LogHeaders): Datum;
}

/** Bytes that are decoded when somebody looks, once. */
export class LazyDatum implements Datum {
  readonly bytes: Uint8Array | null;
  readonly #decoder: Decoder;
  readonly #topic: string;
  readonly #headers: LogHeaders;
  #decoded: Datum | null = null;

  constructor(decoder: Decoder, topic: string, bytes: Uint8Array | null, headers: LogHeaders) {
    this.#decoder = decoder;
    this.#topic = topic;
    this.bytes = bytes;
    this.#headers = headers;
  }

  get schema(): Schema | null {
    return this.#decode().schema;
  }

  get value(): Value {
    return this.#decode().value;
  }

  #decode(): Datum {
    this.#decoded ??= this.#decoder.toConnect(this.#topic, this.bytes, this.#headers);
    return this.#decoded;
  }
}
