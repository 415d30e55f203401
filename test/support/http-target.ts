/** An HTTP endpoint on this machine, which notes what it receives and answers as it is told to. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HeldText, RecordText, SinkTarget } from '../contract/sink/sink-under-test.ts';
import { aSinkRecord, textDatum } from './connect-records.ts';

export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `count`: the requests so far, this one included. */
export type Answer = (response: ServerResponse, request: Received, count: number) => void;

export interface HttpTarget {
  readonly url: string;
  readonly received: readonly Received[];
  /** Connections that were made to it. */
  readonly connections: () => number;
  answer: Answer;
  stop(): Promise<void>;
}

export const taken: Answer = (response) => void response.end();

/** The first answers one by one, and the last for all that follow. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let turn = 0;
  return (...request) => {
    const answer = answers[Math.min(turn, answers.length - 1)] ?? taken;
    turn += 1;
    answer(...request);
  };
}

export function status(
  code: number,
  { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {},
): Answer {
  return (response) => void response.writeHead(code, headers).end(body);
}

export async function anHttpTarget(answer: Answer = taken): Promise<HttpTarget> {
  const received: Received[] = [];
  let connections = 0;
  const target = { answer };
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body };
      received.push(one);
      target.answer(response, one, received.length);
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(target, {
    url: `http://127.0.0.1:${port}`,
    received,
    connections: () => connections,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** The target of the acceptance kit: lines of key and text, of which those with a ! are refused. */
export async function anAcceptanceTarget(keys: Readonly<Record<string, string>> = {}): Promise<SinkTarget> {
  const target = await anHttpTarget((response, { body }) => void response.writeHead(body.includes('!') ? 422 : 200).end());
  const isTaken = ({ body }: Received): boolean => !body.includes('!');
  return {
    config: { 'http.url': `${target.url}/records`, ...keys },
    makeRecord: ({ key, text, offset }) => aSinkRecord({ key: textDatum(key), value: textDatum(`${key} ${text}`), offset }),
    makeRefused: ({ key, text, offset }: RecordText) =>
      aSinkRecord({ key: textDatum(key), value: textDatum(`${key} ${text}!`), offset }),
    held: async () => target.received.filter(isTaken).flatMap(heldTexts),
    breakDown: () => target.stop(),
    close: () => target.stop(),
  };
}

function heldTexts({ body, headers }: Received): readonly HeldText[] {
  const id = String(headers['idempotency-key']);
  return body.split('\n').flatMap((line) => {
    const [key = '', text = ''] = line.split(' ');
    return line === '' ? [] : [{ key, text, id }];
  });
}
