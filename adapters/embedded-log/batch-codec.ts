/**
 * How records lie in a segment file: batch behind batch, each a header and a body. Numbers are little-endian, texts UTF-8.
 *
 *     header, 40 bytes, the same in every version
 *      0  u32  "SrtB"
 *      4  u8   version of the body, 1
 *      5  3 zero bytes
 *      8  u32  bytes of the batch, this header included
 *     12  u32  records, at least 1
 *     16  u64  offset of the first record; the others follow without a gap
 *     24  f64  when the batch was stored, epoch ms
 *     32  u32  CRC-32 of the body
 *     36  u32  CRC-32 of bytes 0 to 35
 *
 *     body: for each record, one behind the other
 *      0  i32  bytes of the key, -1 for null
 *      4  i32  bytes of the value, -1 for null
 *      8  i32  bytes of the tag, -1 for null
 *     12  u32  number of headers
 *     16  u32  bytes of the headers, with their lengths
 *     20  f64  when the record was born, epoch ms
 *     28  key, value, tag, then per header: u32 bytes of the name, u32 bytes of the text, name, text
 *
 * A batch is encoded before its place is known; offset, time and the header's checksum are stamped on it last.
 */
import { crc32 } from 'node:zlib';
import type { Offset } from '../../core/offset.ts';

export const BATCH_VERSION = 1;
export const BATCH_HEADER_BYTES = 40;
export const RECORD_PREFIX_BYTES = 28;

/** "SrtB", as it lies in the file. */
export const BATCH_MAGIC = Buffer.from('SrtB', 'latin1');
const MAGIC = BATCH_MAGIC.readUInt32LE(0);

const CHECKED_HEADER_BYTES = 36;

export interface BatchHeader {
  readonly version: number;
  /** Of the whole batch. */
  readonly bytes: number;
  readonly records: number;
  readonly firstOffset: Offset;
  readonly storedAtMs: number;
  readonly bodyCrc: number;
}

/** Begins a batch in `batch`, whose body is complete. */
export function writeBatchHeader(batch: Buffer, records: number): void {
  batch.fill(0, 0, BATCH_HEADER_BYTES);
  batch.writeUInt32LE(MAGIC, 0);
  batch.writeUInt8(BATCH_VERSION, 4);
  batch.writeUInt32LE(batch.length, 8);
  batch.writeUInt32LE(records, 12);
  batch.writeUInt32LE(crc32(batch.subarray(BATCH_HEADER_BYTES)), 32);
}

export function stampBatch(batch: Buffer, { firstOffset, storedAtMs }: Pick<BatchHeader, 'firstOffset' | 'storedAtMs'>): void {
  batch.writeBigUInt64LE(firstOffset, 16);
  batch.writeDoubleLE(storedAtMs, 24);
  batch.writeUInt32LE(crc32(batch.subarray(0, CHECKED_HEADER_BYTES)), 36);
}

/** The header at `at`; `null` where no whole header lies there. Says nothing about the body. */
export function readBatchHeader(bytes: Buffer, at: number): BatchHeader | null {
  if (at + BATCH_HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return null;
  if (crc32(bytes.subarray(at, at + CHECKED_HEADER_BYTES)) !== bytes.readUInt32LE(at + CHECKED_HEADER_BYTES)) return null;
  return {
    version: bytes.readUInt8(at + 4),
    bytes: bytes.readUInt32LE(at + 8),
    records: bytes.readUInt32LE(at + 12),
    firstOffset: bytes.readBigUInt64LE(at + 16) as Offset,
    storedAtMs: bytes.readDoubleLE(at + 24),
    bodyCrc: bytes.readUInt32LE(at + 32),
  };
}

/** Whether the body of the batch at `at`, which lies in `bytes` as a whole, is what was written. */
export function isBodyWhole(bytes: Buffer, at: number, header: BatchHeader): boolean {
  return crc32(bytes.subarray(at + BATCH_HEADER_BYTES, at + header.bytes)) === header.bodyCrc;
}
