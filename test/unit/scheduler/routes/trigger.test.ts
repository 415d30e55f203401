import { describe, expect, onTestFinished, test } from 'vitest';
import { offset } from '../../../../core/offset.ts';
import { type ApiAnswer, anApi, type TestApi } from '../../../support/api.ts';
import { anOutgoingRecord, bytesOf, outgoing } from '../../../support/log-records.ts';
import { memorySink } from '../../../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../../../support/memory-source.ts';
import { memoryTarget } from '../../../support/memory-target.ts';
import { aScheduler } from '../../../support/schedulers.ts';
import { numbered, valuesIn } from '../../../support/sink-shard.ts';

const QUEUE = { topic: 'orders', brokerName: 'memory', queueId: 0 };
const RUNS = '/sortie/v1/connectors/orders/runs';

/** A sink of the topic `orders`. */
async function aWorld({
  config = {},
  isScheduled = true,
}: {
  readonly config?: Readonly<Record<string, string>>;
  readonly isScheduled?: boolean;
} = {}) {
  const target = memoryTarget('append');
  const plugin = memorySink(target);
  const api = anApi({ plugins: [plugin], isScheduled });
  api.log.createTopic('orders', { queues: 1 });
  const body = { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string', ...config };
  await api.ask('PUT', '/connectors/orders/config', { body });
  return { ...api, target };
}

/** Records come all the time, until the test ends. */
function keepSending({ log, host }: TestApi): void {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  void (async () => {
    while (!over.signal.aborted) {
      await log.send(QUEUE, outgoing('more'));
      await host.clock.sleep(20);
    }
  })();
}

function stateOf({ status, body }: ApiAnswer): readonly [number, string] {
  return [status, (body as { readonly state: string }).state];
}

describe('POST /sortie/v1/connectors/{connector}/runs', () => {
  test('starts at once what would be collected for longer', async () => {
    const api = await aWorld({ config: { 'freshness.ms': '3600000' } });
    await api.host.clock.sleep(5_000);
    await api.log.send(QUEUE, outgoing(...numbered(3)));
    await api.host.clock.sleep(5_000);

    const sinceMs = api.host.clock.monotonicMs();
    const answer = await api.ask('POST', `${RUNS}?wait=drained`);

    expect(stateOf(answer)).toEqual([200, 'drained']);
    expect(valuesIn(api.target)).toEqual(numbered(3));
    expect(api.host.clock.monotonicMs() - sinceMs).toBeLessThan(5_000);
  });

  test('does not wait unless it is asked to', async () => {
    const api = await aWorld();

    const answer = await api.ask('POST', RUNS);

    expect(answer.status).toBe(202);
  });

  test('says how far it came where records never end, and ends where it is to go up to now', async () => {
    const api = await aWorld();
    keepSending(api);
    await api.host.clock.sleep(1_000);

    const endless = await api.ask('POST', `${RUNS}?wait=drained&timeoutMs=5000`);
    const upToNow = await api.ask('POST', `${RUNS}?wait=drained&upTo=now`);

    expect(endless.status).toBe(202);
    expect(stateOf(upToNow)).toEqual([200, 'drained']);
  });

  test('goes on to wait for the same, where it is sent the answer before', async () => {
    const api = await aWorld({ isScheduled: false });
    await api.log.send(QUEUE, outgoing(...numbered(3)));
    const first = await api.ask('POST', `${RUNS}?wait=drained&upTo=now&timeoutMs=1000`);
    await api.log.send(QUEUE, outgoing('3'));
    const { scheduler } = aScheduler(api.host);
    onTestFinished(() => scheduler.stop());

    const second = await api.ask('POST', `${RUNS}?wait=drained&upTo=now`, { body: first.body });

    expect(first).toMatchObject({ status: 202, body: { state: 'moving', shards: [{ position: '0', goal: '3' }] } });
    expect(second).toMatchObject({ status: 200, body: { state: 'drained', shards: [{ state: 'done', goal: '3' }] } });
  });

  test('waits for a poll of a source that began after it was asked', async () => {
    const system = memorySystem({ rows: rows(3), idleForMs: 3_600_000 });
    const api = anApi({ plugins: [memorySource(system)], isScheduled: true });
    await api.ask('PUT', '/connectors/rows/config', { body: { 'connector.class': 'memory-source' } });
    const path = '/sortie/v1/connectors/rows/runs?wait=drained&upTo=now';

    const first = await api.ask('POST', path);
    const readFirst = [...system.calls];
    system.shards.get('0')?.push(...rows(1, 3));
    system.shards.set('1', rows(2));
    const second = await api.ask('POST', path);

    expect(stateOf(first)).toEqual([200, 'drained']);
    expect(readFirst).toContain('poll 0');
    expect(stateOf(second)).toEqual([200, 'drained']);
    const queues = await api.log.queues('rows');
    const bounds = await api.log.bounds(queues);
    expect(bounds.reduce((total, held) => total + Number(held?.max ?? 0), 0)).toBe(6);
  });

  test('says what waits for an operator', async () => {
    const api = await aWorld({ config: { 'value.converter': 'json', 'auto.restart.max.attempts': '0' } });
    await api.log.send(QUEUE, [anOutgoingRecord({ value: bytesOf('{') })]);

    const answer = await api.ask('POST', `${RUNS}?wait=drained`);

    expect(answer).toMatchObject({ status: 200, body: { state: 'failed', shards: [{ state: 'failed', position: '0' }] } });
  });

  test.each([
    ['skip', 'drained'],
    ['fail', 'failed'],
  ])('takes what retention removed for moved where it may be passed over (log.gap.policy=%s)', async (policy, state) => {
    const api = await aWorld({
      config: { 'log.gap.policy': policy, 'auto.restart.max.attempts': '0' },
      isScheduled: false,
    });
    await api.run('orders');
    await api.log.send(QUEUE, outgoing(...numbered(3)));
    api.log.truncateBefore(QUEUE, offset(3));
    const { scheduler } = aScheduler(api.host);
    onTestFinished(() => scheduler.stop());

    expect(stateOf(await api.ask('POST', `${RUNS}?wait=drained&upTo=now`))).toEqual([200, state]);
  });

  test('ends when the connector is paused', async () => {
    const api = await aWorld({ isScheduled: false });
    await api.log.send(QUEUE, outgoing('0'));

    const waiting = api.ask('POST', `${RUNS}?wait=drained`);
    await api.host.clock.sleep(1_000);
    await api.ask('PUT', '/connectors/orders/pause');

    expect(await waiting).toMatchObject({ status: 409, body: { message: 'Connector orders is paused; resume it first' } });
  });

  test('ends with the scheduler, and with whoever asked', async () => {
    const { host, app, ask, log } = await aWorld({ isScheduled: false });
    await log.send(QUEUE, outgoing('0'));
    const leaving = new AbortController();
    const { scheduler } = aScheduler(host, { isStarted: false });
    const other = anApi({ deps: { ...host, scheduler } });
    const startedAtMs = host.clock.monotonicMs();

    const left = app.request(`${RUNS}?wait=drained`, { method: 'POST', signal: leaving.signal });
    const stopped = other.ask('POST', `${RUNS}?wait=drained`);
    await host.clock.sleep(1_000);
    leaving.abort();
    await scheduler.stop();

    expect([(await left).status, (await stopped).status]).toEqual([202, 202]);
    expect(host.clock.monotonicMs() - startedAtMs).toBeLessThan(2_000);
    expect((await ask('GET', '/connectors')).status).toBe(200);
  });

  test('lets no more wait than it has places', async () => {
    const api = await aWorld({ isScheduled: false });
    await api.log.send(QUEUE, outgoing('0'));

    const answers = await Promise.all(Array.from({ length: 65 }, () => api.ask('POST', `${RUNS}?wait=drained&timeoutMs=1000`)));
    const later = await api.ask('POST', `${RUNS}?wait=drained&timeoutMs=1000`);

    expect(answers.filter(({ status }) => status === 503)).toHaveLength(1);
    expect(later.status).toBe(202);
  });
});
