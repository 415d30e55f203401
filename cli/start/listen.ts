/**
 * The HTTP server of the API. What answers is loaded with the first request: Node's `Request` and `Response` and all that is made
 * of them cost a start some 60 ms and 20 MB, and nothing needs them until somebody asks.
 */
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { messageOf } from '../../core/errors.ts';
import type { Telemetry } from '../../core/ports.ts';
import { CliError } from '../cli-error.ts';

/** An import of it would ask for everything that it has, and so load what web sockets need. */
const { createServer } = process.getBuiltinModule('node:http');

/** Nobody but this machine: there is no authentication yet. */
const HOST = '127.0.0.1';

/** A body of 1 MiB over the slowest way that anybody has. Whoever sends slower than that only keeps a connection. */
const RECEIVE_WITHIN_MS = 30_000;

export interface Server {
  readonly url: string;
  close(): Promise<void>;
}

export interface ListenOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly telemetry: Telemetry;
  /** How long a request may take to arrive. */
  readonly receiveWithinMs?: number;
  /** Called once, with the first request. `address` is this server's, `host:port`. */
  loadApi(address: string): Promise<RequestListener>;
}

/** @throws {CliError} where the port cannot be had. */
export function listen({ port, telemetry, receiveWithinMs = RECEIVE_WITHIN_MS, loadApi }: ListenOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    let api: Promise<RequestListener> | undefined;
    const limits = {
      requestTimeout: receiveWithinMs,
      headersTimeout: receiveWithinMs,
      connectionsCheckingInterval: receiveWithinMs,
    };
    const server = createServer(limits, (request, response) => {
      api ??= loadApi(addressOf(server.address()));
      api.then(
        (answer) => answer(request, response),
        (error: unknown) => {
          telemetry.log('error', `the API cannot be loaded: ${messageOf(error)}`, {});
          response.writeHead(500).end();
        },
      );
    });
    server.on('error', (error: NodeJS.ErrnoException) => reject(refusedPort(error, port)));
    server.listen(port, HOST, () => {
      const url = `http://${addressOf(server.address())}`;
      resolve({ url, close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}

function addressOf(bound: AddressInfo | string | null): string {
  return `${HOST}:${(bound as AddressInfo).port}`;
}

function refusedPort(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error;
  const why = error.code === 'EADDRINUSE' ? 'is in use' : 'may not be used by this user';
  const next = 'stop what listens there, or choose another port with --port';
  return new CliError(`port ${port} of ${HOST} ${why}`, { exitCode: 3, next });
}
