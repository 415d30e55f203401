/** `http-sink` against a server on this machine, in real time. */
import { describe, expect, test } from 'vitest';
import { FatalTaskError, type RetryableError } from '../../core/errors.ts';
import { textDatum } from '../support/connect-records.ts';
import { type Answer, inTurn, status, taken } from '../support/http-target.ts';
import { aTarget, failuresIn, openHttp, put, SHARD, thrown, valued, withHeader } from '../support/http-writer.ts';

const DAY_MS = 86_400_000;

describe('httpSink, one request for each record', () => {
  test('sends the value as it is, in order, and says which record it is', async () => {
    const target = await aTarget();
    const writer = await openHttp(target);

    const result = await put(writer, valued('a', 'größe 漢字 🚀'));

    expect(result.failures).toEqual([]);
    expect(target.received).toMatchObject([
      {
        method: 'POST',
        path: '/',
        body: 'a',
        headers: { 'content-type': 'application/json', 'idempotency-key': `${SHARD}/3/0` },
      },
      { body: 'größe 漢字 🚀', headers: { 'idempotency-key': `${SHARD}/3/1` } },
    ]);
  });

  test('keeps connections from one request to the next', async () => {
    const target = await aTarget(status(200, { body: 'x'.repeat(10_000) }));
    const writer = await openHttp(target);

    await put(writer, valued(...Array.from({ length: 50 }, String)));

    expect(target.received).toHaveLength(50);
    // A next request may come a moment before a connection is free again.
    expect(target.connections()).toBeLessThan(5);
  });

  test('puts parts of a record into the URL, percent-encoded, and into headers', async () => {
    const target = await aTarget();
    const writer = await openHttp(target, {
      'http.url': `${target.url}/\${topic}/\${key}?at=\${partition}:\${offset}&trace=\${header.trace}`,
      'http.headers.additional': 'X-Trace: t-${header.trace}, X-Fixed: a\\,b, X-Missing: ${header.missing}',
      'idempotency.key.header': 'X-Seen',
    });
    const [record] = valued('a/b ?#ü');

    await put(writer, [withHeader(record as NonNullable<typeof record>, 'trace', '1&2')]);

    expect(target.received[0]?.path).toBe('/orders/a%2Fb%20%3F%23%C3%BC?at=0:0&trace=1%262');
    expect(target.received[0]?.headers).toMatchObject({ 'x-trace': 't-1&2', 'x-fixed': 'a,b', 'x-seen': `${SHARD}/3/0` });
    expect(target.received[0]?.headers).not.toHaveProperty('x-missing');
  });

  test('refuses records that would add a header, leave the path, or lack a part of the URL, and takes the others', async () => {
    const target = await aTarget();
    const writer = await openHttp(target, {
      'http.url': `${target.url}/items/\${key}/\${header.kind}`,
      'http.headers.additional': 'X-Note: ${header.note}',
    });
    const records = valued('ok', '..', 'injected', 'lacking', 'last').map((record, index) =>
      index === 3 ? record : withHeader(record, 'kind', 'k'),
    );

    const result = await put(
      writer,
      records.map((record, index) => withHeader(record, 'note', index === 2 ? 'x\r\nX-Admin: yes' : 'fine')),
    );

    expect(failuresIn(result)).toEqual([1, 2, 3].map((index) => `${index} RecordError record.rejected`));
    expect(target.received.map(({ path }) => path)).toEqual(['/items/ok/k', '/items/last/k']);
  });

  test('refuses a record that is too large, and one that the endpoint refuses, with what it says', async () => {
    const target = await aTarget((response, { body }) =>
      body === 'bad' ? response.writeHead(422).end('no such\n customer') : response.end(),
    );
    const writer = await openHttp(target, { 'request.max.bytes': '5' });

    const result = await put(writer, valued('a', 'bad', '123456', 'b'));

    expect(failuresIn(result)).toEqual(['1 RecordError record.rejected', '2 RecordError record.too_large']);
    expect(result.failures[0]?.error.message).toBe(`${target.url} refuses it with HTTP 422: no such customer`);
    expect(target.received.map(({ body }) => body)).toEqual(['a', 'bad', 'b']);
  });

  test('keeps what was taken before an endpoint that stops answering, and says so in time', async () => {
    const target = await aTarget(inTurn(taken, taken, () => undefined));
    const writer = await openHttp(target);

    const result = await put(writer, valued('a', 'b', 'c', 'd'), { forMs: 400 });
    const again = await thrown(put(writer, valued('c', 'd'), { forMs: 400 }));

    expect([failuresIn(result), result.taken]).toEqual([['2 RetryableError target.timed_out'], 3]);
    expect(again).toMatchObject({ name: 'RetryableError', code: 'target.timed_out' });
    expect(target.received.map(({ body }) => body)).toEqual(['a', 'b', 'c', 'c']);
  });

  test('takes as many of a batch as a slow endpoint answers in the time of a put', async () => {
    const target = await aTarget((response) => void setTimeout(() => response.end(), 60));
    const writer = await openHttp(target);

    const result = await put(writer, valued(...Array.from({ length: 100 }, String)), { forMs: 400 });

    expect(result.failures).toEqual([]);
    expect(result.taken).toBe(target.received.length);
    expect(result.taken).toBeGreaterThan(1);
    expect(result.taken).toBeLessThan(8);
  });

  test('tries again after an answer that breaks off, for only a whole one says that all is well', async () => {
    const target = await aTarget((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half of it', () => void response.destroy());
    });
    const writer = await openHttp(target);

    expect(await thrown(put(writer, valued('a')))).toMatchObject({ name: 'RetryableError', code: 'target.unavailable' });
  });

  test('does not wait for the end of an answer that has none', async () => {
    let written = 0;
    const closed = Promise.withResolvers<void>();
    const target = await aTarget((response) => {
      const chunk = 'x'.repeat(16_384);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length;
      };
      response.on('drain', more);
      response.on('close', closed.resolve);
      more();
    });
    const writer = await openHttp(target);

    const result = await put(writer, valued('a'));
    await closed.promise;

    expect(result).toEqual({ failures: [], taken: 1 });
    expect(written).toBeLessThan(16 * 1_048_576);
  });

  test.each([
    ['seconds', { 'retry-after': '7' }, 7_000, 7_000],
    ['a date', { 'retry-after': new Date(Date.now() + 9_000).toUTCString() }, 5_000, 9_000],
    ['a date far away', { 'retry-after': new Date(Date.now() + DAY_MS).toUTCString() }, 3_600_000, 3_600_000],
    ['nothing', {}, 0, 0],
  ])('says how long to wait where a throttling endpoint names %s', async (_, headers, min, max) => {
    const target = await aTarget(status(429, { headers }));
    const writer = await openHttp(target);

    const error = await thrown(put(writer, valued('a', 'b')));

    expect(error).toMatchObject({ name: 'RetryableError', code: 'target.throttled' });
    expect((error as RetryableError).retryAfterMs).toBeGreaterThanOrEqual(min);
    expect((error as RetryableError).retryAfterMs).toBeLessThanOrEqual(max);
    expect(target.received).toHaveLength(1);
  });

  test.each([
    ['500', {}, 'RetryableError', 'target.unavailable'],
    ['408', {}, 'RetryableError', 'target.timed_out'],
    ['504', {}, 'RetryableError', 'target.timed_out'],
    ['503', { 'retry.on.status.codes': '429' }, 'refused', 'record.rejected'],
    ['404', { 'retry.on.status.codes': '404, 500-502' }, 'RetryableError', 'target.unavailable'],
    ['413', {}, 'refused', 'record.too_large'],
    ['401', {}, 'FatalTaskError', 'sink.unauthorized'],
    ['403', {}, 'FatalTaskError', 'sink.unauthorized'],
    ['302', {}, 'FatalTaskError', 'task.failed'],
  ])('knows what HTTP %s means (%j): %s %s', async (code, keys, name, errorCode) => {
    const target = await aTarget(status(Number(code), { headers: { location: 'http://127.0.0.1:9/elsewhere' } }));
    const writer = await openHttp(target, keys as Record<string, string>);

    const answer = await put(writer, valued('a')).catch((error: unknown) => error);

    if (name === 'refused') expect(answer).toMatchObject({ failures: [{ index: 0, error: { code: errorCode } }] });
    else expect(answer).toMatchObject({ name, code: errorCode });
  });

  test('keeps what was taken before the credentials were refused', async () => {
    const target = await aTarget(inTurn(taken, taken, status(401)));
    const writer = await openHttp(target);

    const result = await put(writer, valued('a', 'b', 'c', 'd'));

    expect(result).toEqual({ failures: [], taken: 2 });
    await expect(put(writer, valued('c', 'd'))).rejects.toBeInstanceOf(FatalTaskError);
  });

  test.each([
    ['fail', ['1 RecordError record.rejected'], ['POST a', 'POST b']],
    ['ignore', [], ['POST a', 'POST b']],
    ['delete', [], ['POST a', 'DELETE ', 'POST b']],
  ] as const)('a record without a value: %s', async (behavior, failures, requests) => {
    const target = await aTarget();
    const writer = await openHttp(target, {
      'http.url': `${target.url}/items/\${key}`,
      'behavior.on.null.values': behavior,
    });

    const result = await put(writer, valued('a', null, 'b'));

    expect(failuresIn(result)).toEqual(failures);
    expect(target.received.map(({ method, body }) => `${method} ${body}`)).toEqual(requests);
    if (behavior === 'delete') expect(target.received[1]?.path).toBe('/items/gone');
  });
});

