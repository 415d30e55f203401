/** Records on their way into the log: copied once, into the batches that will lie in the file. */
import type { RecordError } from '../../core/errors.ts';
import type { OutgoingRecord } from '../../core/ports.ts';
import { recordTooLarge } from '../record-limit.ts';
import { BATCH_HEADER_BYTES, RECORD_PREFIX_BYTES, writeBatchHeader } from './batch-codec.ts';

/** A reader takes a batch as a whole, so what one holds beyond its first record is bounded: 1 MiB. */
const BATCH_BYTES = 1024 * 1024;

/** Lengths of a header's name and of its text. */
const HEADER_PREFIX_BYTES = 8;

/** A batch without its place in the log. */
export interface EncodedBatch {
  readonly bytes: Buffer;
  readonly records: number;
}

export interface EncodedRecords {
  readonly batches: readonly EncodedBatch[];
  readonly refused: readonly { readonly index: number; readonly error: RecordError }[];
}

/** `recordBytesMax`: of key, value, tag and headers together. */
export function encodeBatches(records: readonly OutgoingRecord[], recordBytesMax: number): EncodedRecords {
  const batches: EncodedBatch[] = [];
  const refused: { index: number; error: RecordError }[] = [];
  let accepted: OutgoingRecord[] = [];
  let bytes = BATCH_HEADER_BYTES;
  for (const [index, record] of records.entries()) {
    const frameBytes = frameBytesOf(record);
    const contentBytes = frameBytes - RECORD_PREFIX_BYTES - HEADER_PREFIX_BYTES * record.headers.length;
    if (contentBytes > recordBytesMax) {
      refused.push({ index, error: recordTooLarge(contentBytes, recordBytesMax) });
      continue;
    }
    if (accepted.length > 0 && bytes + frameBytes > BATCH_BYTES) {
      batches.push(encodeBatch(accepted, bytes));
      accepted = [];
      bytes = BATCH_HEADER_BYTES;
    }
    accepted.push(record);
    bytes += frameBytes;
  }
  if (accepted.length > 0) batches.push(encodeBatch(accepted, bytes));
  return { batches, refused };
}

function frameBytesOf({ key, value, tag, headers }: OutgoingRecord): number {
  let bytes = RECORD_PREFIX_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  if (tag !== null) bytes += Buffer.byteLength(tag);
  for (const [name, text] of headers) bytes += HEADER_PREFIX_BYTES + Buffer.byteLength(name) + Buffer.byteLength(text);
  return bytes;
}

function encodeBatch(records: readonly OutgoingRecord[], bytes: number): EncodedBatch {
  const batch = Buffer.allocUnsafe(bytes);
  let at = BATCH_HEADER_BYTES;
  for (const record of records) at = writeRecord(batch, at, record);
  writeBatchHeader(batch, records.length);
  return { bytes: batch, records: records.length };
}

/** Answers where the next one begins. */
function writeRecord(batch: Buffer, at: number, { key, value, tag, headers, bornAtMs }: OutgoingRecord): number {
  batch.writeInt32LE(key === null ? -1 : key.length, at);
  batch.writeInt32LE(value === null ? -1 : value.length, at + 4);
  batch.writeUInt32LE(headers.length, at + 12);
  batch.writeDoubleLE(bornAtMs, at + 20);
  let next = at + RECORD_PREFIX_BYTES;
  if (key !== null) {
    batch.set(key, next);
    next += key.length;
  }
  if (value !== null) {
    batch.set(value, next);
    next += value.length;
  }
  const tagBytes = tag === null ? -1 : batch.write(tag, next);
  batch.writeInt32LE(tagBytes, at + 8);
  if (tagBytes > 0) next += tagBytes;
  const headersAt = next;
  for (const [name, text] of headers) next = writeHeader(batch, next, name, text);
  batch.writeUInt32LE(next - headersAt, at + 16);
  return next;
}

function writeHeader(batch: Buffer, at: number, name: string, text: string): number {
  const nameBytes = batch.write(name, at + HEADER_PREFIX_BYTES);
  const textBytes = batch.write(text, at + HEADER_PREFIX_BYTES + nameBytes);
  batch.writeUInt32LE(nameBytes, at);
  batch.writeUInt32LE(textBytes, at + 4);
  return at + HEADER_PREFIX_BYTES + nameBytes + textBytes;
}
