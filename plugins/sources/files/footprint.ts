/**
 * What was read of a file, by its two ends: enough to notice later that something else stands in its place. The beginning alone
 * is not enough, for files may begin alike; nor is the end, for lines may repeat.
 */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Of either end. Two of them in a checkpoint are some hundred bytes. */
const END_BYTES = 256;

const NO_BYTES = Buffer.alloc(0);

export interface Digest {
  readonly bytes: number;
  readonly crc: number;
}

export interface Footprint {
  /** How much was read. */
  readonly offset: number;
  readonly head: Digest;
  /** The last bytes. */
  readonly tail: Buffer;
}

const NOTHING: Digest = { bytes: 0, crc: 0 };

export const NO_FOOTPRINT: Footprint = { offset: 0, head: NOTHING, tail: NO_BYTES };

/** With the bytes that were read next. */
export function stepped({ offset, head, tail }: Footprint, next: Buffer): Footprint {
  if (next.length === 0) return { offset, head, tail };
  const more = next.subarray(0, END_BYTES - head.bytes);
  return {
    offset: offset + next.length,
    head: { bytes: head.bytes + more.length, crc: crc32(more, head.crc) },
    tail: next.length >= END_BYTES ? lastOf(next) : lastOf(Buffer.concat([tail, next])),
  };
}

/** A copy, so that nothing larger is kept for its sake. */
function lastOf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(-END_BYTES));
}

/** As a checkpoint keeps it; without a tail in those of earlier versions. */
export interface StoredFootprint {
  readonly offset: number;
  readonly head: Digest;
  readonly tail: Digest | null;
}

export function stored({ offset, head, tail }: Footprint): StoredFootprint {
  return { offset, head, tail: digestOf(tail) };
}

/** The footprint, if it is in the file; `null` where something else is. */
export async function foundIn(file: FileHandle, { offset, head, tail }: StoredFootprint): Promise<Footprint | null> {
  const [first, last] = await Promise.all([
    readAt(file, 0, head.bytes),
    readAt(file, Math.max(offset - END_BYTES, 0), Math.min(offset, END_BYTES)),
  ]);
  const isWhole = last.length === Math.min(offset, END_BYTES);
  const isSame = isWhole && equals(digestOf(first), head) && (tail === null || equals(digestOf(last), tail));
  return isSame ? { offset, head, tail: last } : null;
}

function digestOf(bytes: Buffer): Digest {
  return bytes.length === 0 ? NOTHING : { bytes: bytes.length, crc: crc32(bytes) };
}

function equals(a: Digest, b: Digest): boolean {
  return a.bytes === b.bytes && a.crc === b.crc;
}

/** Shorter where the file ends before. */
async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  if (length === 0) return NO_BYTES;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
