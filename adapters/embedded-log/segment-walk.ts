/** Batches of a segment one behind the other, by their headers. */
import type { FileHandle } from 'node:fs/promises';
import { advance, type Offset } from '../../core/offset.ts';
import { BATCH_HEADER_BYTES, BATCH_VERSION, type BatchHeader, isBodyWhole, readBatchHeader } from './batch-codec.ts';
import { logDamaged, logNewer } from './log-error.ts';

/** Headers alone are looked for: a large batch costs one small read. */
const STEP_BYTES = 64 * 1024;

/** All is read. */
const WHOLE_STEP_BYTES = 1024 * 1024;

/** Where a batch begins: byte of the segment, and its first offset. */
export interface BatchPlace {
  readonly position: number;
  readonly offset: Offset;
}

/** Reads `[position, position + length)`; fewer bytes where the file ends before. */
export async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, position + read);
    if (bytesRead === 0) return bytes.subarray(0, read);
    read += bytesRead;
  }
  return bytes;
}

/** The header of the batch that must begin at `place` and end within `endAt`, the length of the segment; else `null`. */
export function headerAt(
  chunk: Buffer,
  at: number,
  { place, endAt }: { readonly place: BatchPlace; readonly endAt: number },
): BatchHeader | null {
  const header = readBatchHeader(chunk, at);
  return header?.firstOffset === place.offset && place.position + header.bytes <= endAt ? header : null;
}

/** @throws {FatalTaskError} `log.newer`. */
export function assertVersion(
  { version }: BatchHeader,
  { path, place }: { readonly path: string; readonly place: BatchPlace },
): void {
  if (version > BATCH_VERSION) throw logNewer({ path, position: place.position }, version);
}

export interface Walk {
  readonly file: FileHandle;
  readonly path: string;
  /** Where to begin. */
  readonly from: BatchPlace;
  /** The length of the segment. */
  readonly endAt: number;
}

/**
 * Calls `visit` with each batch until it answers false. Answers the place of the batch that was not taken, or the end of the
 * segment.
 *
 * @throws {FatalTaskError} `log.damaged`: a header is not whole; `log.newer`.
 */
export async function walkHeaders(
  { file, path, from, endAt }: Walk,
  visit: (header: BatchHeader, place: BatchPlace) => boolean,
): Promise<BatchPlace> {
  let place = from;
  while (place.position < endAt) {
    const chunkAt = place.position;
    const chunk = await readBytes(file, chunkAt, Math.min(STEP_BYTES, endAt - chunkAt));
    do {
      const header = headerAt(chunk, place.position - chunkAt, { place, endAt });
      if (header === null) throw logDamaged({ path, position: place.position }, 'no batch begins here');
      assertVersion(header, { path, place });
      if (!visit(header, place)) return place;
      place = placeBehind(place, header);
    } while (place.position - chunkAt + BATCH_HEADER_BYTES <= chunk.length);
  }
  return place;
}

/** Calls `visit` with each batch, bodies included, and answers the place behind the last one that is what was written. */
export async function walkWhole(
  { file, path, from, endAt }: Walk,
  visit: (header: BatchHeader, place: BatchPlace) => void,
): Promise<BatchPlace> {
  let place = from;
  let chunk: Buffer = Buffer.alloc(0);
  let chunkAt = from.position;
  const load = async (length: number): Promise<void> => {
    if (place.position + length <= chunkAt + chunk.length) return;
    chunkAt = place.position;
    chunk = await readBytes(file, chunkAt, Math.min(Math.max(length, WHOLE_STEP_BYTES), endAt - chunkAt));
  };
  while (place.position < endAt) {
    await load(BATCH_HEADER_BYTES);
    const header = headerAt(chunk, place.position - chunkAt, { place, endAt });
    if (header === null) return place;
    assertVersion(header, { path, place });
    await load(header.bytes);
    const at = place.position - chunkAt;
    if (at + header.bytes > chunk.length || !isBodyWhole(chunk, at, header)) return place;
    visit(header, place);
    place = placeBehind(place, header);
  }
  return place;
}

export function placeBehind({ position, offset }: BatchPlace, { bytes, records }: BatchHeader): BatchPlace {
  return { position: position + bytes, offset: advance(offset, records) };
}
