/**
 * The HTTP server of the API. It listens before there is anything to serve, and says so. What answers then is loaded with the first request: Node's `Request` and `Response` and all that is made
 * of them cost a start some 60 ms and 20 MB, and nothing needs them until somebody asks.
 */
import type { Server as HttpServer, IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import process from 'node:process';
import { messageOf } from '../../core/errors.ts';
import type { Telemetry } from '../../core/ports.ts';
import { CliError } from '../cli-error.ts';
import type { Tls } from './api-access.ts';
import { answerBrokenRequests } from './broken-requests.ts';

/** An import of it would ask for everything that it has, and so load what web sockets need. */
const { createServer } = process.getBuiltinModule('node:http');

/** A body of 1 MiB over the slowest way that anybody has. Whoever sends slower than that only keeps a connection. */
const RECEIVE_WITHIN_MS = 30_000;

/** Whatever waits for something has been told to end by then. */
const CLOSE_WITHIN_MS = 1_000;

const UNLOADABLE = JSON.stringify({ error_code: 500, message: 'The API cannot be loaded; the log of the server says why' });

/** As Kafka Connect's own, where its worker has not joined the cluster yet. */
const STARTING = 'Worker is still starting up.';

export interface Server {
  readonly url: string;
  /** From now on requests are for the API. `load` is called once, with the first of them; `address` is this server's, `host:port`. */
  serve(load: (address: string) => Promise<RequestListener>): void;
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** `null`: plain HTTP. */
  readonly tls: Tls | null;
  readonly telemetry: Telemetry;
  /** How long a request may take to arrive. */
  readonly receiveWithinMs?: number;
}

/** @throws {CliError} where the address or port cannot be had. */
export function listen({ host, port, tls, telemetry, receiveWithinMs = RECEIVE_WITHIN_MS }: ListenOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    let load: ((address: string) => Promise<RequestListener>) | undefined;
    let api: Promise<RequestListener> | undefined;
    const limits = {
      requestTimeout: receiveWithinMs,
      headersTimeout: receiveWithinMs,
      connectionsCheckingInterval: receiveWithinMs,
    };
    const answer: RequestListener = (request, response) => {
      if (load === undefined) return answerStarting(request, response);
      api ??= load(addressOf(server));
      api.then(
        (listener) => listener(request, response),
        (error: unknown) => {
          telemetry.log('error', `the API cannot be loaded: ${messageOf(error)}`, {});
          response.writeHead(500, { 'content-type': 'application/json' }).end(UNLOADABLE);
        },
      );
    };
    const server =
      tls === null
        ? createServer(limits, answer)
        : process.getBuiltinModule('node:https').createServer({ ...limits, ...tls }, answer);
    answerBrokenRequests(server);
    server.on('error', (error: NodeJS.ErrnoException) => reject(refusal(error, { host, port })));
    server.listen(port, host, () => {
      const url = `${tls === null ? 'http' : 'https'}://${addressOf(server)}`;
      const serve: Server['serve'] = (loaded) => {
        load = loaded;
      };
      resolve({ url, serve, close: () => closed(server) });
    });
  });
}

function answerStarting({ url }: IncomingMessage, response: ServerResponse): void {
  const body = url === '/health' ? { status: 'starting', message: STARTING } : { error_code: 503, message: STARTING };
  response.writeHead(503, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/**
 * Answers under way have their time. A connection whose body nobody read, because it was refused, would otherwise never end: what waits in
 * it hides that the other side is gone.
 */
async function closed(server: HttpServer): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(timer);
}

/** As others reach it: of all addresses that it may have, its name stands for one. */
function addressOf(server: HttpServer): string {
  const { address, port, family } = server.address() as AddressInfo;
  if (address === '0.0.0.0' || address === '::') return `${hostname()}:${port}`;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** How the system says that a port, or an address, cannot be had. */
const REFUSED_PORTS: Readonly<Record<string, string>> = { EADDRINUSE: 'is in use', EACCES: 'may not be used by this user' };
const REFUSED_HOSTS = ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'];

function refusal(error: NodeJS.ErrnoException, { host, port }: { readonly host: string; readonly port: number }): Error {
  const { code = '' } = error;
  if (REFUSED_HOSTS.includes(code)) {
    const next = 'name an address of this machine with --host; 0.0.0.0 and :: stand for all of them';
    return new CliError(`host ${host} is no address of this machine`, { exitCode: 3, next });
  }
  const why = REFUSED_PORTS[code];
  if (why === undefined) return error;
  const next = 'stop what listens there, or choose another port with --port';
  return new CliError(`port ${port} of ${host} ${why}`, { exitCode: 3, next });
}
