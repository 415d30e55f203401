/** Records as they lie in the answer to a pull: keys and values are views of it, all else is decoded when looked at. */
import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { messageOf, RecordError } from '../../../core/errors.ts';
import type { MessageQueue } from '../../../core/message-queue.ts';
import type { Offset } from '../../../core/offset.ts';
import type { LogHeaders, LogRecord } from '../../../core/record/connect-record.ts';
import { type Compression, type MessageParts, messageBornAtMs, messageParts } from '../message-layout.ts';
import { findProperty, readProperties } from '../properties.ts';
import { lz4Decompress } from './lz4.ts';
import { BASE64, EMPTY_BODY, isHeader, NULL_BODY, NULL_MARK, PROPERTY } from './record-properties.ts';

const KEY = Buffer.from(PROPERTY.key);
const TAG = Buffer.from(PROPERTY.tag);
const SHARDING_KEY = Buffer.from(PROPERTY.shardingKey);
const OTHER_KEY = Buffer.from(PROPERTY.otherKey);
const OTHER_TAG = Buffer.from(PROPERTY.otherTag);
const HEADERS = Buffer.from(PROPERTY.headers);
const VALUE = Buffer.from(PROPERTY.value);
const BORN = Buffer.from(PROPERTY.born);

const NO_HEADERS: LogHeaders = [];

/** What one inflates to at most: as much as a record may have, and a bomb may not. */
const INFLATED_BYTES_MAX = 64 * 1024 * 1024;

export class PulledRecord implements LogRecord {
  readonly queue: MessageQueue;
  readonly offset: Offset;
  readonly #answer: Buffer;
  readonly #at: number;
  readonly #parts: MessageParts;
  #key: Uint8Array | null | undefined;
  #value: Uint8Array | null | undefined;
  #headers: LogHeaders | undefined;

  /** The message begins at byte `at` of the answer. */
  constructor(answer: Buffer, at: number, { queue, offset }: { readonly queue: MessageQueue; readonly offset: Offset }) {
    this.queue = queue;
    this.offset = offset;
    this.#answer = answer;
    this.#at = at;
    this.#parts = messageParts(answer, at);
  }

  get storedAtMs(): number {
    return this.#parts.storedAtMs;
  }

  get bornAtMs(): number {
    const born = this.#property(BORN);
    return born === null ? messageBornAtMs(this.#answer, this.#at) : Number(born);
  }

  get key(): Uint8Array | null {
    if (this.#key === undefined) this.#key = this.#readKey();
    return this.#key;
  }

  /** @throws {RecordError} stage convert, when it was compressed in a way that cannot be undone here. */
  get value(): Uint8Array | null {
    if (this.#value === undefined) this.#value = this.#readValue();
    return this.#value;
  }

  get tag(): string | null {
    const tag = this.#property(TAG);
    if (tag !== null) return tag;
    const other = this.#property(OTHER_TAG);
    return other === null ? null : (JSON.parse(other) as string);
  }

  /** Where its key is not among them; else its key is all there is. */
  get keys(): string | null {
    return this.#find(OTHER_KEY) === null ? null : this.#property(KEY);
  }

  get shardingKey(): string | null {
    return this.#property(SHARDING_KEY);
  }

  get headers(): LogHeaders {
    this.#headers ??= this.#readHeaders();
    return this.#headers;
  }

  /** At least what a read's limit counts; without looking closely. */
  get contentBytesMax(): number {
    const { propertiesAt, propertiesEnd } = this.#parts;
    return this.valueBytesMax + propertiesEnd - propertiesAt;
  }

  /** What a read's limit counts: of key, value and headers. */
  get contentBytes(): number {
    let bytes = (this.key?.length ?? 0) + this.#valueBytes();
    for (const [name, text] of this.headers) bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
    return bytes;
  }

  /** At least what the value has; without looking at one that was not compressed. */
  get valueBytesMax(): number {
    const { bodyAt, bodyEnd, compression } = this.#parts;
    return compression === 'none' ? bodyEnd - bodyAt : this.#valueBytes();
  }

  /** Of one that cannot be read, what it has as it lies there: a limit is no reason to fail. */
  #valueBytes(): number {
    try {
      return this.value?.length ?? 0;
    } catch {
      return this.#parts.bodyEnd - this.#parts.bodyAt;
    }
  }

  #readKey(): Uint8Array | null {
    const other = this.#property(OTHER_KEY);
    if (other === NULL_MARK) return null;
    if (other !== null) return Uint8Array.from(Buffer.from(other.slice(BASE64.length), 'base64'));
    const place = this.#find(KEY);
    return place === null ? null : view(this.#answer, place.at, place.end);
  }

  #readValue(): Uint8Array | null {
    const { bodyAt, bodyEnd, compression } = this.#parts;
    const bytes = bodyEnd - bodyAt;
    // Only these may stand for something else.
    const mark = bytes === NULL_BODY.length || bytes === EMPTY_BODY.length ? this.#property(VALUE) : null;
    if (mark !== null) return mark === NULL_MARK ? null : new Uint8Array();
    const body = view(this.#answer, bodyAt, bodyEnd);
    return compression === 'none' ? body : inflated(body, compression);
  }

  #readHeaders(): LogHeaders {
    const { propertiesAt, propertiesEnd } = this.#parts;
    if (propertiesAt === propertiesEnd) return NO_HEADERS;
    const all = this.#property(HEADERS);
    if (all !== null) return JSON.parse(all) as LogHeaders;
    const properties = readProperties(this.#answer, { at: propertiesAt, end: propertiesEnd });
    return properties.filter(([name]) => isHeader(name));
  }

  #property(name: Uint8Array): string | null {
    const place = this.#find(name);
    return place === null ? null : this.#answer.toString('utf8', place.at, place.end);
  }

  #find(name: Uint8Array): ReturnType<typeof findProperty> {
    const { propertiesAt, propertiesEnd } = this.#parts;
    return findProperty(this.#answer, { at: propertiesAt, end: propertiesEnd }, name);
  }
}

/** Not a `Buffer`: whoever gets a record expects plain bytes. */
function view(answer: Buffer, at: number, end: number): Uint8Array {
  return new Uint8Array(answer.buffer, answer.byteOffset + at, end - at);
}

/** As other producers send what is large; none of ours does. */
function inflated(body: Uint8Array, compression: Compression): Uint8Array {
  const options = { maxOutputLength: INFLATED_BYTES_MAX };
  try {
    if (compression === 'zlib') return plainBytes(inflateSync(body, options));
    if (compression === 'lz4') return lz4Decompress(body, INFLATED_BYTES_MAX);
    if (compression === 'zstd') return plainBytes(zstdDecompressSync(body, options));
  } catch (error) {
    throw new RecordError(`the record's value cannot be inflated (${compression}): ${messageOf(error)}`, {
      code: 'record.conversion_failed',
      cause: error,
    });
  }
  throw new RecordError(`the record's value is compressed in a way that is not known here: ${compression}`, {
    code: 'record.conversion_failed',
  });
}

function plainBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
