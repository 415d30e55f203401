/** A network between a client and a server on this machine: each way takes its time, whatever is on it already. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class SlowNetwork {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `roundTripMs`: both ways together. */
  static async start(port: number, { roundTripMs }: { readonly roundTripMs: number }): Promise<SlowNetwork> {
    const network = new SlowNetwork(createServer());
    network.#server.on('connection', (near) => network.#carry(near, { port, delayMs: roundTripMs / 2 }));
    network.#server.listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #carry(near: Socket, { port, delayMs }: { readonly port: number; readonly delayMs: number }): void {
    const far = connect(port, '127.0.0.1');
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
        setTimeout(end, delayMs);
      });
      // Timers of one duration end in the order in which they were set.
      from.on('data', (piece) => void setTimeout(() => to.write(piece), delayMs));
    }
  }
}
