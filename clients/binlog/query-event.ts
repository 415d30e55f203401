import type { ByteReader } from '../mysql/byte-reader.ts';
import { unpackMariadb } from './packed-events.ts';

export interface QueryEvent {
  readonly database: string;
  readonly sql: string;
}

/** https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Query__event.html, read 2026-11-26 */
export function readQuery(bytes: ByteReader, isPacked: boolean): QueryEvent {
  bytes.skip(8);
  const databaseBytes = bytes.uint8();
  bytes.skip(2);
  bytes.skip(bytes.uint16());
  const database = bytes.utf8(databaseBytes);
  bytes.skip(1);
  const sql = isPacked ? unpackMariadb(bytes) : bytes;
  return { database, sql: sql.utf8(sql.left) };
}
