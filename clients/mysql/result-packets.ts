import type { ByteReader } from './byte-reader.ts';
import { MysqlRefusal } from './mysql-failure.ts';

/** First byte of a packet that ends a result, or a stream. */
const END_MARKER = 0xfe;
const REFUSAL_MARKER = 0xff;

/** Longer ones that begin like an end are rows of long values. */
const END_BYTES_MAX = 8;

export function isRefusal(packet: ByteReader): boolean {
  return packet.buffer[packet.at] === REFUSAL_MARKER;
}

export function isEnd(packet: ByteReader): boolean {
  return packet.buffer[packet.at] === END_MARKER && packet.left <= END_BYTES_MAX;
}

export function refusalIn(packet: ByteReader): MysqlRefusal {
  packet.skip(1);
  const errno = packet.uint16();
  // `#` and five characters; a server that does not know yet who speaks to it leaves them out.
  const hasState = packet.buffer[packet.at] === 0x23;
  const sqlState = hasState ? packet.utf8(6).slice(1) : 'HY000';
  return new MysqlRefusal({ errno, sqlState, message: packet.utf8(packet.left) });
}
