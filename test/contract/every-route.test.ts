/** What every route answers in the same way, whatever it is for: who may ask, what a path and a body may be, what is away. */
import { describe, expect, test, vi } from 'vitest';
import { RetryableError } from '../../core/errors.ts';
import { type ApiAnswer, anApi, type RequestParts, type TestApi } from '../support/api.ts';
import { API_KEYS, bearer, keyOf, ROLES } from '../support/api-keys.ts';
import { memorySink } from '../support/memory-sink.ts';
import { memoryTarget } from '../support/memory-target.ts';
import { openApiOf } from '../support/openapi-answers.ts';
import { error, ORDERS, storeThat } from './kafka-connect/situation.ts';

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly role: (typeof ROLES)[number] | null;
  readonly takesBody: boolean;
  readonly demandsBody: boolean;
}

const { paths } = await openApiOf(anApi().app);

/** But for the one whose answer never ends: `events.test.ts` has it. */
const operations: readonly Operation[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(() => path !== '/sortie/v1/events')
    .map(([method, operation]) => {
      const { security, requestBody } = operation as unknown as Described;
      return {
        method: method.toUpperCase(),
        path,
        role: security[0]?.key[0] ?? null,
        takesBody: requestBody !== undefined,
        demandsBody: requestBody?.required === true,
      };
    }),
);

interface Described {
  readonly security: readonly { readonly key: readonly (typeof ROLES)[number][] }[];
  readonly requestBody?: { readonly required: boolean };
}

const NAMES: Readonly<Record<string, string>> = {
  connector: 'orders',
  task: '0',
  plugin: 'memory-append',
  logger: 'root',
  topic: 'orders',
};

/** With names of what is there. */
function pathOf({ path }: Operation, names: Readonly<Record<string, string>> = {}): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, part: string) => encodeURIComponent(names[part] ?? NAMES[part] ?? ''));
}

const BODIES: Readonly<Record<string, unknown>> = {
  'POST /connectors': { name: 'new', config: ORDERS },
  'PUT /connectors/{connector}/config': ORDERS,
  'PATCH /connectors/{connector}/config': {},
  'PATCH /connectors/{connector}/offsets': {
    offsets: [{ partition: { kafka_topic: 'orders', kafka_partition: 0 }, offset: { kafka_offset: 0 } }],
  },
  'PUT /connector-plugins/{plugin}/config/validate': ORDERS,
  'PUT /admin/loggers/{logger}': { level: 'INFO' },
  'POST /sortie/v1/topics/{topic}/records': { value: 'a' },
};

/** What is right to send. */
function rightOf({ method, path }: Operation): RequestParts {
  const body = BODIES[`${method} ${path}`];
  return body === undefined ? {} : { body };
}

/** A connector of this name has read a queue. */
async function aServer(name = 'orders'): Promise<TestApi> {
  const api = anApi({ plugins: [memorySink(memoryTarget('append'))] });
  api.log.createTopic('orders', { queues: 1 });
  await api.ask('PUT', `/connectors/${encodeURIComponent(name)}/config`, { body: ORDERS });
  await api.run(name);
  return api;
}

function exactly({ status, body }: ApiAnswer): Pick<ApiAnswer, 'status' | 'body'> {
  return { status, body };
}

function each(those: (operation: Operation) => boolean = () => true): [string, Operation][] {
  return operations.filter(those).map((operation) => [`${operation.method} ${operation.path}`, operation]);
}

describe('a route, and who asks', () => {
  test.each(each(({ role }) => role !== null))('%s: without a key 401, with less than its role 403', async (_, operation) => {
    const { method, role } = operation;
    const { ask } = anApi({ deps: { access: { keys: API_KEYS, takesBasic: true } } });

    const without = await ask(method, pathOf(operation));

    expect(exactly(without)).toEqual(error(401, 'This needs an API key that is known here'));
    expect(without.headers.get('www-authenticate')).toBe('Bearer realm="sortie", Basic realm="sortie"');
    for (const less of ROLES.slice(0, ROLES.indexOf(role ?? 'read'))) {
      const forbidden = await ask(method, pathOf(operation), { headers: bearer(keyOf(less)) });
      expect(exactly(forbidden)).toEqual(error(403, `This needs a key that may ${role}; ${less} may ${less}`));
    }
  });

  test.each(each(({ method }) => method !== 'GET'))('%s: for a page of another site 403', async (_, operation) => {
    const headers = { origin: 'http://elsewhere.example' };

    const answer = await anApi().ask(operation.method, pathOf(operation), { headers });

    expect(exactly(answer)).toEqual(error(403, 'A page of another site (http://elsewhere.example) may change nothing here'));
  });
});

