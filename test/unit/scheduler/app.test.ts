import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STALE } from '../../../scheduler/routes/api-error.ts';
import { anApi } from '../../support/api.ts';

const DROP = { 'connector.class': 'discard-sink', topics: 'orders' };

describe('newApp', () => {
  test('tells the scheduler of what was changed, and not of what was refused', async () => {
    const { ask, changed } = anApi();

    await ask('POST', '/connectors', { body: { name: 'drop it', config: DROP } });
    await ask('POST', '/connectors', { body: { name: 'drop', config: { ...DROP, speed: 'high' } } });
    await ask('PUT', '/connectors/drop%20it/pause');
    await ask('PUT', '/connectors/nobody/pause');

    expect(changed).toEqual(['drop it', 'drop it']);
  });

  test('creates a name once, also where several ask at once', async () => {
    const { ask } = anApi();

    const answers = await Promise.all(
      Array.from({ length: 6 }, () => ask('POST', '/connectors', { body: { name: 'drop', config: DROP } })),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  test('configures a new name for several at once: one creates it, the others change it', async () => {
    const { ask } = anApi();

    const answers = await Promise.all(
      [1, 2, 3, 4].map((max) => ask('PUT', '/connectors/drop/config', { body: { ...DROP, 'tasks.max': max } })),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
  });

  test('keeps every key of several who patch at once', async () => {
    const { ask } = anApi();
    await ask('PUT', '/connectors/drop/config', { body: DROP });
    const patches = [
      { 'tasks.max': '4' },
      { 'errors.tolerance': 'all' },
      { 'errors.log.enable': 'true' },
      { 'freshness.ms': '9' },
    ];

    await Promise.all(patches.map((patch) => ask('PATCH', '/connectors/drop/config', { body: patch })));

    expect((await ask('GET', '/connectors/drop/config')).body).toEqual({
      ...DROP,
      name: 'drop',
      ...Object.assign({}, ...patches),
    });
  });

  test('tells those who change a connector to try again, where too many do so at once', async () => {
    const { ask } = anApi();
    await ask('PUT', '/connectors/drop/config', { body: DROP });

    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, max) => ask('PATCH', '/connectors/drop/config', { body: { 'tasks.max': max + 1 } })),
    );

    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, body } of refused) expect([status, body]).toEqual([409, { error_code: 409, message: STALE }]);
  });

  test('finds, by an encoded path, whatever name it let somebody create', async () => {
    const { ask } = anApi();

    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), async (name) => {
        const created = await ask('POST', '/connectors', { body: { name, config: DROP } });
        if (created.status === 400) return;

        const location = created.headers.get('location') as string;
        const shown = await ask('GET', `${location}/config`);
        const deleted = await ask('DELETE', location);

        expect(shown.body).toMatchObject({ name: name.trim() });
        expect([location, deleted.status]).toEqual([`/connectors/${encodeURIComponent(name.trim())}`, 204]);
      }),
      { numRuns: 100 },
    );
  });

  test.each(['GET', 'POST', 'PUT'])('knows no other path (%s)', async (method) => {
    const { status, body } = await anApi().ask(method, '/nowhere');

    expect({ status, body }).toEqual({ status: 404, body: { error_code: 404, message: 'HTTP 404 Not Found' } });
  });

  test('says which methods a path has', async () => {
    const { status, body, headers } = await anApi().ask('POST', '/connectors/drop/config');

    expect({ status, body }).toEqual({ status: 405, body: { error_code: 405, message: 'HTTP 405 Method Not Allowed' } });
    expect(headers.get('allow')).toBe('GET, HEAD, PUT, PATCH');
  });

  test('reads no body that has no end', async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
    const { app } = anApi();

    const response = await app.request('/connectors', { method: 'POST', body: endless, duplex: 'half' } as RequestInit);

    expect(response.status).toBe(413);
  });

  test('takes no text that is not UTF-8', async () => {
    const { app } = anApi();
    const headers = { 'content-type': 'application/json' };

    const response = await app.request('/connectors', { method: 'POST', headers, body: new Uint8Array([0x22, 0xff, 0x22]) });

    expect([response.status, await response.json()]).toEqual([
      400,
      { error_code: 400, message: 'The body of the request is not UTF-8' },
    ]);
  });

  test("takes Kafka's classes for what there is of converters, transforms and predicates", async () => {
    const { ask } = anApi();
    const transforms = 'org.apache.kafka.connect.transforms';
    const config = {
      ...DROP,
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
      'header.converter': 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
      transforms: 'drop,keys,values,stamp,renamed,rekeyed',
      'transforms.drop.type': `${transforms}.Filter`,
      'transforms.drop.predicate': 'empty',
      'transforms.keys.type': `${transforms}.InsertField$Key`,
      'transforms.keys.topic.field': 'topic',
      'transforms.values.type': `${transforms}.InsertField$Value`,
      'transforms.values.topic.field': 'topic',
      'transforms.values.predicate': 'named',
      'transforms.stamp.type': `${transforms}.InsertField$Value`,
      'transforms.stamp.timestamp.field': 'at',
      'transforms.stamp.predicate': 'marked',
      'transforms.renamed.type': `${transforms}.ReplaceField$Value`,
      'transforms.renamed.renames': 'a:b',
      'transforms.rekeyed.type': `${transforms}.ReplaceField$Key`,
      'transforms.rekeyed.exclude': 'a',
      predicates: 'empty,named,marked',
      'predicates.empty.type': `${transforms}.predicates.RecordIsTombstone`,
      'predicates.named.type': `${transforms}.predicates.TopicNameMatches`,
      'predicates.named.pattern': 'orders.*',
      'predicates.marked.type': `${transforms}.predicates.HasHeaderKey`,
      'predicates.marked.name': 'mark',
    };

    const created = await ask('PUT', '/connectors/drop/config', { body: config });
    const bytes = { ...config, 'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter' };
    const { 'value.converter.schemas.enable': _, ...changed } = bytes;

    expect(created).toMatchObject({ status: 201, body: { config } });
    expect((await ask('PUT', '/connectors/drop/config', { body: changed })).status).toBe(200);
  });

  test('answers JSON that nests deeper than anybody can read', async () => {
    const deep = 400_000;

    const { status } = await anApi().ask('POST', '/connectors', { body: '['.repeat(deep) + ']'.repeat(deep) });

    expect(status).toBe(400);
  });

  test('keeps what it does not know to itself, and logs it', async () => {
    const lost = async (): Promise<never> => {
      throw new Error('password=secret');
    };
    const api = anApi({ deps: { store: { get: lost, put: lost, list: lost, delete: lost } } });

    const { status, body } = await api.ask('GET', '/connectors');

    expect({ status, body }).toEqual({
      status: 500,
      body: { error_code: 500, message: 'Internal error; the log of the server says more' },
    });
    expect(api.host.telemetry.logs).toMatchObject([{ level: 'error', message: 'GET /connectors: password=secret' }]);
  });
});
