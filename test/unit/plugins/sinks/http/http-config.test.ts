import { describe, expect, test } from 'vitest';
import { HttpSinkConfig } from '../../../../../plugins/sinks/http/http-config.ts';

const URL_KEY = { 'http.url': 'https://example.com/orders' };

describe('HttpSinkConfig', () => {
  test.each([
    ['ftp://example.com/', 'must begin with http:// or https://'],
    ['example.com/orders', 'must be a URL, such as https://example.com/orders'],
    ['https://me:secret@example.com/', 'must not hold credentials: name them by http.authorization.type'],
    ['https://${header.host}/', 'must be a URL, such as https://example.com/orders'],
    ['https://example.${topic}/', 'must name scheme, host and port without a placeholder'],
    ['https://example.com:${partition}/', 'must name scheme, host and port without a placeholder'],
    ['https://example.com${key}', 'must name scheme, host and port without a placeholder'],
    ['https://example.com/a/../${key}', 'must not have . or .. in its path'],
    ['https://example.com/${key', 'has a ${ without its }'],
  ])('refuses the URL %s', (url, message) => {
    expect(issuesOf({ 'http.url': url })).toEqual([['http.url', message]]);
  });

  test.each(['${env:TOKEN}', '${header.a:b}', '${name}', '${value}', '${key.}', '${}', '${__proto__}'])(
    'refuses the placeholder %s',
    (placeholder) => {
      const [issue] = issuesOf({ 'http.url': `https://example.com/${placeholder}` });

      expect(issue?.[1]).toContain(`has a placeholder ${placeholder} that is none of \${topic}, `);
    },
  );

  test.each(['no-colon', 'a b: c', ': c', 'Host: x', 'content-length: 1', 'X-A: line\nbreak', 'X-A: 漢字', 'X-A: ${nothing}'])(
    'refuses the additional header %j',
    (header) => {
      expect(issuesOf({ ...URL_KEY, 'http.headers.additional': `X-Fine: 1, ${header}` }).map(([key]) => key)).toEqual([
        'http.headers.additional',
      ]);
    },
  );

  test.each(['200', '399', '600', '500-499', '4xx', ',', '-500', '400-500-600'])('refuses the status codes %j', (codes) => {
    expect(issuesOf({ ...URL_KEY, 'retry.on.status.codes': codes }).map(([key]) => key)).toEqual(['retry.on.status.codes']);
  });

  test.each([
    [{ 'http.authorization.type': 'basic' }, ['connection.user', 'connection.password']],
    [{ 'http.authorization.type': 'bearer' }, ['bearer.token']],
    [{ 'http.authorization.type': 'static' }, ['http.headers.authorization']],
    [{ 'http.authorization.type': 'oauth2' }, ['oauth2.access.token.url', 'oauth2.client.id', 'oauth2.client.secret']],
    [{ 'batching.enabled': 'true', 'http.concurrency': '2' }, ['http.concurrency']],
    [{ 'behavior.on.null.values': 'delete' }, ['http.url']],
    [{ 'behavior.on.null.values': 'delete', 'batching.enabled': 'true' }, ['behavior.on.null.values', 'http.url']],
    [{ 'http.headers.additional': 'X-A: 1, x-a: 2' }, ['http.headers.additional']],
    [{ 'http.headers.additional': 'idempotency-key: 1' }, ['http.headers.additional']],
    [{ 'http.headers.additional': 'Content-Type: text/plain' }, ['http.headers.additional']],
    [
      { 'http.headers.additional': 'authorization: 1', 'http.authorization.type': 'bearer', 'bearer.token': 't' },
      ['http.headers.additional'],
    ],
    [{ 'batch.prefix': '\\x' }, ['batch.prefix']],
    [{ 'http.headers.content.type': 'text/plain\r\nX-Admin: 1' }, ['http.headers.content.type']],
    [{ 'bearer.token': 'a\nb', 'http.authorization.type': 'bearer' }, ['bearer.token']],
    [{ 'idempotency.key.header': 'Host' }, ['idempotency.key.header']],
  ])('names what is missing or does not go together: %j', (keys, wrong) => {
    expect(issuesOf({ ...URL_KEY, ...keys }).map(([key]) => key)).toEqual(wrong);
  });

  test('says nothing of a secret that it refuses', () => {
    expect(
      JSON.stringify(issuesOf({ ...URL_KEY, 'bearer.token': 's3cr3t\n', 'connection.password': 's3cr3t\u0000' })),
    ).not.toContain('s3cr3t');
  });
});

function issuesOf(config: Readonly<Record<string, string>>): readonly (readonly [key: string, message: string])[] {
  const { error } = HttpSinkConfig.safeParse(config);
  return (error?.issues ?? []).map(({ path, message }) => [path.join('.'), message]);
}
