import type { ByteReader } from '../mysql/byte-reader.ts';

export interface EventHeader {
  readonly type: number;
  /** When the statement began, in seconds since 1970. */
  readonly atSeconds: number;
  readonly serverId: number;
  readonly size: number;
  /** The lower 32 bits of where it ends in its file; 0 where that is not known. */
  readonly end: number;
  readonly flags: number;
}

/** Where the size stands. */
export const SIZE_AT = 9;

/** Of an event that changes nothing, and may be of a kind that nobody knows. */
export const IGNORABLE_FLAG = 0x80;

/** Of an event that is in no file. */
export const ARTIFICIAL_FLAG = 0x20;

/** Moves behind the header. */
export function readEventHeader(bytes: ByteReader): EventHeader {
  const atSeconds = bytes.uint32();
  const type = bytes.uint8();
  const serverId = bytes.uint32();
  const size = bytes.uint32();
  const end = bytes.uint32();
  return { type, atSeconds, serverId, size, end, flags: bytes.uint16() };
}
