/** What `sortie start` makes of what one before it had claimed, which was killed. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { aSortieProcess, putConnector } from '../support/sortie-process.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';

/** A claim lasts 20 s, and is not taken over for another 5. */
const LONG_BEFORE_ITS_CLAIM_ENDS = { timeout: 15_000, interval: 20 };

/** A target that lets whoever asks wait. */
async function aSlowTarget(): Promise<{ readonly url: string; readonly requests: readonly ServerResponse[] }> {
  const requests: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume();
    requests.push(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
}

// Elsewhere no system tells which processes have ended.
describe.runIf(process.platform === 'linux')('sortie start after one that was killed', () => {
  test.each(['threads', 'processes'])('offers at once what its %s had claimed', { timeout: 60_000 }, async (invoker) => {
    const folder = aTemporaryFolder();
    const target = await aSlowTarget();
    const first = await aSortieProcess('data', { invoker, folder });
    const records = `${first.url}/sortie/v1/topics/orders/records?create=true`;
    const headers = { 'content-type': 'application/json' };
    await fetch(records, { method: 'POST', headers, body: JSON.stringify([{ key: 'a', value: { id: 1 } }]) });
    await putConnector(first, 'orders', { 'connector.class': 'http-sink', topics: 'orders', 'http.url': target.url });
    await vi.waitFor(() => expect(target.requests.length).toBe(1), { timeout: 20_000, interval: 20 });

    const exited = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await exited;
    await aSortieProcess('data', { invoker, folder });

    await vi.waitFor(() => expect(target.requests.length).toBe(2), LONG_BEFORE_ITS_CLAIM_ENDS);
  });
});
