/** Events that hold others, or themselves, packed. */
import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { ByteReader } from '../mysql/byte-reader.ts';
import { UnreadableBinlog } from './unreadable.ts';

/** A packed transaction is unpacked as a whole; a larger one would not leave room for anything else. */
const UNPACKED_BYTES_MAX = 256 * 1024 * 1024;

const Payload = { END: 0, SIZE: 1, METHOD: 2 } as const;

const METHOD_ZSTD = 0;
const METHOD_NONE = 255;

/** All events of a transaction. https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Transaction__payload__event.html, read 2026-11-26 */
export function unpackTransaction(bytes: ByteReader): Buffer {
  let method = METHOD_ZSTD;
  for (let field = bytes.length(); field !== Payload.END; field = bytes.length()) {
    const end = bytes.length() + bytes.at;
    if (field === Payload.METHOD) method = bytes.length();
    bytes.at = end;
  }
  const packed = bytes.bytes(bytes.left);
  if (method === METHOD_NONE) return packed;
  if (method !== METHOD_ZSTD) throw new UnreadableBinlog(`a transaction compressed by method ${method}`, TURN_OFF);
  try {
    return zstdDecompressSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnreadableBinlog(
      `a compressed transaction cannot be unpacked within ${UNPACKED_BYTES_MAX / 1024 / 1024} MiB: ${reason}`,
      TURN_OFF,
    );
  }
}

const TURN_OFF = 'SET GLOBAL binlog_transaction_compression = OFF, and start behind this transaction';

/** What MariaDB's `log_bin_compress` packs: a byte that says how, the length, the rest. https://github.com/MariaDB/server/blob/10.11/sql/log_event.cc, read 2026-11-26 */
export function unpackMariadb(bytes: ByteReader): ByteReader {
  const how = bytes.uint8();
  const method = (how >> 4) & 7;
  if (method !== 0) {
    throw new UnreadableBinlog(
      `an event compressed by method ${method}`,
      'SET GLOBAL log_bin_compress = OFF, and start behind it',
    );
  }
  bytes.skip(how & 7);
  return new ByteReader().take(inflateSync(bytes.bytes(bytes.left)));
}
