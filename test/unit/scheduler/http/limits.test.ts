import { describe, expect, test, vi } from 'vitest';
import { anApi } from '../../../support/api.ts';

const VALIDATE = '/connector-plugins/discard-sink/config/validate';
const DROP = { 'connector.class': 'discard-sink', topics: 'orders' };

describe('a request', () => {
  test('is answered where what it asks does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const never = (): Promise<never> => new Promise(() => undefined);
    const { ask } = anApi({ deps: { store: { get: never, put: never, list: never, delete: never } } });
    const asked = ask('GET', '/connectors');

    vi.advanceTimersByTime(90_000);
    const { status, body } = await asked;
    vi.useRealTimers();

    expect({ status, body }).toEqual({ status: 504, body: { error_code: 504, message: 'Request timed out after 90000 ms' } });
  });

  test.each([
    ['as deep as may be', 128, 'body: must be an object'],
    ['deeper', 129, 'The body of the request nests more than 128 deep'],
  ])('nests %s, not counting what is in strings', async (_, depth, message) => {
    const body = `${'['.repeat(depth)}"[[[\\"]]"${']'.repeat(depth)}`;

    const answer = await anApi().ask('PUT', VALIDATE, { body });

    expect(answer).toMatchObject({ status: 400, body: { message } });
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString'])('changes nothing of all objects by a key %s', async (key) => {
    const { ask } = anApi();
    const body = `{ "name": "drop", "config": { "connector.class": "discard-sink", "topics": "orders", "${key}": "a" } }`;

    const created = await ask('POST', '/connectors', { body });
    const nested = await ask('POST', '/connectors', { body: `{ "${key}": { "polluted": "yes" }, "name": "a", "config": {} }` });

    expect([created.status, nested.status]).toEqual([400, 400]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test('finds no plugin by the name of something that all objects have', async () => {
    const { ask } = anApi();

    const classes = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const answers = await Promise.all(
      classes.map((name) => ask('PUT', VALIDATE, { body: { ...DROP, 'connector.class': name } })),
    );

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  });

  test('is answered by what no cache keeps and no browser guesses', async () => {
    const { ask } = anApi();

    const answers = [await ask('GET', '/connectors'), await ask('GET', '/nowhere')];

    expect(answers.map(({ headers }) => [headers.get('cache-control'), headers.get('x-content-type-options')])).toEqual([
      ['no-store', 'nosniff'],
      ['no-store', 'nosniff'],
    ]);
  });
});
