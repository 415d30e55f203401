/** A process that answers every request with so many bytes of JSON, as fast as Node does: `plain-server.ts BYTES`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';

const body = JSON.stringify('x'.repeat(Math.max(0, Number(process.argv[2]) - 2)));

const server = createServer((request, response) => {
  request.resume().once('end', () => response.setHeader('content-type', 'application/json').end(body));
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
