/** Records as they lie in a chunk of a segment file: keys and values are views of it, tags and headers decode when looked at. */
import type { MessageQueue } from '../../core/message-queue.ts';
import type { Offset } from '../../core/offset.ts';
import type { LogHeaders, LogRecord } from '../../core/record/connect-record.ts';
import { RECORD_PREFIX_BYTES } from './batch-codec.ts';

const NO_HEADERS: LogHeaders = [];
const HEADER_PREFIX_BYTES = 8;

/** What the records of a batch have in common. */
export interface RecordSource {
  readonly chunk: Buffer;
  readonly queue: MessageQueue;
  readonly storedAtMs: number;
}

class StoredRecord implements LogRecord {
  readonly queue: MessageQueue;
  readonly offset: Offset;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly bornAtMs: number;
  readonly storedAtMs: number;
  readonly #chunk: Buffer;
  /** Where the tag begins; the headers lie behind it. */
  readonly #tagAt: number;
  readonly #tagBytes: number;
  readonly #headers: number;
  #decodedHeaders: LogHeaders | undefined;

  constructor({ chunk, queue, storedAtMs }: RecordSource, at: number, offset: Offset) {
    this.queue = queue;
    this.offset = offset;
    this.storedAtMs = storedAtMs;
    this.bornAtMs = chunk.readDoubleLE(at + 20);
    const keyBytes = chunk.readInt32LE(at);
    const valueBytes = chunk.readInt32LE(at + 4);
    const keyAt = at + RECORD_PREFIX_BYTES;
    const valueAt = keyBytes > 0 ? keyAt + keyBytes : keyAt;
    this.key = keyBytes < 0 ? null : view(chunk, keyAt, keyBytes);
    this.value = valueBytes < 0 ? null : view(chunk, valueAt, valueBytes);
    this.#chunk = chunk;
    this.#tagAt = valueBytes > 0 ? valueAt + valueBytes : valueAt;
    this.#tagBytes = chunk.readInt32LE(at + 8);
    this.#headers = chunk.readUInt32LE(at + 12);
  }

  get tag(): string | null {
    return this.#tagBytes < 0 ? null : this.#chunk.toString('utf8', this.#tagAt, this.#tagAt + this.#tagBytes);
  }

  get headers(): LogHeaders {
    if (this.#headers === 0) return NO_HEADERS;
    this.#decodedHeaders ??= this.#decodeHeaders();
    return this.#decodedHeaders;
  }

  #decodeHeaders(): LogHeaders {
    const headers: (readonly [string, string])[] = [];
    let at = this.#tagAt + Math.max(this.#tagBytes, 0);
    for (let index = 0; index < this.#headers; index += 1) {
      const nameAt = at + HEADER_PREFIX_BYTES;
      const textAt = nameAt + this.#chunk.readUInt32LE(at);
      const endAt = textAt + this.#chunk.readUInt32LE(at + 4);
      headers.push([this.#chunk.toString('utf8', nameAt, textAt), this.#chunk.toString('utf8', textAt, endAt)]);
      at = endAt;
    }
    return headers;
  }
}

/** Not a `Buffer`: whoever gets a record expects plain bytes. */
function view(chunk: Buffer, at: number, bytes: number): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset + at, bytes);
}

/** The record whose frame begins at `at`. */
export function storedRecord(source: RecordSource, at: number, offset: Offset): LogRecord {
  return new StoredRecord(source, at, offset);
}

/** Of the frame at `at`, up to where the next one begins. */
export function frameBytesAt(chunk: Buffer, at: number): number {
  return RECORD_PREFIX_BYTES + textBytesAt(chunk, at) + chunk.readUInt32LE(at + 16);
}

/** What a read's limit counts: of key, value, tag and headers, without what the format adds. */
export function contentBytesAt(chunk: Buffer, at: number): number {
  const headers = chunk.readUInt32LE(at + 12);
  return textBytesAt(chunk, at) + chunk.readUInt32LE(at + 16) - HEADER_PREFIX_BYTES * headers;
}

function textBytesAt(chunk: Buffer, at: number): number {
  return Math.max(chunk.readInt32LE(at), 0) + Math.max(chunk.readInt32LE(at + 4), 0) + Math.max(chunk.readInt32LE(at + 8), 0);
}
