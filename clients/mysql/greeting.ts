/** What a server says first. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html, read 2026-11-26 */
import type { ByteReader } from './byte-reader.ts';
import { MysqlProtocolError } from './mysql-failure.ts';

export const Capability = {
  LONG_PASSWORD: 1,
  LONG_FLAG: 1 << 2,
  PROTOCOL_41: 1 << 9,
  SSL: 1 << 11,
  TRANSACTIONS: 1 << 13,
  SECURE_CONNECTION: 1 << 15,
  PLUGIN_AUTH: 1 << 19,
  CONNECT_ATTRS: 1 << 20,
  PLUGIN_AUTH_LENENC_CLIENT_DATA: 1 << 21,
} as const;

export interface Greeting {
  readonly version: string;
  readonly isMariadb: boolean;
  readonly connectionId: number;
  readonly capabilities: number;
  readonly authPlugin: string;
  /** 20 bytes of chance that a password is mixed with. */
  readonly nonce: Buffer;
}

const NONCE_BYTES = 20;

export function readGreeting(packet: ByteReader): Greeting {
  const protocol = packet.uint8();
  if (protocol !== 10) throw new MysqlProtocolError(`protocol ${protocol}, where 10 is MySQL's`);
  const version = packet.utf8ToZero();
  const connectionId = packet.uint32();
  const first = Buffer.from(packet.bytes(8));
  packet.skip(1);
  const low = packet.uint16();
  packet.skip(3);
  const capabilities = low | (packet.uint16() << 16);
  const nonceBytes = packet.uint8();
  packet.skip(10);
  const second = Buffer.from(packet.bytes(Math.min(Math.max(13, nonceBytes - 8), packet.left)));
  return {
    version,
    isMariadb: /mariadb/i.test(version),
    connectionId,
    capabilities,
    authPlugin: packet.left > 0 ? packet.utf8ToZero() : 'mysql_native_password',
    nonce: Buffer.concat([first, second]).subarray(0, NONCE_BYTES),
  };
}
