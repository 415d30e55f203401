import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryTelemetry } from '../../../../adapters/memory/memory-telemetry.ts';
import { CliError } from '../../../../cli/cli-error.ts';
import { listen, type Server } from '../../../../cli/start/listen.ts';

const echo: RequestListener = (request, response) => void response.end(`you asked for ${request.url}`);

const LOOPBACK = { host: '127.0.0.1', tls: null };

describe('listen', () => {
  test('loads the API with the first request, and once', async () => {
    const loadedAs: string[] = [];
    const { url } = await listening(async (address) => {
      loadedAs.push(address);
      return echo;
    });
    expect(loadedAs).toEqual([]);

    const bodies = await Promise.all(['/one', '/two'].map(async (path) => (await fetch(url + path)).text()));

    expect(bodies).toEqual(['you asked for /one', 'you asked for /two']);
    expect(loadedAs.map((address) => `http://${address}`)).toEqual([url]);
  });

  test.each([
    ['/health', { status: 'starting', message: 'Worker is still starting up.' }],
    ['/connectors', { error_code: 503, message: 'Worker is still starting up.' }],
  ])('answers %s with 503 until there is something to serve', async (path, body) => {
    const server = await listen({ ...LOOPBACK, port: 0, telemetry: new MemoryTelemetry() });
    onTestFinished(() => server.close());

    const early = await fetch(server.url + path);
    server.serve(async () => echo);
    const late = await fetch(server.url + path);

    expect([early.status, await early.json()]).toEqual([503, body]);
    expect(late.status).toBe(200);
  });

  test('answers with 500 where the API cannot be loaded, and says why', async () => {
    const telemetry = new MemoryTelemetry();
    const { url } = await listening(() => Promise.reject(new Error('no such module')), telemetry);

    const response = await fetch(url);

    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      error_code: 500,
      message: 'The API cannot be loaded; the log of the server says why',
    });
    expect(telemetry.logs).toMatchObject([{ level: 'error', message: 'the API cannot be loaded: no such module' }]);
  });

  test('ends a connection on which a request does not arrive', async () => {
    const server = await listen({
      ...LOOPBACK,
      port: 0,
      telemetry: new MemoryTelemetry(),
      receiveWithinMs: 100,
    });
    server.serve(async () => echo);
    onTestFinished(() => server.close());
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write('POST /connectors HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n');

    const answer = await textOf(socket);

    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(answer).toMatch(/\r\n\r\n\{"error_code":408,"message":"HTTP 408 Request Timeout"\}$/);
  });

  test.each([
    ['what is no HTTP', 'hello\r\n\r\n', 400, 'Bad Request'],
    ['a head that is too long', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, 'Request Header Fields Too Large'],
  ])('refuses %s', async (_, sent, status, words) => {
    const { url } = await listening(async () => echo);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(sent);

    const answer = await textOf(socket);

    const body = `{"error_code":${status},"message":"HTTP ${status} ${words}"}`;
    const headers = ['Connection: close', 'Content-Type: application/json', `Content-Length: ${body.length}`];
    expect(answer).toBe([`HTTP/1.1 ${status} ${words}`, ...headers, '', body].join('\r\n'));
  });

  test('writes nothing into an answer that is under way', async () => {
    const slow: RequestListener = (_request, response) => void response.write('the beginning');
    const { url } = await listening(async () => slow);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');

    socket.write('hello\r\n\r\n');

    expect(await textOf(socket)).not.toContain('400');
  });

  test('closes although a body that was refused still waits to be read', async () => {
    const refusing: RequestListener = (request, response) =>
      void request.once('data', () => {
        request.pause();
        response.end('too much');
      });
    const { url, serve, close } = await listen({ ...LOOPBACK, port: 0, telemetry: new MemoryTelemetry() });
    serve(async () => refusing);
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    // More than lies in buffers on the way, so that some of it waits for ever.
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n');
    socket.write(Buffer.alloc(20_000_000));
    await once(socket, 'data');

    await close();

    await expect(fetch(url)).rejects.toThrow();
  });

  test('refuses a port that somebody has, and names it', async () => {
    const { url } = await listening(async () => echo);
    const port = Number(new URL(url).port);

    const second = listening(async () => echo, new MemoryTelemetry(), port);

    await expect(second).rejects.toThrow(CliError);
    await expect(second).rejects.toMatchObject({ exitCode: 3, message: `port ${port} of 127.0.0.1 is in use` });
  });
});

async function listening(
  loadApi: (address: string) => Promise<RequestListener>,
  telemetry = new MemoryTelemetry(),
  port = 0,
): Promise<Server> {
  const server = await listen({ ...LOOPBACK, port, telemetry });
  server.serve(loadApi);
  onTestFinished(() => server.close());
  return server;
}
