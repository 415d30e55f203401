/** What no route sees: requests that do not arrive as a whole, or are no HTTP. They are answered like all others, and the connection ends. */
import type { Server, ServerResponse } from 'node:http';
import process from 'node:process';
import type { Duplex } from 'node:stream';

/** Not imported, for the reason that `listen.ts` gives. */
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** By Node's code of what went wrong. https://nodejs.org/api/http.html#event-clienterror, read 2026-11-26 */
const STATUSES: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** Of its parser: what came is no HTTP. */
const PARSER = 'HPE_';

export function answerBrokenRequests(server: Server): void {
  const underWay = new WeakMap<Duplex, ServerResponse>();
  server.on('request', ({ socket }, response) => underWay.set(socket, response));
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket) => {
    const status = STATUSES[code] ?? (code.startsWith(PARSER) ? 400 : null);
    const response = underWay.get(socket);
    // In the middle of an answer another one would be taken for a part of it.
    const isAnswering = response?.headersSent === true && !response.writableFinished;
    if (status === null || isAnswering || !socket.writable) socket.destroy();
    else socket.end(answer(status));
  });
}

function answer(status: number): string {
  const words = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ error_code: status, message: `HTTP ${status} ${words}` });
  const headers = ['Connection: close', 'Content-Type: application/json', `Content-Length: ${body.length}`];
  return [`HTTP/1.1 ${status} ${words}`, ...headers, '', body].join('\r\n');
}
