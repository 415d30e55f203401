import { describe, expect, test } from 'vitest';
import { ApiTransport } from '../../../cli/api-transport.ts';

function answering(status: number, body: string): ApiTransport {
  return new ApiTransport({ url: 'http://sortie/' }, { fetch: async () => new Response(body, { status }) });
}

describe('ApiTransport', () => {
  test.each([
    [400, 2],
    [401, 2],
    [403, 2],
    [404, 2],
    [409, 1],
    [413, 2],
    [500, 1],
    [503, 3],
  ])('HTTP %d ends with exit code %d, and the words of the server', async (status, exitCode) => {
    const api = answering(status, JSON.stringify({ error_code: status, message: 'so it is' }));

    await expect(api.ask('GET', '/')).rejects.toMatchObject({ message: 'so it is', exitCode });
  });

  test('says where, when a server says nothing', async () => {
    await expect(answering(500, '').ask('GET', '/x')).rejects.toThrow('HTTP 500 from http://sortie/x');
  });

  test.each([200, 404])('takes an answer of HTTP %d without JSON for another server', async (status) => {
    const api = answering(status, '<html>');

    await expect(api.ask('GET', '/')).rejects.toMatchObject({
      message: 'what answers at http://sortie is not Sortie: it answers no JSON',
      exitCode: 3,
    });
  });

  test.each(['nonsense', 'localhost:8083', 'ftp://sortie', ''])('refuses %j as an address', (url) => {
    const open = (): unknown => new ApiTransport({ url }, { fetch: async () => new Response('') });

    expect(open).toThrow(expect.objectContaining({ exitCode: 2, message: `${url} is no address of an HTTP API` }));
  });

  test('says why there is no answer', async () => {
    const api = new ApiTransport(
      { url: 'http://sortie' },
      {
        fetch: () => Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })),
      },
    );

    await expect(api.ask('GET', '/')).rejects.toMatchObject({
      message: 'no answer from http://sortie: connect ECONNREFUSED',
      exitCode: 3,
    });
  });
});
