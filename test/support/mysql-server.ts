/** A server of MySQL's protocol that says what a test wants it to. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { PacketReader } from '../../clients/mysql/packet-reader.ts';

/** Payloads of packets; `silent`: nothing at all; `cut`: half of the first, and the end of the connection. */
export type MysqlAnswer = readonly Buffer[] | 'silent' | { readonly cut: readonly Buffer[] };

export interface MysqlScript {
  readonly version?: string;
  readonly authPlugin?: string;
  /** What comes instead of a greeting. */
  readonly greeting?: MysqlAnswer;
  readonly login?: MysqlAnswer;
  /** By the first byte of a command, and what follows it. */
  readonly command?: (code: number, rest: Buffer) => MysqlAnswer;
}

export const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
export const END = Buffer.from([0xfe, 0, 0, 2, 0]);

export function refusal(errno: number, message: string): Buffer {
  return Buffer.concat([Buffer.from([0xff, errno & 0xff, errno >> 8]), Buffer.from(`#HY000${message}`)]);
}

export class MysqlServer {
  /** What clients said, without the headers of packets. */
  readonly received: Buffer[] = [];
  /** Of connections that are open. */
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Ends with the test. */
  static async start(script: MysqlScript = {}): Promise<MysqlServer> {
    const server = createServer();
    const mysql = new MysqlServer(server);
    server.on('connection', (socket) => mysql.#serve(socket, script));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      for (const socket of mysql.sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    return mysql;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #serve(socket: Socket, script: MysqlScript): void {
    this.sockets.add(socket);
    const packets = new PacketReader();
    let isLoggedIn = false;
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    say(socket, -1, script.greeting ?? [greeting(script)]);
    socket.on('data', (chunk) => {
      packets.push(chunk);
      while (packets.advance()) {
        const { buffer, at, end } = packets.packet;
        const payload = Buffer.from(buffer.subarray(at, end));
        this.received.push(payload);
        const answer = isLoggedIn ? (script.command?.(payload[0] ?? 0, payload.subarray(1)) ?? [OK]) : (script.login ?? [OK]);
        isLoggedIn = true;
        say(socket, packets.sequence, answer);
      }
    });
  }
}

const PAYLOAD_BYTES_MAX = 2 ** 24 - 1;

function say(socket: Socket, sequence: number, answer: MysqlAnswer): void {
  if (answer === 'silent') return;
  let next = sequence;
  const frames = ('cut' in answer ? answer.cut : answer).flatMap((payload) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at <= payload.length; at += PAYLOAD_BYTES_MAX) {
      const piece = payload.subarray(at, at + PAYLOAD_BYTES_MAX);
      const header = Buffer.alloc(4);
      header.writeUIntLE(piece.length, 0, 3);
      next += 1;
      header[3] = next & 0xff;
      pieces.push(header, piece);
    }
    return pieces;
  });
  const bytes = Buffer.concat(frames);
  if ('cut' in answer) socket.end(bytes.subarray(0, bytes.length - 3));
  else socket.write(bytes);
}

function greeting({ version = '9.7.0-test', authPlugin = 'mysql_native_password' }: MysqlScript): Buffer {
  const capabilities = 0xffff_ffff & ~(1 << 11);
  const head = Buffer.from(`\x0a${version}\0`, 'latin1');
  const facts = Buffer.alloc(4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10);
  facts.writeUInt32LE(7, 0);
  facts.write('abcdefgh', 4, 'latin1');
  facts.writeUInt16LE(capabilities & 0xffff, 13);
  facts.writeUInt8(45, 15);
  facts.writeUInt16LE((capabilities >>> 16) & 0xffff, 18);
  facts.writeUInt8(21, 20);
  return Buffer.concat([head, facts, Buffer.from(`ijklmnopqrst\0${authPlugin}\0`, 'latin1')]);
}
