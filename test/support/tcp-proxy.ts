/**
 * Stands before a server, hands on what is said in pieces of any size, cuts connections in the middle of what is said, and leaves
 * them half open: as after a network that was cut off, both ends have a connection, and nothing arrives.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TcpProxyOptions {
  /** `host:port`. */
  readonly target: string;
  /** Handed on in pieces of so many bytes; absent: as it comes. */
  readonly pieceBytes?: number;
  /** Bytes that the connection number `index` carries both ways before it is cut; absent: none is. */
  readonly bytesOf?: (index: number) => number;
  /** Called for each connection: who hears what is said in it. */
  readonly listen?: () => Listener;
}

export interface Listener {
  readonly asked: (bytes: Buffer) => void;
  readonly answered: (bytes: Buffer) => void;
}

/** What a half-open connection loses. */
export type Lost = 'all' | 'answers';

export class TcpProxy {
  /** Connections that were cut. */
  cuts = 0;
  readonly #options: TcpProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;
  /** What is said in the first connections, so many of them, is lost. */
  #halfOpen: { readonly connections: number; readonly lost: Lost; readonly seen: () => void } | null = null;

  private constructor(options: TcpProxyOptions, server: Server) {
    this.#options = options;
    this.#server = server;
  }

  /** Ends with the test. */
  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(options, server);
    server.on('connection', (socket) => proxy.#carry(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => proxy.#close());
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * From now on what is said in the connections that there are is lost, and they stay open; new ones are carried. Resolves when
   * something was.
   */
  swallow(lost: Lost = 'all'): Promise<void> {
    return new Promise((resolve) => {
      this.#halfOpen = { connections: this.#connections, lost, seen: resolve };
    });
  }

  #carry(near: Socket): void {
    const [host = '', port = ''] = this.#options.target.split(':');
    const far = connect({ host, port: Number(port) });
    const index = this.#connections;
    let left = this.#options.bytesOf?.(index) ?? Number.POSITIVE_INFINITY;
    const listener = this.#options.listen?.();
    if (listener !== undefined) {
      near.on('data', listener.asked);
      far.on('data', listener.answered);
    }
    this.#connections += 1;
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on('error', end).on('close', () => {
        this.#sockets.delete(from);
        end();
      });
      from.on('data', (chunk) => {
        if (this.#isLost(index, from === far)) return;
        this.#handOn(chunk.subarray(0, Math.max(left, 0)), to);
        left -= chunk.length;
        if (left > 0) return;
        this.cuts += 1;
        // What was handed on arrives, and nothing after it.
        to.end(end);
      });
    }
  }

  #isLost(index: number, isAnswer: boolean): boolean {
    if (this.#halfOpen === null) return false;
    const { connections, lost, seen } = this.#halfOpen;
    if (index >= connections || (lost === 'answers' && !isAnswer)) return false;
    seen();
    return true;
  }

  #handOn(chunk: Buffer, to: Socket): void {
    const { pieceBytes = chunk.length } = this.#options;
    for (let at = 0; at < chunk.length; at += pieceBytes) if (to.writable) to.write(chunk.subarray(at, at + pieceBytes));
  }

  async #close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
