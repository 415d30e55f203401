/** What only a server shows: what it acknowledged is there after a kill, and whoever listens does not keep it from ending. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { anApi } from '../support/api.ts';
import { EventStream } from '../support/event-streams.ts';
import { aScheduler } from '../support/schedulers.ts';
import { aSortieProcess, putConnector, type SortieProcess } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

const RECORDS = '/sortie/v1/topics/orders/records';

async function send({ url }: SortieProcess, value: unknown): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ key: 'one', value });
  return (await fetch(`${url}${RECORDS}?create=true`, { method: 'POST', headers, body })).status;
}

async function ask<T>({ url }: SortieProcess, path: string): Promise<T> {
  return (await fetch(`${url}${path}`)).json() as Promise<T>;
}

interface Topic {
  readonly queues: readonly { readonly queueId: number; readonly max: string }[];
}

describe('sortie start', () => {
  test('has every record that it acknowledged, also when it was killed at once', async () => {
    const data = aTemporaryFolder();
    const first = await aSortieProcess(data, { invoker: 'in-process' });
    const statuses = await Promise.all([1, 2, 3].map((value) => send(first, { value })));
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');

    const second = await aSortieProcess(data, { invoker: 'in-process' });
    const { queues } = await ask<Topic>(second, '/sortie/v1/topics/orders');
    const filled = queues.find(({ max }) => max !== '0');
    const { records } = await ask<{ readonly records: readonly { readonly value: { readonly value: number } }[] }>(
      second,
      `${RECORDS}?queue=${filled?.queueId}`,
    );

    expect(statuses).toEqual([202, 202, 202]);
    expect(records.map(({ value }) => value.value).sort()).toEqual([1, 2, 3]);
  }, 30_000);

  test('tells whoever listens what it does, and ends while somebody listens and somebody waits', async () => {
    const sortie = await aSortieProcess(aTemporaryFolder(), { invoker: 'in-process' });
    const response = await fetch(`${sortie.url}/sortie/v1/events`);
    const stream = new EventStream(response.body as ReadableStream<Uint8Array>);
    await send(sortie, 'text');
    await putConnector(sortie, 'gone', { 'connector.class': 'discard-sink', topics: 'orders' });
    const ended = await stream.until(
      ({ event, connector, outcome }) => event === 'invocation-ended' && connector === 'gone' && outcome === 'drained',
    );
    await putConnector(sortie, 'made', { 'connector.class': 'datagen-source', topic: 'made', shards: '1' });
    const waiting = fetch(`${sortie.url}/sortie/v1/connectors/made/runs?wait=drained&timeoutMs=60000`, { method: 'POST' });
    await stream.until(({ connector }) => connector === 'made');

    sortie.child.kill('SIGTERM');
    const [code] = (await once(sortie.child, 'exit')) as [number];

    expect(ended.map(({ event }) => event)).toContain('connector-changed');
    expect([code, (await waiting).status]).toEqual([0, 202]);
    await expect(rest(stream)).resolves.toBeNull();
  }, 30_000);
});

/** More than the sockets of any machine keep. */
const TOLD = 40_000;
const LONG_NAME = 'x'.repeat(1_000);

describe('newApp on a server', () => {
  test('makes no error of whoever leaves in the middle of a request', async () => {
    const { app, host } = anApi();
    const answered = Promise.withResolvers<number>();
    const fetch = async (request: Request): Promise<Response> => {
      const response = await app.fetch(request);
      answered.resolve(response.status);
      return response;
    };
    const socket = connect(await portOf(getRequestListener(fetch)), '127.0.0.1');
    const begun = 'POST /connectors HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{';
    await new Promise((resolve) => socket.write(begun, resolve));

    socket.destroy();

    expect(await answered.promise).toBe(400);
    expect(host.telemetry.logs).toEqual([]);
  });

  test('ends the events of whoever does not read them, and keeps no more of them than a burst', async () => {
    const { host } = anApi();
    const { scheduler } = aScheduler(host, { isStarted: false });
    const { app } = anApi({ deps: { ...host, scheduler } });
    const socket = await aListener(await portOf(getRequestListener(app.fetch)));

    for (let told = 0; told < TOLD; told += 1) {
      scheduler.events.connectorChanged(LONG_NAME);
      if (told % 100 === 0) await turn();
    }
    const text = await textOf(socket);

    expect(text).toContain('event: too-slow');
    expect(text.length).toBeLessThan(TOLD * LONG_NAME.length);
  }, 30_000);
});

async function portOf(answer: ReturnType<typeof getRequestListener>): Promise<number> {
  const server = createServer((request, response) => void answer(request, response));
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** It has read how the answer begins, and then reads no more. */
async function aListener(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write('GET /sortie/v1/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  await once(socket, 'data');
  socket.pause();
  return socket;
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function rest(stream: EventStream): Promise<null> {
  let event = await stream.next();
  while (event !== null) event = await stream.next();
  return event;
}
