import { RecordError } from '../core/errors.ts';
import type { OutgoingRecord } from '../core/ports.ts';

/** RocketMQ's own default, `maxMessageSize`: of key, value and headers together. */
export const RECORD_BYTES_MAX = 4 * 1024 * 1024;

export function recordTooLarge(bytes: number, bytesMax: number): RecordError {
  return new RecordError(`the record has ${bytes} bytes and the log takes at most ${bytesMax}`, {
    code: 'record.too_large',
    details: { bytes, bytesMax },
  });
}

/** Of key, value and headers; a header's bytes are those of its name and its text in UTF-8. */
export function recordBytes({ key, value, headers }: OutgoingRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, text] of headers) bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
  return bytes;
}
