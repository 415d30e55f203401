/** From the server's greeting to its OK. */
import type { ByteReader } from './byte-reader.ts';
import { Capability, type Greeting, readGreeting } from './greeting.ts';
import { MysqlProtocolError, MysqlRefusal, MysqlUnreachable } from './mysql-failure.ts';
import type { MysqlSocket, TlsOptions } from './mysql-socket.ts';
import { authPlugins, encryptedPassword, firstProof } from './passwords.ts';
import { refusalIn } from './result-packets.ts';

export interface Login {
  readonly host: string;
  readonly user: string;
  readonly password: string;
  /** Absent: no TLS. */
  readonly tls?: TlsOptions | undefined;
  /** What the server's list of connections shows. */
  readonly program: string;
}

/** utf8mb4_general_ci, which MariaDB has, too. */
const COLLATION = 45;

/** What `max_allowed_packet` can be. */
const PACKET_BYTES_MAX = 2 ** 30;

const CAPABILITIES =
  Capability.LONG_PASSWORD |
  Capability.LONG_FLAG |
  Capability.PROTOCOL_41 |
  Capability.TRANSACTIONS |
  Capability.SECURE_CONNECTION |
  Capability.PLUGIN_AUTH |
  Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA;

/** First bytes of what a server says during a login. */
const Marker = { OK: 0x00, MORE: 0x01, SWITCH: 0xfe, REFUSAL: 0xff } as const;

/** Behind MORE, of caching_sha2_password. */
const Sha2 = { ASK_KEY: 2, FAST: 3, FULL: 4 } as const;

/** A login that goes on for longer is none. */
const STEPS_MAX = 10;

/** @throws {MysqlRefusal} when the server does not let this user in. */
export async function logIn(socket: MysqlSocket, login: Login): Promise<Greeting> {
  const packet = await socket.receive();
  if (packet.buffer[packet.at] === Marker.REFUSAL) throw refusalIn(packet);
  const greeting = readGreeting(packet);
  const ability = greeting.capabilities & Capability.CONNECT_ATTRS;
  const capabilities = CAPABILITIES | ability | (login.tls === undefined ? 0 : Capability.SSL);
  if (login.tls !== undefined) {
    if ((greeting.capabilities & Capability.SSL) === 0) throw new MysqlUnreachable('the server does not speak TLS');
    socket.answer(head(capabilities));
    await socket.secure(login.host, login.tls);
  }
  const plugin = firstProof(greeting.authPlugin, '', greeting.nonce) === undefined ? authPlugins[0] : greeting.authPlugin;
  const proof = proofFor(plugin, login, greeting.nonce);
  const name = Buffer.from(`${login.user}\0`);
  const attributes = ability === 0 ? [] : [attributesOf(login)];
  socket.answer(Buffer.concat([head(capabilities), name, lengthOf(proof), proof, Buffer.from(`${plugin}\0`), ...attributes]));
  await finish(socket, login, { plugin, nonce: greeting.nonce });
  return greeting;
}

interface Method {
  readonly plugin: string;
  readonly nonce: Buffer;
}

async function finish(socket: MysqlSocket, login: Login, first: Method): Promise<void> {
  let method = first;
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const packet = await socket.receive();
    const marker = packet.uint8();
    if (marker === Marker.OK) return;
    if (marker === Marker.REFUSAL) throw refusalIn(packet.take(packet.buffer, packet.at - 1, packet.end));
    if (marker === Marker.SWITCH) {
      method = switched(packet);
      socket.answer(proofFor(method.plugin, login, method.nonce));
    } else if (marker === Marker.MORE && method.plugin === 'caching_sha2_password') {
      goOnWithSha2(socket, { packet, login, method });
    } else {
      throw new MysqlProtocolError(`an answer to a login that begins with ${marker}`);
    }
  }
  throw new MysqlProtocolError(`a login of more than ${STEPS_MAX} steps`);
}

function switched(packet: ByteReader): Method {
  if (packet.left === 0) throw new MysqlProtocolError('the server asks for a password as before MySQL 4.1');
  const plugin = packet.utf8ToZero();
  const nonce = Buffer.from(packet.bytes(packet.left));
  return { plugin, nonce: nonce.at(-1) === 0 ? nonce.subarray(0, -1) : nonce };
}

function goOnWithSha2(
  socket: MysqlSocket,
  { packet, login, method }: { readonly packet: ByteReader; readonly login: Login; readonly method: Method },
): void {
  const first = packet.uint8();
  if (first === Sha2.FAST) return;
  if (first !== Sha2.FULL) {
    const publicKey = packet.buffer.toString('latin1', packet.at - 1, packet.end);
    socket.answer(encryptedPassword(login.password, method.nonce, publicKey));
  } else if (login.tls === undefined) {
    socket.answer(Buffer.of(Sha2.ASK_KEY));
  } else {
    socket.answer(Buffer.from(`${login.password}\0`));
  }
}

function proofFor(plugin: string, { user, password }: Login, nonce: Buffer): Buffer {
  const proof = firstProof(plugin, password, nonce);
  if (proof !== undefined) return proof;
  throw new MysqlRefusal({
    errno: 2_059,
    sqlState: 'HY000',
    message: `user ${user} is to log in by ${plugin}; this client has ${authPlugins.join(' and ')}`,
  });
}

function head(capabilities: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(capabilities >>> 0, 0);
  bytes.writeUInt32LE(PACKET_BYTES_MAX, 4);
  bytes.writeUInt8(COLLATION, 8);
  return bytes;
}

function attributesOf({ program }: Login): Buffer {
  const pairs = ['_client_name', 'sortie', 'program_name', program].map((text) => Buffer.from(text.slice(0, 200)));
  const packed = Buffer.concat(pairs.flatMap((text) => [lengthOf(text), text]));
  return Buffer.concat([lengthOf(packed), packed]);
}

/** As the protocol packs it; shorter than 64 KiB. */
function lengthOf({ length }: Buffer): Buffer {
  return length < 0xfb ? Buffer.of(length) : Buffer.of(0xfc, length & 0xff, length >> 8);
}
