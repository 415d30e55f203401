import { describe, expect, test } from 'vitest';
import { anApi, type TestApi } from '../../../support/api.ts';
import { EventStream } from '../../../support/event-streams.ts';
import { outgoing } from '../../../support/log-records.ts';
import { memorySink } from '../../../support/memory-sink.ts';
import { memoryTarget } from '../../../support/memory-target.ts';
import { demandSchema } from '../../../support/openapi-answers.ts';
import { aScheduler } from '../../../support/schedulers.ts';

const QUEUE = { topic: 'orders', brokerName: 'memory', queueId: 0 };

async function listenTo({ app }: Pick<TestApi, 'app'>): Promise<EventStream> {
  const response = await app.request('/sortie/v1/events');
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  return new EventStream(response.body as ReadableStream<Uint8Array>);
}

describe('GET /sortie/v1/events', () => {
  test('tells of a connector that is created, and of what is done for it', async () => {
    const plugin = memorySink(memoryTarget('append'));
    const api = anApi({ plugins: [plugin], isScheduled: true });
    api.log.createTopic('orders', { queues: 1 });
    await api.log.send(QUEUE, outgoing('0'));
    const stream = await listenTo(api);

    const config = { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string' };
    await api.ask('PUT', '/connectors/a%2Fb/config', { body: config });
    const events = await stream.until(({ counts }) => (counts as { delivered: number } | undefined)?.delivered === 1);
    await stream.close();

    const uid = (await api.connector('a/b')).uid;
    const offer = { connector: 'a/b', shard: `${uid}/queue/orders/memory/0`, offerId: expect.any(String) };
    expect(events[0]).toMatchObject({ event: 'listening' });
    expect(events).toContainEqual(expect.objectContaining({ event: 'connector-changed', connector: 'a/b' }));
    expect(events).toContainEqual(expect.objectContaining({ event: 'invocation-started', ...offer }));
    expect(events.at(-1)).toMatchObject({ event: 'invocation-ended', ...offer, end: 'completed', outcome: 'drained' });
    for (const event of events) await demandSchema(api.app, 'SchedulerEvent', event);
  });

  test('sends something from time to time, so that nothing between takes it for dead', async () => {
    const api = anApi({ isScheduled: true });
    const reader = ((await api.app.request('/sortie/v1/events')).body as ReadableStream<Uint8Array>).getReader();
    const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);

    expect([await read(), await read()]).toEqual([expect.stringContaining('event: listening'), ':\n\n']);
    await reader.cancel();
  });

  test('ends when the scheduler does', async () => {
    const { host } = anApi();
    const { scheduler } = aScheduler(host);
    const stream = await listenTo(anApi({ deps: { ...host, scheduler } }));

    await scheduler.stop();

    expect([await stream.next(), await stream.next()]).toEqual([{ event: 'listening', leads: expect.any(Boolean) }, null]);
  });

  test('keeps no place for whoever asks for its head alone', async () => {
    const api = anApi({ isScheduled: true });

    for (let asked = 0; asked < 100; asked += 1) {
      const { status, headers } = await api.app.request('/sortie/v1/events', { method: 'HEAD' });
      expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    }

    await (await listenTo(api)).close();
  });

  test('refuses more than it can tell, and takes another one when one leaves', async () => {
    const api = anApi();
    const answers = await Promise.all(Array.from({ length: 64 }, async () => api.app.request('/sortie/v1/events')));

    const refused = await api.ask('GET', '/sortie/v1/events');
    await answers[0]?.body?.cancel();
    await listenTo(api);

    expect(refused).toMatchObject({ status: 503, body: { message: 'Too many listen already; try again later' } });
  });
});
