import { describe, expect, test } from 'vitest';
import { MemoryStateStore } from '../../../adapters/memory/memory-state-store.ts';
import { MemoryTelemetry } from '../../../adapters/memory/memory-telemetry.ts';
import { systemRandom } from '../../../adapters/system.ts';
import { registry } from '../../../plugins/registry.ts';
import { newApp } from '../../../scheduler/app.ts';
import { RunningClock } from '../../support/running-clock.ts';

const DROP = { 'connector.class': 'discard-sink', topics: 'orders' };

function anApp() {
  const clock = new RunningClock();
  const changed: string[] = [];
  const app = newApp({
    store: new MemoryStateStore({ clock }),
    clock,
    random: systemRandom,
    telemetry: new MemoryTelemetry(),
    registry,
    scheduler: { connectorChanged: (name) => changed.push(name) },
    skewMaxMs: 5_000,
    workerId: '127.0.0.1:8083',
    commit: 'abc',
  });
  const send = async (method: string, path: string, body?: unknown) => {
    const response = await app.request(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text), location: response.headers.get('location') };
  };
  return { send, changed };
}

describe('newApp', () => {
  test('creates a connector, tells the scheduler, and shows it', async () => {
    const { send, changed } = anApp();

    const created = await send('POST', '/connectors', { name: 'drop it', config: DROP });

    const info = { name: 'drop it', config: { ...DROP, name: 'drop it' }, tasks: [], type: 'sink' };
    expect(created).toEqual({ status: 201, body: info, location: '/connectors/drop%20it' });
    expect(changed).toEqual(['drop it']);
    expect((await send('GET', '/connectors')).body).toEqual(['drop it']);
    expect((await send('GET', '/connectors/drop%20it/')).body).toEqual(info);
    expect((await send('GET', '/connectors/drop%20it/status')).body).toMatchObject({ connector: { state: 'UNASSIGNED' } });
  });

  test('creates a name once', async () => {
    const { send } = anApp();

    const answers = await Promise.all(
      Array.from({ length: 6 }, () => send('POST', '/connectors', { name: 'drop', config: DROP })),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  test('configures by PUT: 201 for a new name, 200 for a known one', async () => {
    const { send } = anApp();

    const first = await send('PUT', '/connectors/drop/config', DROP);
    const second = await send('PUT', '/connectors/drop/config', { ...DROP, 'tasks.max': 2 });

    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toMatchObject({ config: { 'tasks.max': '2' } });
  });

  test('names every wrong key of every plugin at once', async () => {
    const { send, changed } = anApp();

    const { status, body } = await send('POST', '/connectors', {
      name: 'wrong',
      config: { ...DROP, speed: 'high', 'value.converter': 'smoke', transforms: 'a', 'transforms.a.type': 'mirror' },
    });

    expect(status).toBe(400);
    expect(body.message).toContain('3 error(s)');
    for (const key of ['speed', 'value.converter', 'transforms.a.type']) expect(body.message).toContain(key);
    expect(changed).toEqual([]);
  });

  test('deletes a connector, whose name is free then', async () => {
    const { send } = anApp();
    await send('POST', '/connectors', { name: 'drop', config: DROP });

    expect((await send('DELETE', '/connectors/drop')).status).toBe(204);

    expect((await send('GET', '/connectors/drop')).status).toBe(404);
    expect((await send('DELETE', '/connectors/drop')).body).toEqual({ error_code: 404, message: 'Connector drop not found' });
    expect((await send('POST', '/connectors', { name: 'drop', config: DROP })).status).toBe(201);
  });

  test.each([
    ['a body that is no JSON', '{', 400],
    ['an unknown field', '{"name":"a","config":{},"speed":1}', 400],
    ['a nested value', '{"name":"a","config":{"x":{}}}', 400],
    ['another name in the configuration', JSON.stringify({ name: 'a', config: { ...DROP, name: 'b' } }), 400],
  ])('refuses %s', async (_what, text, status) => {
    const clock = new RunningClock();
    const app = newApp({
      store: new MemoryStateStore({ clock }),
      clock,
      random: systemRandom,
      telemetry: new MemoryTelemetry(),
      registry,
      scheduler: { connectorChanged: () => undefined },
      skewMaxMs: 5_000,
      workerId: 'here',
      commit: 'abc',
    });

    const response = await app.request('/connectors', { method: 'POST', body: text });

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error_code: status });
  });

  test('says what it is, and that it is well', async () => {
    const { send } = anApp();

    expect((await send('GET', '/')).body).toEqual({ version: '4.1.0', commit: 'abc', kafka_cluster_id: 'sortie' });
    expect((await send('GET', '/health')).body).toMatchObject({ status: 'healthy' });
    expect((await send('GET', '/nowhere')).body).toMatchObject({ error_code: 404 });
  });
});
