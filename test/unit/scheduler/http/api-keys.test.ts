import { describe, expect, test } from 'vitest';
import type { AppDeps } from '../../../../scheduler/app-deps.ts';
import { anApi, type TestApi } from '../../../support/api.ts';
import { API_KEYS, basic, bearer, keyOf, ROLES } from '../../../support/api-keys.ts';
import { openApiOf } from '../../../support/openapi-answers.ts';
import { vaultSink } from '../../../support/vault-sink.ts';

const CONFIG = '/connectors/vault/config';
const VAULT = { 'connector.class': 'vault-sink', topics: 'orders', address: 'here', token: 'open sesame' };

describe('the API of a server with keys', () => {
  test('has a role for every route', async () => {
    const { app } = anApi();

    const routes = await routesOf(app);

    expect(namesOf(routes, 'anyone')).toEqual(['GET /health']);
    expect(namesOf(routes, 'operate')).toEqual([
      'DELETE /connectors/{connector}/offsets',
      'GET /sortie/v1/topics/{topic}/records',
      'PATCH /connectors/{connector}/offsets',
      'POST /connectors/{connector}/restart',
      'POST /connectors/{connector}/tasks/{task}/restart',
      'POST /sortie/v1/connectors/{connector}/runs',
      'PUT /admin/loggers/{logger}',
      'PUT /connectors/{connector}/pause',
      'PUT /connectors/{connector}/resume',
      'PUT /connectors/{connector}/stop',
      'PUT /connectors/{connector}/topics/reset',
    ]);
    expect(namesOf(routes, 'configure')).toEqual([
      'DELETE /connectors/{connector}',
      'PATCH /connectors/{connector}/config',
      'POST /connectors',
      'POST /sortie/v1/topics/{topic}/records',
      'PUT /connectors/{connector}/config',
    ]);
    // All others: none of them changes anything.
    expect(namesOf(routes, 'read').filter((route) => !route.startsWith('GET '))).toEqual([
      'PUT /connector-plugins/{plugin}/config/validate',
    ]);
  });

  test('answers, on every route, whoever has its role or more, and nobody else', async () => {
    const { app } = aGuardedApi();
    const routes = (await routesOf(anApi().app)).filter(({ role, path }) => role !== 'anyone' && path !== '/sortie/v1/events');

    const answers = await Promise.all(
      routes.flatMap(({ method, path, role }) =>
        [...ROLES, null].map(async (own) => {
          const headers = own === null ? {} : bearer(keyOf(own));
          const { status } = await app.request(path.replaceAll(/[{}]/g, ''), { method, headers });
          const mayAsk = own !== null && ROLES.indexOf(own) >= ROLES.indexOf(role as (typeof ROLES)[number]);
          return { asked: `${method} ${path} as ${own}`, status: [401, 403].includes(status) ? status : 'answered', mayAsk };
        }),
      ),
    );

    const wrong = answers.filter(({ asked, status, mayAsk }) => {
      const refusal = asked.endsWith('as null') ? 401 : 403;
      return status !== (mayAsk ? 'answered' : refusal);
    });
    expect(wrong).toEqual([]);
  });

  test('tells anyone whether it is well', async () => {
    const { status } = await aGuardedApi().ask('GET', '/health');

    expect(status).toBe(200);
  });

  test.each([
    ['no key', {}],
    ['another key', bearer('sortie_guessed')],
    ['an empty one', { authorization: 'Bearer ' }],
    ['the name of a key', basic('read', 'read')],
    ['a key under another name', basic('operate', keyOf('read'))],
    ['what is no base64', { authorization: 'Basic !!' }],
    ['a scheme that is none', { authorization: `Digest ${keyOf('read')}` }],
  ])('refuses %s', async (_, headers) => {
    const { status, body, headers: answered } = await aGuardedApi().ask('GET', '/connectors', { headers });

    expect({ status, body }).toEqual({
      status: 401,
      body: { error_code: 401, message: 'This needs an API key that is known here' },
    });
    expect(answered.get('www-authenticate')).toBe('Bearer realm="sortie", Basic realm="sortie"');
  });

  test.each([
    ['a bearer token', bearer(keyOf('read'))],
    ['a bearer token, in any case', { authorization: `bEARER ${keyOf('read')}` }],
    ['the password of Basic', basic('read', keyOf('read'))],
  ])('takes a key as %s', async (_, headers) => {
    const { status } = await aGuardedApi().ask('GET', '/connectors', { headers });

    expect(status).toBe(200);
  });

  test('takes no password where somebody between could read it', async () => {
    const { ask } = anApi({ deps: { access: { keys: API_KEYS, takesBasic: false } } });

    const { status, body, headers } = await ask('GET', '/connectors', { headers: basic('read', keyOf('read')) });

    expect({ status, body }).toEqual({
      status: 401,
      body: { error_code: 401, message: 'Basic is taken over TLS only; send the key as a bearer token' },
    });
    expect(headers.get('www-authenticate')).toBe('Bearer realm="sortie"');
  });

  test('says which role is missing', async () => {
    const { body } = await aGuardedApi().ask('PUT', CONFIG, { body: VAULT, headers: bearer(keyOf('operate')) });

    expect(body).toEqual({ error_code: 403, message: 'This needs a key that may configure; operate may operate' });
  });

  test('reads nothing of the body of whoever may not send one', async () => {
    const read: string[] = [];
    const pull = (): void => void read.push('chunk');
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });

    const { status } = await aGuardedApi().app.request('/connectors', { method: 'POST', body, duplex: 'half' } as RequestInit);

    expect(status).toBe(401);
    expect(read).toEqual([]);
  });

  test('shows a secret to whoever may set it', async () => {
    const { ask } = aGuardedApi();
    await ask('PUT', CONFIG, { body: VAULT, headers: bearer(keyOf('configure')) });

    const tokens = await Promise.all(
      ROLES.map(async (role) => (await ask('GET', CONFIG, { headers: bearer(keyOf(role)) })).body as { token: string }),
    );

    expect(tokens.map(({ token }) => token)).toEqual(['[hidden]', '[hidden]', 'open sesame']);
  });

  test('is reached by any name', async () => {
    const { app } = aGuardedApi();

    const { status } = await app.request('https://sortie.example/connectors', { headers: bearer(keyOf('read')) });

    expect(status).toBe(200);
  });
});

function aGuardedApi(): TestApi {
  const deps: Partial<AppDeps> = { access: { keys: API_KEYS, takesBasic: true } };
  return anApi({ plugins: [vaultSink], deps });
}

interface ListedRoute {
  readonly method: string;
  readonly path: string;
  readonly role: string;
}

async function routesOf(app: TestApi['app']): Promise<readonly ListedRoute[]> {
  const { paths } = await openApiOf(app);
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => {
      const [first] = security as readonly { readonly key: readonly string[] }[];
      return { method: method.toUpperCase(), path, role: first?.key[0] ?? 'anyone' };
    }),
  );
}

function namesOf(routes: readonly ListedRoute[], wanted: string): readonly string[] {
  return routes.flatMap(({ method, path, role }) => (role === wanted ? `${method} ${path}` : [])).sort();
}
