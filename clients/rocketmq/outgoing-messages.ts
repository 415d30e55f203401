/**
 * Messages on their way to a broker, one behind the other as they lie in a batch: they are written once, where they are sent from,
 * and a request is a stretch of this memory.
 *
 *     int32 bytes in all, int32 magic, int32 crc, int32 flag: all three 0; int32 and body, int16 and properties; and the next
 */
import { assert } from '../../core/assert.ts';
import { BEFORE_VALUE, BEHIND_VALUE } from './properties.ts';

/** Before the body: lengths, and what the broker does not look at. */
const PREFIX_BYTES = 20;
const BODY_LENGTH_AT = 16;
const PROPERTIES_PREFIX_BYTES = 2;
const FRAME_BYTES = PREFIX_BYTES + PROPERTIES_PREFIX_BYTES;

/** The broker's own limit is 32,767 bytes, and it adds some of its own: where it comes from, its cluster. */
export const PROPERTIES_BYTES_MAX = 31 * 1024;

/** What UTF-8 makes of one character at most. */
const CHARACTER_BYTES_MAX = 3;

/** Up to such a length a loop is faster than the platform's call. Measured with Node 24. */
const LOOP_LENGTH_MAX = 32;

const FIRST_BYTES = 1_024;

export interface OutgoingMessage {
  readonly body: Uint8Array;
  /** As `properties.ts` tells. */
  readonly properties: string;
}

export class OutgoingMessages {
  #bytes: Buffer;
  /** Behind the last message. */
  #end = 0;
  /** Where each begins. */
  readonly #starts: number[] = [];
  /** Of the last one. */
  #propertiesAt = 0;

  /** `bytes`: what they will take, about. */
  constructor(bytes = FIRST_BYTES) {
    this.#bytes = Buffer.allocUnsafe(bytes);
  }

  static of(messages: readonly OutgoingMessage[]): OutgoingMessages {
    const bytes = messages.reduce((sum, { body, properties }) => sum + body.length + properties.length + FRAME_BYTES, 0);
    const all = new OutgoingMessages(bytes);
    for (const { body, properties } of messages) {
      all.begin(body);
      all.#text(properties);
      assert(all.lastPropertiesBytes <= PROPERTIES_BYTES_MAX, 'properties that no message holds');
      all.end();
    }
    return all;
  }

  get count(): number {
    return this.#starts.length;
  }

  /** What the last one takes of a batch. */
  get lastBytes(): number {
    return this.#end - (this.#starts.at(-1) ?? 0);
  }

  get lastPropertiesBytes(): number {
    return this.#end - this.#propertiesAt;
  }

  /** One more message; its properties follow, and `end`. */
  begin(body: Uint8Array): void {
    const at = this.#end;
    const bodyAt = at + PREFIX_BYTES;
    this.#propertiesAt = bodyAt + body.length + PROPERTIES_PREFIX_BYTES;
    this.#makeRoom(this.#propertiesAt - at);
    this.#starts.push(at);
    this.#bytes.fill(0, at, at + BODY_LENGTH_AT);
    this.#bytes.writeInt32BE(body.length, at + BODY_LENGTH_AT);
    this.#bytes.set(body, bodyAt);
    this.#end = this.#propertiesAt;
  }

  /** The caller knows that both can be one. */
  property(name: string, value: string): void {
    this.#text(name);
    this.#byte(BEFORE_VALUE);
    this.#text(value);
    this.#byte(BEHIND_VALUE);
  }

  /** Whose value is UTF-8 already. */
  propertyOfBytes(name: string, value: Uint8Array): void {
    this.#text(name);
    this.#byte(BEFORE_VALUE);
    this.#makeRoom(value.length);
    this.#bytes.set(value, this.#end);
    this.#end += value.length;
    this.#byte(BEHIND_VALUE);
  }

  /** Of the last one. What has more than `PROPERTIES_BYTES_MAX` of properties is to be dropped. */
  end(): void {
    const at = this.#propertiesAt - PROPERTIES_PREFIX_BYTES;
    this.#bytes[at] = this.lastPropertiesBytes >>> 8;
    this.#bytes[at + 1] = this.lastPropertiesBytes;
    this.#bytes.writeInt32BE(this.lastBytes, this.#starts.at(-1) ?? 0);
  }

  /** The last one was never written. */
  drop(): void {
    this.#end = this.#starts.pop() ?? 0;
  }

  /** Of the messages from one to before another, as a batch has them. */
  bytes(from: number, to: number): Buffer {
    return this.#bytes.subarray(this.#starts[from], this.#endOf(to - 1));
  }

  /** Before which message a batch ends that begins with one, and has so many bytes at most; but always that one. */
  fitting(from: number, bytesMax: number): number {
    const start = this.#starts[from] ?? 0;
    let to = from + 1;
    while (to < this.count && this.#endOf(to) - start <= bytesMax) to += 1;
    return to;
  }

  message(index: number): OutgoingMessage {
    const bodyAt = (this.#starts[index] ?? 0) + PREFIX_BYTES;
    const bodyEnd = bodyAt + this.#bytes.readInt32BE(bodyAt - PREFIX_BYTES + BODY_LENGTH_AT);
    const properties = this.#bytes.toString('utf8', bodyEnd + PROPERTIES_PREFIX_BYTES, this.#endOf(index));
    return { body: this.#bytes.subarray(bodyAt, bodyEnd), properties };
  }

  #endOf(index: number): number {
    return this.#starts[index + 1] ?? this.#end;
  }

  #text(text: string): void {
    const isTight = this.#end + text.length * CHARACTER_BYTES_MAX > this.#bytes.length;
    if (isTight) this.#makeRoom(Buffer.byteLength(text));
    if (text.length > LOOP_LENGTH_MAX || !this.#ascii(text)) this.#end += this.#bytes.write(text, this.#end);
  }

  /** `false`: it is none, and nothing is written. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[end + index] = code;
    }
    this.#end = end + text.length;
    return true;
  }

  #byte(byte: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#end] = byte;
    this.#end += 1;
  }

  #makeRoom(count: number): void {
    const needed = this.#end + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
  }
}