describe('httpSink, deletions', () => {
  test.each([404, 410])(
    'what is gone already (HTTP %i) is deleted, and what is refused for another reason is not',
    async (gone) => {
      const target = await aTarget(inTurn(status(gone), status(409), taken));
      const writer = await openHttp(target, { 'http.url': `${target.url}/\${key}`, 'behavior.on.null.values': 'delete' });

      const result = await put(writer, valued(null, null, null));

      expect(failuresIn(result)).toEqual(['1 RecordError record.rejected']);
    },
  );
});

describe('httpSink, several requests at once', () => {
  test('sends so many at once and no more, and those of one key one after the other', async () => {
    const running = new Set<string>();
    let most = 0;
    const together: string[] = [];
    const target = await aTarget((response, { body }) => {
      const key = body.charAt(0);
      if (running.has(key)) together.push(body);
      running.add(key);
      most = Math.max(most, running.size);
      setTimeout(() => {
        running.delete(key);
        response.end();
      }, 5);
    });
    const writer = await openHttp(target, { 'http.concurrency': '3' });
    const records = valued(...Array.from({ length: 40 }, (_, index) => `${'abcde'.charAt(index % 5)}${index}`)).map((record) =>
      record.with({ key: textDatum(String(record.value).charAt(0)) }),
    );

    const result = await put(writer, records);

    expect([result.failures, together, most]).toEqual([[], [], 3]);
    for (const key of 'abcde') {
      const numbers = target.received.filter(({ body }) => body.startsWith(key)).map(({ body }) => Number(body.slice(1)));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });

  test('starts nothing more once a record has to be tried again, and nothing of its key', async () => {
    const target = await aTarget((response, { body }) => void response.writeHead(body === 'b' ? 503 : 200).end());
    const writer = await openHttp(target, { 'http.concurrency': '2' });

    const result = await put(writer, valued('a', 'b', ...Array.from({ length: 30 }, String)));

    expect(failuresIn(result)).toEqual(['1 RetryableError target.unavailable']);
    expect(result.taken).toBe(target.received.length);
    expect(target.received.length).toBeLessThan(6);
  });
});

describe('httpSink, credentials', () => {
  test.each([
    [
      'static',
      { 'http.headers.authorization': 'secret-key-1', 'http.authorization.header': 'X-Api-Key' },
      'x-api-key',
      'secret-key-1',
    ],
    ['basic', { 'connection.user': 'me', 'connection.password': 'pass-word' }, 'authorization', 'Basic bWU6cGFzcy13b3Jk'],
    ['bearer', { 'bearer.token': 'token-token' }, 'authorization', 'Bearer token-token'],
  ])('sends them: %s; and hides them where an endpoint gives them back', async (type, keys, header, value) => {
    const target = await aTarget(
      (response, { headers }) => void response.writeHead(400).end(`I got ${headers[header]} from you`),
    );
    const writer = await openHttp(target, { 'http.authorization.type': type, ...keys });

    const { failures } = await put(writer, valued('a'));

    expect(target.received[0]?.headers[header]).toBe(value);
    expect(failures[0]?.error.message).toMatch(/^http:\/\/\S+ refuses it with HTTP 400: I got .*\[hidden\] from you$/);
    expect(failures[0]?.error.message).not.toContain(value.split(' ').at(-1));
  });

  test('shows nothing of a URL but its host', async () => {
    const target = await aTarget((response, { path }) => void response.writeHead(404).end(`Cannot POST ${path}`));
    const writer = await openHttp(target, { 'http.url': `${target.url}/hooks/T0123/s3cr3t?key=more` });

    const { failures } = await put(writer, valued('a'));
    await target.stop();
    const error = await thrown(put(writer, valued('a')));

    expect(failures[0]?.error.message).toBe(`${target.url} refuses it with HTTP 404: Cannot POST [hidden]`);
    expect(String(error)).toContain('ECONNREFUSED');
    expect(String(error)).not.toContain('s3cr3t');
  });
});

describe('httpSink with OAuth2', () => {
  test('fetches one token for all, also where many ask at once', async () => {
    const { target, tokens, keys } = await secured({});
    const writer = await openHttp(target, { ...keys, 'http.concurrency': '8', 'oauth2.client.scope': 'a b' });

    await put(writer, valued(...Array.from({ length: 20 }, String)));
    await put(writer, valued('more'));

    expect(tokens.received).toMatchObject([
      {
        method: 'POST',
        body: 'grant_type=client_credentials&scope=a+b',
        headers: { authorization: 'Basic bWU6Y2xpZW50LXNlY3JldA==' },
      },
    ]);
    expect(target.received).toHaveLength(21);
  });

  test('sends id and secret beside the grant where it is told to', async () => {
    const { target, tokens, keys } = await secured({});
    const writer = await openHttp(target, { ...keys, 'oauth2.client.authorization.mode': 'URL' });

    await put(writer, valued('a'));

    expect(tokens.received[0]?.body).toBe('grant_type=client_credentials&client_id=me&client_secret=client-secret');
    expect(tokens.received[0]?.headers).not.toHaveProperty('authorization');
  });

  test('fetches another before a token ends', async () => {
    const { target, tokens, keys } = await secured({ expiresInS: 100 });
    let nowMs = 0;
    const { systemClock } = await import('../../adapters/system.ts');
    const writer = await openHttp(target, keys, { clock: { ...systemClock, nowMs: () => nowMs } });

    const fetched: number[] = [];
    for (nowMs of [0, 69_000, 71_000, 72_000]) {
      await put(writer, valued('a'));
      fetched.push(tokens.received.length);
    }

    expect(fetched).toEqual([1, 1, 2, 2]);
  });

  test('fetches another where one is refused, once for all who were refused, and sends the record again', async () => {
    const { target, tokens, keys, revoke } = await secured({});
    const writer = await openHttp(target, { ...keys, 'http.concurrency': '4' });
    await put(writer, valued('before'));
    revoke();

    const result = await put(writer, valued('a', 'b', 'c', 'd'));

    expect(result.failures).toEqual([]);
    expect(tokens.received).toHaveLength(2);
  });

  test('fails the shard where the new token is refused, too', async () => {
    const { target, tokens, keys } = await secured({});
    target.answer = status(401);
    const writer = await openHttp(target, keys);

    const error = await thrown(put(writer, valued('a')));

    expect(error).toMatchObject({ name: 'FatalTaskError', code: 'sink.unauthorized' });
    expect([target.received.length, tokens.received.length]).toEqual([2, 2]);
  });

  test.each([
    ['refuses the client', status(401, { body: '{"error":"client-secret is wrong"}' }), 'FatalTaskError', 'sink.unauthorized'],
    ['answers without a token', status(200, { body: '{"token":"x"}' }), 'FatalTaskError', 'sink.unauthorized'],
    [
      'answers with a token that is two headers',
      status(200, { body: '{"access_token":"x\\r\\nX-Admin: 1"}' }),
      'FatalTaskError',
      'sink.unauthorized',
    ],
    ['is unwell', status(503), 'RetryableError', 'target.unavailable'],
    ['throttles', status(429, { headers: { 'retry-after': '3' } }), 'RetryableError', 'target.throttled'],
    ['breaks off', (response) => void response.destroy(), 'RetryableError', 'target.unavailable'],
  ] as const satisfies readonly (readonly [string, Answer, string, string])[])(
    'says what is wrong where the token endpoint %s, and no secret',
    async (_, answer, name, code) => {
      const { target, tokens, keys } = await secured({});
      tokens.answer = answer;
      const writer = await openHttp(target, keys);

      const error = await thrown(put(writer, valued('a')));

      expect(error).toMatchObject({ name, code });
      expect(JSON.stringify([error, String(error)])).not.toContain('client-secret');
      expect(target.received).toEqual([]);
    },
  );
});

/** A target that takes only the newest token of a token endpoint. */
async function secured({ expiresInS }: { readonly expiresInS?: number }) {
  let issued = 0;
  let revoked = 0;
  const tokens = await aTarget((response) => {
    issued += 1;
    response.end(JSON.stringify({ access_token: `token-${issued}`, token_type: 'Bearer', expires_in: expiresInS }));
  });
  const target = await aTarget((response, { headers }) => {
    const [, number = '0'] = /^Bearer token-(\d+)$/.exec(headers.authorization ?? '') ?? [];
    response.writeHead(Number(number) > revoked ? 200 : 401).end();
  });
  return {
    target,
    tokens,
    revoke: () => {
      revoked = issued;
    },
    keys: {
      'http.authorization.type': 'oauth2',
      'oauth2.access.token.url': `${tokens.url}/token`,
      'oauth2.client.id': 'me',
      'oauth2.client.secret': 'client-secret',
    },
  };
}
