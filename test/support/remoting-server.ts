/** A server of RocketMQ's protocol that answers as a test says, and whose connections a test can cut, hold up and chop. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { FrameReader } from '../../clients/rocketmq/frame-reader.ts';
import { decodeFrame } from '../../clients/rocketmq/header.ts';

export interface RemotingRequest {
  readonly code: number;
  readonly opaque: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface RemotingAnswer {
  readonly code?: number;
  readonly remark?: string;
  readonly fields?: Readonly<Record<string, string | number | bigint>>;
  readonly body?: string | Uint8Array;
}

/** `silent`: no answer at all. `cut`: half of one, and the end of the connection. */
export type Reply = RemotingAnswer | 'silent' | 'cut';

export class RemotingServer {
  readonly requests: RemotingRequest[] = [];
  /** Bytes that go out at once. */
  chunkBytes = Number.POSITIVE_INFINITY;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Ends with the test. */
  static async start(answer: (request: RemotingRequest) => Reply | Promise<Reply>): Promise<RemotingServer> {
    const server = createServer();
    const remoting = new RemotingServer(server);
    server.on('connection', (socket) => remoting.#serve(socket, answer));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => remoting.close());
    return remoting;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** So many requests with this code came. */
  count(code: number): number {
    return this.requests.filter((request) => request.code === code).length;
  }

  /** Resolves once so many requests came. */
  received(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ count, resolve });
      this.#tell();
    });
  }

  /** To all connections. */
  write(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  /** All connections end without a word; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Reads nothing: what comes lies before its door. */
  standStill(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  /** Resolves when every connection that there is has ended, and all that came in it was read. */
  async readToTheEnd(): Promise<void> {
    const ends = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.#sockets) socket.resume();
    await Promise.all(ends);
  }

  async close(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket, answer: (request: RemotingRequest) => Reply | Promise<Reply>): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
    const reader = new FrameReader((frame) => {
      const { code, opaque, fields, body } = decodeFrame(frame);
      const request = { code, opaque, fields, body };
      this.requests.push(request);
      this.#tell();
      void Promise.resolve(answer(request)).then((reply) => this.#reply(socket, opaque, reply));
    });
    socket.on('data', (chunk) => reader.push(chunk));
  }

  #reply(socket: Socket, opaque: number, reply: Reply): void {
    if (reply === 'silent') return;
    if (reply === 'cut') {
      socket.write(answerFrame(opaque, {}).subarray(0, 9));
      socket.end();
      return;
    }
    const frame = answerFrame(opaque, reply);
    for (let at = 0; at < frame.length; at += this.chunkBytes) socket.write(frame.subarray(at, at + this.chunkBytes));
  }

  #tell(): void {
    for (const { count, resolve } of this.#waiting) if (this.requests.length >= count) resolve();
  }
}

/** An address at which nobody listens. */
export async function deadAddress(): Promise<string> {
  const server = await RemotingServer.start(() => 'silent');
  const { address } = server;
  await server.close();
  return address;
}

/** `flag` 0 makes a request of the server's own of it. */
export function answerFrame(opaque: number, { code = 0, remark, fields = {}, body = '' }: RemotingAnswer, flag = 1): Buffer {
  const extFields = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  const header = Buffer.from(JSON.stringify({ code, flag, opaque, remark, extFields, language: 'JAVA', version: 479 }));
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + header.length + Buffer.byteLength(body), 0);
  head.writeUInt32BE(header.length, 4);
  return Buffer.concat([head, header, Buffer.from(body)]);
}

/** A route of one broker with four queues. */
export function routeTo(address: string, brokerName = 'broker-a'): RemotingAnswer {
  const brokerDatas = [{ brokerName, cluster: 'C', brokerAddrs: { 0: address } }];
  const queueDatas = [{ brokerName, perm: 6, readQueueNums: 4, writeQueueNums: 4, topicSysFlag: 0 }];
  return { body: JSON.stringify({ brokerDatas, queueDatas }) };
}

/** The brokers that have told a NameServer of themselves, and where they are. */
export function clusterOf(addresses: Readonly<Record<string, string>>): RemotingAnswer {
  const brokers = Object.entries(addresses).map(([brokerName, address]) => [
    brokerName,
    { brokerName, brokerAddrs: { 0: address } },
  ]);
  return { body: JSON.stringify({ brokerAddrTable: Object.fromEntries(brokers) }) };
}
