/**
 * One connection to a broker or NameServer: any number of requests in flight, answered in any order.
 *
 * It does nothing by itself: no heartbeat, no timer while nobody waits, and an idle one keeps no process alive. What a server asks
 * for is dropped: a client that never registered is asked for nothing that matters.
 */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { assert } from '../../core/assert.ts';
import { messageOf } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import { Alarm } from './alarm.ts';
import type { Command, Response } from './command.ts';
import { FrameReader } from './frame-reader.ts';
import { decodeFrame, encodeRequestHead, type IncomingFrame } from './header.ts';
import { type AccessKeys, signed } from './signature.ts';

/** Java's `connectTimeoutMillis`. RocketMQ 5.3.3, `NettyClientConfig.java`. */
const CONNECT_TIMEOUT_MS = 3_000;

/** One reading of the socket; a broker's answer to a pull has up to 256 KiB. */
const RECEIVE_BYTES = 128 * 1024;

/** So much of one turn does not wait for the rest: the other side begins with it meanwhile. */
const CORKED_BYTES_MAX = 64 * 1024;

const OPAQUE_MAX = 2 ** 31 - 1;

/** A reason of its own spares each end an exception with a stack. */
const OVER = 'over';

/** What Node takes for a TLS connection; absent: no TLS. */
export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'>;

export interface ConnectionSettings {
  readonly clock: Clock;
  readonly keys?: AccessKeys | undefined;
  readonly tls?: TlsOptions | undefined;
}

/** The connection broke or the server was silent: nobody knows what became of the request. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

interface Waiting {
  /** Monotonic; `null` for a poll, whose end its waiters watch. */
  readonly deadlineAtMs: number | null;
  readonly sentAtMs: number;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: Error) => void;
}

export class Connection {
  readonly address: string;
  readonly #settings: ConnectionSettings;
  readonly #socket: Socket;
  readonly #frames = new FrameReader((frame) => this.#received(decodeFrame(frame)));
  readonly #waiting = new Map<number, Waiting>();
  /** Of `#waiting`, those with a deadline. */
  #awaited = 0;
  #opaque = 0;
  #isCorked = false;
  #corkedBytes = 0;
  #isOpen = true;
  #usedAtMs: number;
  #receivedAtMs = 0;
  /** Set for the earliest deadline, while there is one. */
  readonly #alarm: Alarm;

  private constructor(address: string, socket: Socket, settings: ConnectionSettings) {
    this.address = address;
    this.#settings = settings;
    this.#socket = socket;
    this.#usedAtMs = settings.clock.monotonicMs();
    this.#alarm = new Alarm(settings.clock, () => this.#endOverdue());
    socket.unref();
    socket.on('error', (error) => this.fail(error.message));
    socket.on('close', () => this.fail('the connection was closed'));
  }

