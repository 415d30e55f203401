/**
 * A connection as packets both ways. Reading stops while much waits to be read, so that a server that has a lot to say waits, too.
 *
 * It has no timer while nobody waits, and an idle one keeps no process alive.
 */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { CancelSignal, Clock } from '../../core/ports.ts';
import type { ByteReader } from './byte-reader.ts';
import { MysqlUnreachable } from './mysql-failure.ts';
import { PacketReader } from './packet-reader.ts';

/** What Node takes for a TLS connection. */
export type TlsOptions = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized' | 'checkServerIdentity'
>;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Some milliseconds of decoding. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** With less than this the server is let go on, while what is left is read: it takes its time to fill the line again. */
const WAITING_BYTES_LOW = WAITING_BYTES_MAX / 2;

const PAYLOAD_BYTES_MAX = 2 ** 24 - 1;

/** A reason of its own spares each end an exception with a stack. */
const OVER = 'over';

export class MysqlSocket {
  readonly #clock: Clock;
  readonly #packets = new PacketReader();
  readonly #timeoutMs: number;
  #socket: Socket;
  #failure: string | null = null;
  /** Of whoever waits for bytes. */
  #wake: (() => void) | null = null;
  #isPaused = false;
  /** Monotonic. */
  #receivedAtMs: number;

  private constructor(socket: Socket, { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number }) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#socket = socket;
    this.#receivedAtMs = clock.monotonicMs();
    this.#listen(socket);
  }

  /** `timeoutMs`: how long a server may take to connect, and to answer. */
  static async open(
    { host, port }: Address,
    settings: { readonly clock: Clock; readonly timeoutMs: number },
  ): Promise<MysqlSocket> {
    const socket = connect({ host, port, noDelay: true });
    const opened = new MysqlSocket(socket, settings);
    await opened.#connected('connect');
    return opened;
  }

  /** The same connection, encrypted from here on. */
  async secure(host: string, options: TlsOptions): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners('data').removeAllListeners('error').removeAllListeners('close');
    this.#socket = connectTls({ socket: plain, ...(isName(host) ? { servername: host } : {}), ...options });
    this.#listen(this.#socket);
    await this.#connected('secureConnect');
  }

  /** The next packet; what was reached before is gone. `false`: it is not here yet. @throws {MysqlUnreachable} when it never will be. */
  advance(): boolean {
    if (this.#packets.advance()) {
      if (this.#isPaused && this.#packets.waitingBytes < WAITING_BYTES_LOW) this.#resume();
      return true;
    }
    if (this.#failure !== null) throw new MysqlUnreachable(this.#failure);
    return false;
  }

  /** For how long nothing came. What waits to be read keeps the other side silent. */
  silentMs(): number {
    return this.#isPaused ? 0 : this.#clock.monotonicMs() - this.#receivedAtMs;
  }

  /** The packet that was reached. */
  get packet(): ByteReader {
    return this.#packets.packet;
  }

  /** Resolves when more is here, the time is over or the signal aborts, or the connection is lost. */
  async arrival(timeoutMs: number, signal?: CancelSignal): Promise<void> {
    if (this.#failure !== null) return;
    const over = new AbortController();
    const isHere = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const stop = (): void => over.abort(OVER);
    signal?.addEventListener('abort', stop, { once: true });
    this.#socket.ref();
    this.#resume();
    try {
      if (signal?.aborted === true) return;
      await Promise.race([isHere, this.#clock.sleep(timeoutMs, over.signal)]);
    } finally {
      this.#wake = null;
      over.abort(OVER);
      signal?.removeEventListener('abort', stop);
      this.#socket.unref();
    }
  }

  /** @throws {MysqlUnreachable} when none comes in time; the connection is closed then. */
  async receive(timeoutMs = this.#timeoutMs): Promise<ByteReader> {
    const endMs = this.#clock.monotonicMs() + timeoutMs;
    while (!this.advance()) {
      const leftMs = endMs - this.#clock.monotonicMs();
      if (leftMs <= 0) {
        this.close(`nothing came within ${timeoutMs} ms`);
        continue;
      }
      await this.arrival(leftMs);
    }
    return this.packet;
  }

  /** A command: packets are counted anew. */
  command(payload: Buffer): void {
    this.#packets.sequence = -1;
    this.answer(payload);
  }

  /** In answer to the packet that was reached last. */
  answer(payload: Buffer): void {
    if (payload.length >= PAYLOAD_BYTES_MAX) throw new Error(`a command of ${payload.length} bytes`);
    const sequence = (this.#packets.sequence + 1) & 0xff;
    this.#packets.sequence = sequence;
    const header = Buffer.allocUnsafe(4);
    header.writeUInt32LE((payload.length | (sequence << 24)) >>> 0);
    this.#socket.write(Buffer.concat([header, payload]));
  }

  /** Nothing is said any more: whoever waits is told the reason. */
  close(reason = 'this connection was closed'): void {
    this.#failure ??= reason;
    this.#socket.destroy();
    this.#wake?.();
  }

  #listen(socket: Socket): void {
    socket.unref();
    socket.on('data', (chunk: Buffer) => {
      this.#receivedAtMs = this.#clock.monotonicMs();
      this.#packets.push(chunk);
      if (this.#packets.waitingBytes >= WAITING_BYTES_MAX) this.#pause();
      this.#wake?.();
    });
    socket.on('error', (error) => this.close(error.message));
    socket.on('close', () => this.close('the server closed the connection'));
  }

  #pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** Somebody waits for more, however much that is, for one packet; or little is left. */
  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  async #connected(event: 'connect' | 'secureConnect'): Promise<void> {
    const socket: { isConnected: boolean } = { isConnected: false };
    this.#socket.once(event, () => {
      socket.isConnected = true;
      this.#wake?.();
    });
    await this.arrival(this.#timeoutMs);
    if (!socket.isConnected) this.close(`no connection within ${this.#timeoutMs} ms`);
    if (this.#failure !== null) throw new MysqlUnreachable(this.#failure);
  }
}

/** SNI takes names, no addresses. */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}
