import { describe, expect, test } from 'vitest';
import { registry } from '../../../plugins/registry.ts';
import { secretKeysOf } from '../../../plugins/secret-keys.ts';

const HTTP = { 'http.headers.authorization': 'a', 'connection.password': 'b', 'http.url': 'https://host' };

describe('secretKeysOf', () => {
  test("are a plugin's passwords, also behind a prefix", async () => {
    const sink = { 'connector.class': 'http-sink', topics: 't', ...HTTP };
    const direct = {
      'connector.class': 'datagen-source',
      'sink.connector.class': 'http-sink',
      ...Object.fromEntries(Object.entries(HTTP).map(([key, value]) => [`sink.${key}`, value])),
    };

    expect(await secretKeysOf(registry, sink)).toEqual(new Set(['http.headers.authorization', 'connection.password']));
    expect(await secretKeysOf(registry, direct)).toEqual(
      new Set(['sink.http.headers.authorization', 'sink.connection.password']),
    );
  });

  test.each(['ssl.keystore.passwd', 'sasl.jaas.config', 'aws.secret', 'access_key', 'X-Api-Key', 'Proxy-Authorization'])(
    'a key that nobody knows is one by its name: %s',
    async (key) => {
      const config = { 'connector.class': 'discard-sink', topics: 't', [key]: 'a', 'aws.region': 'b' };

      expect(await secretKeysOf(registry, config)).toEqual(new Set([key]));
    },
  );

  test("of a connector that nobody knows, all are but the runtime's own", async () => {
    const config = { 'connector.class': 'gone-sink', topics: 't', address: 'a' };

    expect(await secretKeysOf(registry, config)).toEqual(new Set(['address']));
  });

  test.each(['__proto__', 'constructor', 'toString'])('a key called %s is a key like others', async (key) => {
    const config = JSON.parse(`{ "connector.class": "discard-sink", "transforms.${key}.type": "${key}", "${key}": "a" }`);

    expect(await secretKeysOf(registry, config)).toEqual(new Set());
  });
});
