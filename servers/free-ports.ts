import { createServer, type Server } from 'node:net';

/** Tries to find neighbours that are free too. */
const TRIES_MAX = 50;

/**
 * A port that nobody listens on, together with those that lie so far from it: `freePort(-2, 1)`. Somebody may still take one before it
 * is used.
 */
export async function freePort(...neighbours: readonly number[]): Promise<number> {
  for (let tried = 0; tried < TRIES_MAX; tried += 1) {
    const first = await listen(0);
    const port = portOf(first);
    const others = await Promise.allSettled(neighbours.map((distance) => listen(port + distance)));
    const listening = others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []));
    await Promise.all([first, ...listening].map(close));
    if (listening.length === neighbours.length) return port;
  }
  throw new Error(`no ${neighbours.length + 1} free ports beside each other were found in ${TRIES_MAX} tries`);
}

function listen(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server on TCP has a port');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