  /** @throws {NoAnswer} when nobody takes the connection in time. */
  static async open(address: string, settings: ConnectionSettings): Promise<Connection> {
    // Nothing comes before the first request.
    const receiver: { push: (chunk: Uint8Array) => void } = { push: () => undefined };
    const socket = openSocket(address, settings.tls, (chunk) => receiver.push(chunk));
    await connected(socket, settings);
    const connection = new Connection(address, socket, settings);
    receiver.push = (chunk) => connection.#push(chunk);
    return connection;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** How long nothing was sent or received. */
  idleMs(): number {
    return this.#waiting.size > 0 ? 0 : this.#settings.clock.monotonicMs() - this.#usedAtMs;
  }

  /**
   * Requests of one turn go out in one write, unless they are large.
   *
   * `timeoutMs: null`: whoever waits watches the time, and the wait keeps no process alive.
   *
   * @throws {NoAnswer}
   */
  request(command: Command<unknown>, timeoutMs: number | null): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(new NoAnswer('the connection is closed'));
        return;
      }
      const nowMs = this.#settings.clock.monotonicMs();
      const deadlineAtMs = timeoutMs === null ? null : nowMs + timeoutMs;
      const opaque = this.#nextOpaque();
      this.#waiting.set(opaque, { deadlineAtMs, sentAtMs: nowMs, resolve, reject });
      if (deadlineAtMs !== null) this.#awaitUntil(deadlineAtMs);
      this.#write(command, opaque);
    });
  }

  /** Monotonic; 0 before anything came. */
  get receivedAtMs(): number {
    return this.#receivedAtMs;
  }

  /** Everything that waits ends with the reason. */
  fail(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#discard();
    this.#alarm.off();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new NoAnswer(reason));
  }

  /**
   * What the system still has to send of a request that nobody waits for any more must not arrive later, so a plain connection is
   * reset. Node resets none that speaks TLS.
   */
  #discard(): void {
    if (this.#waiting.size === 0 || this.#settings.tls !== undefined || this.#socket.destroyed) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #nextOpaque(): number {
    do this.#opaque = this.#opaque === OPAQUE_MAX ? 0 : this.#opaque + 1;
    while (this.#waiting.has(this.#opaque));
    return this.#opaque;
  }

  #write({ code, fields, body }: Command<unknown>, opaque: number): void {
    const { keys } = this.#settings;
    if (!this.#isCorked) this.#cork();
    const bodyBytes = body?.length ?? 0;
    this.#socket.write(
      encodeRequestHead({ code, opaque, fields: keys === undefined ? fields : signed(fields, body, keys) }, bodyBytes),
    );
    if (body !== undefined && bodyBytes > 0) this.#socket.write(body);
    this.#corkedBytes += bodyBytes;
    if (this.#corkedBytes < CORKED_BYTES_MAX) return;
    this.#socket.uncork();
    this.#socket.cork();
    this.#corkedBytes = 0;
  }

  #cork(): void {
    this.#isCorked = true;
    this.#corkedBytes = 0;
    this.#socket.cork();
    // Before whoever was waiting for this turn goes on.
    queueMicrotask(() => {
      this.#isCorked = false;
      this.#socket.uncork();
    });
  }

  #push(chunk: Uint8Array): void {
    this.#receivedAtMs = this.#settings.clock.monotonicMs();
    try {
      this.#frames.push(chunk);
    } catch (error) {
      this.fail(`it does not speak RocketMQ's protocol: ${messageOf(error)}`);
    }
  }

  #received({ opaque, isResponse, ...response }: IncomingFrame): void {
    this.#usedAtMs = this.#receivedAtMs;
    const waiting = isResponse ? this.#waiting.get(opaque) : undefined;
    if (waiting === undefined) return; // The server's own request, or an answer that came too late.
    this.#waiting.delete(opaque);
    if (waiting.deadlineAtMs !== null) this.#awaitOneLess();
    waiting.resolve(response);
  }

  #awaitUntil(deadlineAtMs: number): void {
    this.#awaited += 1;
    if (this.#awaited === 1) this.#socket.ref();
    this.#alarm.set(deadlineAtMs);
  }

  #awaitOneLess(): void {
    this.#awaited -= 1;
    if (this.#awaited > 0) return;
    this.#socket.unref();
    this.#alarm.off();
  }

  /**
   * A server that sent nothing at all since before an overdue request is gone, or was never told that the connection is: everything
   * ends, and the next request opens another. Where it only lets this one wait, the others go on.
   */
  #endOverdue(): void {
    const nowMs = this.#settings.clock.monotonicMs();
    let next: number | null = null;
    for (const [opaque, { deadlineAtMs, sentAtMs, reject }] of this.#waiting) {
      if (deadlineAtMs === null) continue;
      if (deadlineAtMs > nowMs) {
        next = Math.min(next ?? deadlineAtMs, deadlineAtMs);
        continue;
      }
      if (this.#receivedAtMs <= sentAtMs) {
        this.fail(`nothing came back within ${Math.round(deadlineAtMs - sentAtMs)} ms`);
        return;
      }
      this.#waiting.delete(opaque);
      this.#awaitOneLess();
      reject(new NoAnswer(`no answer came within ${Math.round(deadlineAtMs - sentAtMs)} ms`));
    }
    if (next !== null && this.#awaited > 0) this.#alarm.set(next);
  }
}

function openSocket(address: string, tls: TlsOptions | undefined, onData: (chunk: Uint8Array) => void): Socket {
  const place = hostAndPort(address);
  if (tls !== undefined) {
    const socket = connectTls({ ...place, ...(isName(place.host) ? { servername: place.host } : {}), ...tls });
    socket.setNoDelay(true);
    return socket.on('data', onData);
  }
  const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  return connect({
    ...place,
    noDelay: true,
    onread: {
      buffer,
      callback: (bytes) => {
        onData(buffer.subarray(0, bytes));
        return true;
      },
    },
  });
}

/** SNI takes names, no addresses. */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}

/** `host:port`, where an IPv6 host stands in brackets. */
function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1));
  assert(colon > 0 && Number.isInteger(port) && port > 0 && port < 65_536, `${address} is no address: host:port`);
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port };
}

function connected(socket: Socket, { clock, tls }: ConnectionSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    const inTime = new AbortController();
    const onError = (error: Error): void => fail(error);
    const onEnd = (): void => fail(new Error('the connection was closed at once'));
    const settle = (): void => {
      inTime.abort(OVER);
      socket.off('error', onError).off('close', onEnd);
    };
    const fail = (error: Error): void => {
      settle();
      socket.on('error', () => undefined).destroy();
      reject(new NoAnswer(error.message, { cause: error }));
    };
    socket.on('error', onError).on('close', onEnd);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      settle();
      resolve();
    });
    void clock.sleep(CONNECT_TIMEOUT_MS, inTime.signal).then(() => {
      if (!inTime.signal.aborted) fail(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
    });
  });
}
