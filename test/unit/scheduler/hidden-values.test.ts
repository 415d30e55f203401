import { describe, expect, test } from 'vitest';
import { type ApiAnswer, anApi, type TestApi } from '../../support/api.ts';
import { vaultSink } from '../../support/vault-sink.ts';

const SECRET = 'open sesame';
const VAULT = { 'connector.class': 'vault-sink', topics: 'orders', address: 'here', token: SECRET };
const CONFIG = '/connectors/vault/config';

describe('the API, of a connector with a secret', () => {
  test('tells it where the configuration itself is asked for, and nowhere else', async () => {
    const api = await aVault();
    const read = [
      '/connectors/vault',
      '/connectors?expand=info&expand=status',
      '/connectors/vault/tasks',
      '/connectors/vault/status',
    ];

    const answers = [
      await api.ask('POST', '/connectors', { body: { name: 'other', config: VAULT } }),
      await api.ask('PUT', CONFIG, { body: { ...VAULT, address: 'there' } }),
      await api.ask('PATCH', CONFIG, { body: { address: 'elsewhere' } }),
      ...(await Promise.all(read.map((path) => api.ask('GET', path)))),
    ];

    const configuration = await api.ask('GET', CONFIG);
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200, 200, 200, 200]);
    expect(answers.filter(({ body }) => JSON.stringify(body).includes(SECRET))).toEqual([]);
    expect(configuration.body).toMatchObject({ token: SECRET });
  });

  test.each([
    ['PUT', { ...VAULT, address: 'there', token: '[hidden]' }],
    ['PATCH', { address: 'there', token: '[hidden]' }],
    ['PATCH', { address: 'there' }],
  ])('keeps it where %s says %j', async (method, body) => {
    const api = await aVault();

    const { status } = await api.ask(method, CONFIG, { body });

    expect(status).toBe(200);
    expect((await api.connector('vault')).config).toMatchObject({ address: 'there', token: SECRET });
  });

  test('takes another one', async () => {
    const api = await aVault();

    await api.ask('PATCH', CONFIG, { body: { token: 'abracadabra' } });

    expect((await api.connector('vault')).config).toMatchObject({ token: 'abracadabra' });
  });

  test('takes what is no secret as it is written', async () => {
    const api = await aVault();

    await api.ask('PATCH', CONFIG, { body: { address: '[hidden]' } });

    expect((await api.connector('vault')).config).toMatchObject({ address: '[hidden]' });
  });

  test.each<[string, (api: TestApi) => Promise<ApiAnswer>]>([
    ['a new connector', ({ ask }) => ask('PUT', '/connectors/new/config', { body: { ...VAULT, token: '[hidden]' } })],
    ['POST', ({ ask }) => ask('POST', '/connectors', { body: { name: 'new', config: { ...VAULT, token: '[hidden]' } } })],
  ])('refuses to keep what is not there: %s', async (_, send) => {
    const api = await aVault();

    const { status, body } = await send(api);

    expect(status).toBe(400);
    expect(body).toMatchObject({ message: expect.stringContaining('token: [hidden] stands for the value that is stored') });
  });
});

describe('what counts as secret', () => {
  test.each([
    ['a key that no plugin knows, by its name', { 'producer.override.sasl.jaas.config': SECRET }],
    [
      'a key that a transform does not know, by its name',
      { transforms: 't', 'transforms.t.type': 'filter', 'transforms.t.api-key': SECRET },
    ],
  ])('%s', async (_, keys) => {
    const api = anApi({ plugins: [vaultSink] });

    const { body } = await api.ask('PUT', '/connector-plugins/vault-sink/config/validate', { body: { ...VAULT, ...keys } });

    expect(JSON.stringify(body)).not.toContain(SECRET);
  });
});

async function aVault(): Promise<TestApi> {
  const api = anApi({ plugins: [vaultSink] });
  await api.ask('PUT', CONFIG, { body: VAULT });
  return api;
}
