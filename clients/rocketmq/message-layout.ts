/**
 * Messages as they lie in the answer to a pull, one behind the other. Nothing is copied or decoded here: whoever wants a part of
 * one asks where it lies.
 *
 *     0 bytes in all | 4 magic | 8 crc | 12 queue | 16 flag | 20 offset | 28 physical offset | 36 flags of the system
 *     40 born | 48 host, 4 or 16 bytes, and port | stored | host and port | reconsumed | transaction | int32 and body
 *     uint8 (or int16) and topic | int16 and properties
 */
const MAGIC_AT = 4;
const OFFSET_AT = 20;
const SYSTEM_FLAGS_AT = 36;
const BORN_AT = 40;
const HOST_AT = 48;

/** Its topic has a length of two bytes. */
const MAGIC_V2 = 0xdaa320ab;
const MAGIC_V1 = 0xdaa320a7;

const HOST_BYTES_V4 = 8;
const HOST_BYTES_V6 = 20;

/** Bits of the system's flags. */
const COMPRESSED = 0x1;
const BORN_HOST_V6 = 0x10;
const STORE_HOST_V6 = 0x20;
const COMPRESSION_SHIFT = 8;
const COMPRESSION_MASK = 0x7;

export interface MessageParts {
  readonly storedAtMs: number;
  readonly bodyAt: number;
  readonly bodyEnd: number;
  readonly propertiesAt: number;
  readonly propertiesEnd: number;
  readonly compression: Compression;
}

export type Compression = 'none' | 'zlib' | 'lz4' | 'zstd' | 'unknown';

/** By the bits; producers that know no kinds say 0. */
const COMPRESSIONS: readonly Compression[] = ['zlib', 'lz4', 'zstd', 'zlib'];

/**
 * Where the messages of an answer begin.
 *
 * @throws {Error} where it holds something else.
 */
export function messageStarts(answer: Buffer): readonly number[] {
  const starts: number[] = [];
  let at = 0;
  while (at < answer.length) {
    const bytes = answer.length - at >= HOST_AT ? answer.readInt32BE(at) : 0;
    const magic = bytes === 0 ? 0 : answer.readUInt32BE(at + MAGIC_AT);
    if ((magic !== MAGIC_V1 && magic !== MAGIC_V2) || bytes < HOST_AT || at + bytes > answer.length) {
      throw new Error(`no message at byte ${at} of an answer of ${answer.length}`);
    }
    starts.push(at);
    at += bytes;
  }
  return starts;
}

export function messageOffset(answer: Buffer, at: number): bigint {
  return answer.readBigInt64BE(at + OFFSET_AT);
}

/** Epoch ms, as the producer said. */
export function messageBornAtMs(answer: Buffer, at: number): number {
  return readTime(answer, at + BORN_AT);
}

export function messageParts(answer: Buffer, at: number): MessageParts {
  const flags = answer.readInt32BE(at + SYSTEM_FLAGS_AT);
  const storedAt = at + HOST_AT + ((flags & BORN_HOST_V6) === 0 ? HOST_BYTES_V4 : HOST_BYTES_V6);
  const behindHosts = storedAt + 8 + ((flags & STORE_HOST_V6) === 0 ? HOST_BYTES_V4 : HOST_BYTES_V6);
  const bodyAt = behindHosts + 4 + 8 + 4;
  const bodyEnd = bodyAt + answer.readInt32BE(bodyAt - 4);
  const isV2 = answer.readUInt32BE(at + MAGIC_AT) === MAGIC_V2;
  const topicEnd = isV2 ? bodyEnd + 2 + answer.readInt16BE(bodyEnd) : bodyEnd + 1 + answer.readUInt8(bodyEnd);
  return {
    storedAtMs: readTime(answer, storedAt),
    bodyAt,
    bodyEnd,
    propertiesAt: topicEnd + 2,
    propertiesEnd: topicEnd + 2 + answer.readInt16BE(topicEnd),
    compression:
      (flags & COMPRESSED) === 0 ? 'none' : (COMPRESSIONS[(flags >> COMPRESSION_SHIFT) & COMPRESSION_MASK] ?? 'unknown'),
  };
}

/** Milliseconds of 64 bits; those of any calendar fit a `number`. */
function readTime(answer: Buffer, at: number): number {
  return answer.readInt32BE(at) * 2 ** 32 + answer.readUInt32BE(at + 4);
}