describe('a route, and its path', () => {
  test.each(Object.entries(paths).map(([path, methods]) => [path, Object.keys(methods)] as const))(
    '%s: no other methods',
    async (path, documented) => {
      const methods = documented.map((method) => method.toUpperCase());
      const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter((method) => !methods.includes(method));
      const { ask } = anApi();

      const answers = await Promise.all(others.map((method) => ask(method, path.replaceAll(/[{}]/g, ''))));

      const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method)).join(', ');
      for (const answer of answers) {
        expect(exactly(answer)).toEqual(error(405, 'HTTP 405 Method Not Allowed'));
        expect(answer.headers.get('allow')).toBe(allow);
      }
    },
  );

  test.each(each(({ path }) => path !== '/'))('%s: with a slash behind the same', async (_, operation) => {
    const { method } = operation;
    const plain = await (await aServer()).ask(method, pathOf(operation), rightOf(operation));

    const sloppy = await (await aServer()).ask(method, `${pathOf(operation)}/`, rightOf(operation));

    expect(exactly(sloppy)).toEqual(exactly(plain));
    expect(plain.status).not.toBe(404);
  });

  test.each(each(({ path }) => path.includes('{connector}')))('%s: of any name', async (_, operation) => {
    const { method } = operation;
    const plain = await (await aServer()).ask(method, pathOf(operation), rightOf(operation));

    for (const connector of ['new orders', 'заказы 🚚', 'a/b', 'a\\b', '100%', 'a%2Fb', 'a+b', 'a?b#c;d', '...']) {
      const named = await (await aServer(connector)).ask(method, pathOf(operation, { connector }), rightOf(operation));
      expect([connector, named.status]).toEqual([connector, plain.status]);
    }
  });

  test.each(each(({ method }) => method === 'GET'))('%s: its head', async (_, operation) => {
    const { app } = await aServer();

    const [head, whole] = [
      await app.request(pathOf(operation), { method: 'HEAD' }),
      await app.request(pathOf(operation), { method: 'GET' }),
    ];

    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
      whole.status,
      whole.headers.get('content-type'),
      '',
    ]);
  });
});

const NO_JSON = error(400, 'The body of the request is not JSON');

describe('a route, and its body', () => {
  test.each(each(({ takesBody }) => takesBody))('%s: what is no JSON', async (_, operation) => {
    const { ask } = await aServer();
    const send = async (body: string, type = 'application/json') =>
      exactly(await ask(operation.method, pathOf(operation), { body, headers: { 'content-type': type } }));

    const unsupported = error(415, 'HTTP 415 Unsupported Media Type; send JSON, with Content-Type: application/json');
    expect(await send('{}', 'text/plain')).toEqual(unsupported);
    expect(await send('a=b', 'application/x-www-form-urlencoded')).toEqual(unsupported);
    expect(await send('{"a":')).toEqual(NO_JSON);
    expect(await send("{'a':1}")).toEqual(NO_JSON);
    expect(await send('{"a":1}}')).toEqual(NO_JSON);
    expect(await send(`"${'a'.repeat(1_048_576)}"`)).toEqual(error(413, 'The body of the request has more than 1048576 bytes'));
    expect(await send('['.repeat(129))).toEqual(error(400, 'The body of the request nests more than 128 deep'));
  });

  test.each(each(({ demandsBody }) => demandsBody))('%s: none, and of another kind', async (_, operation) => {
    const { ask } = await aServer();
    const send = async (body: string) => exactly(await ask(operation.method, pathOf(operation), { body }));

    const expected = operation.path.endsWith('/records') ? 'body: must be an object or a list' : 'body: must be an object';
    expect(await send(' ')).toEqual(error(400, 'The request has no body; it needs one of JSON'));
    for (const other of ['null', '7', '"text"', 'true']) expect(await send(other)).toEqual(error(400, expected));
  });

  test.each(each(({ takesBody, method }) => !takesBody && method !== 'GET'))(
    '%s: anything where none is read',
    async (_, operation) => {
      const { method } = operation;
      const plain = await (await aServer()).ask(method, pathOf(operation));

      for (const type of ['application/json', 'text/plain', '']) {
        const parts = { body: '{"a":', headers: { 'content-type': type } };
        const sloppy = await (await aServer()).ask(method, pathOf(operation), parts);
        expect(exactly(sloppy)).toEqual(exactly(plain));
      }
    },
  );

  test.each(each(({ takesBody }) => takesBody))('%s: of no type', async (_, operation) => {
    const { method } = operation;
    const plain = await (await aServer()).ask(method, pathOf(operation), rightOf(operation));
    const { app } = await aServer();
    const { body = {} } = rightOf(operation);

    // A text would be sent as text.
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const untyped = await app.request(pathOf(operation), { method, body: bytes });

    expect([untyped.status, untyped.headers.get('content-type')]).toEqual([plain.status, plain.headers.get('content-type')]);
  });
});

/** These know what they answer. */
const NEED_NO_STORE = ['/', '/metrics', '/openapi.json', '/admin/loggers', '/admin/loggers/{logger}', '/health'];

function needsStore({ path }: Operation): boolean {
  return !NEED_NO_STORE.includes(path) && !path.startsWith('/connector-plugins') && !path.startsWith('/sortie/v1/topics');
}

describe('a route, and a store', () => {
  test.each(each(needsStore))('%s: that is away', async (_, operation) => {
    const away = storeThat(() => Promise.reject(new RetryableError('the store is away', { code: 'store.unavailable' })));
    const { ask } = anApi({ plugins: [memorySink(memoryTarget('append'))], deps: away });

    const answer = await ask(operation.method, pathOf(operation), rightOf(operation));

    expect(exactly(answer)).toEqual(error(503, 'the store is away'));
  });

  test.each(each(needsStore))('%s: that never answers', async (_, operation) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { ask } = anApi({ plugins: [memorySink(memoryTarget('append'))], deps: storeThat(() => new Promise(() => undefined)) });
    const asked = ask(operation.method, pathOf(operation), rightOf(operation));

    vi.advanceTimersByTime(90_000);
    vi.useRealTimers();

    expect(exactly(await asked)).toEqual(error(504, 'Request timed out after 90000 ms'));
  });
});
