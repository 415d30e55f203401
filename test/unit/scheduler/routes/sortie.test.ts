/** What `/sortie/v1` says of a scheduler at work. */
import { describe, expect, test } from 'vitest';
import type { RunRecord } from '../../../../core/offer.ts';
import { anApi, type TestApi } from '../../../support/api.ts';
import { anOutgoingRecord, bytesOf, outgoing } from '../../../support/log-records.ts';
import { memorySink } from '../../../support/memory-sink.ts';
import { memoryTarget } from '../../../support/memory-target.ts';
import { aScheduler, until } from '../../../support/schedulers.ts';
import { numbered, valuesIn } from '../../../support/sink-shard.ts';

const QUEUE = { topic: 'orders', brokerName: 'memory', queueId: 0 };
const PATH = '/sortie/v1/connectors/a%2F%25%C3%A9';

/** A connector `a/%é` of the topic `orders`, and a scheduler that leads. */
async function aWorld({ config = {} }: { readonly config?: Readonly<Record<string, string>> } = {}) {
  const target = memoryTarget('append');
  const plugin = memorySink(target);
  const api = anApi({ plugins: [plugin], isScheduled: true });
  api.log.createTopic('orders', { queues: 1 });
  const body = { 'connector.class': plugin.name, topics: 'orders', 'value.converter': 'string', ...config };
  await api.ask('PUT', '/connectors/a%2F%25%C3%A9/config', { body });
  return { ...api, target };
}

async function bodyOf<T>({ ask }: Pick<TestApi, 'ask'>, path: string): Promise<T> {
  const { status, body } = await ask('GET', path);
  expect(status).toBe(200);
  return body as T;
}

interface Reasons {
  readonly leads: boolean;
  readonly shards: readonly { readonly reason: string | null; readonly means: string; readonly offers: number | null }[];
}

describe('GET /sortie/v1/connectors/{connector}/why', () => {
  test('says what the planner says', async () => {
    const api = await aWorld();
    await until(api.host, async () => (await bodyOf<Reasons>(api, `${PATH}/why`)).shards[0]?.reason === 'drained');

    expect(await bodyOf<Reasons>(api, `${PATH}/why`)).toMatchObject({
      leads: true,
      leader: null,
      shards: [{ reason: 'drained', means: 'There is nothing to move.', withheld: null, offers: 0 }],
    });
  });

  test('says what keeps one that fails waiting', async () => {
    const api = await aWorld({ config: { 'value.converter': 'json' } });
    await api.log.send(QUEUE, [anOutgoingRecord({ value: bytesOf('{') })]);

    await until(api.host, async () => (await bodyOf<Reasons>(api, `${PATH}/why`)).shards[0]?.reason === 'restart-later');
    const { shards } = await bodyOf<{ readonly shards: readonly unknown[] }>(api, `${PATH}/shards`);

    expect(shards).toMatchObject([
      {
        state: 'failed',
        code: 'record.conversion_failed',
        position: '0',
        max: '1',
        backlogRecords: 1,
        waiting: [{ start: '0' }],
      },
    ]);
  });

  test('says what will be done first for one that was just created', async () => {
    const { host, log } = anApi();
    const { scheduler } = aScheduler(host, { isStarted: false });
    await scheduler.tick();
    const api = anApi({ deps: { ...host, scheduler } });
    log.createTopic('orders', { queues: 1 });
    await api.ask('PUT', '/connectors/drop/config', { body: { 'connector.class': 'discard-sink', topics: 'orders' } });

    expect(await bodyOf(api, '/sortie/v1/connectors/drop/why')).toMatchObject({
      leads: true,
      shards: [{ reason: 'new', means: 'Its first invocation is due.', offers: null }],
    });
  });

  test('says who leads where another one does', async () => {
    const leading = await aWorld();
    await until(leading.host, async () => (await bodyOf<Reasons>(leading, `${PATH}/why`)).shards[0]?.reason === 'drained');
    const { scheduler } = aScheduler(leading.host, { isStarted: false });
    await scheduler.tick();
    const api = anApi({ deps: { ...leading.host, scheduler } });

    expect(await bodyOf(api, `${PATH}/why`)).toMatchObject({
      leads: false,
      leader: { owner: expect.any(String), untilMs: expect.any(Number) },
      shards: [{ reason: 'drained', offers: null }],
    });
  });
});

interface RunPage {
  readonly runs: readonly RunRecord[];
  readonly next: string | null;
}

describe('GET /sortie/v1/connectors/{connector}/runs', () => {
  test('has a run as soon as it ended, and once', async () => {
    const api = await aWorld();
    await api.log.send(QUEUE, outgoing('0'));
    await until(api.host, async () => (await bodyOf<RunPage>(api, `${PATH}/runs`)).runs.length > 0);
    const early = await bodyOf<RunPage>(api, `${PATH}/runs`);

    await api.host.clock.sleep(60_000);
    const late = await bodyOf<RunPage>(api, `${PATH}/runs`);

    expect(early.runs).toMatchObject([{ connector: 'a/%é', outcome: 'drained', counts: { delivered: 1 } }]);
    expect(late).toEqual(early);
  });

  test('goes on page by page, each run once, whatever comes meanwhile', async () => {
    const api = await aWorld();
    const sendAndMove = async (value: string): Promise<void> => {
      await api.log.send(QUEUE, outgoing(value));
      await until(api.host, () => valuesIn(api.target).includes(value));
      await api.host.clock.sleep(10_000);
    };
    for (const value of numbered(5)) await sendAndMove(value);

    const first = await bodyOf<RunPage>(api, `${PATH}/runs?limit=2`);
    await sendAndMove('5');
    const second = await bodyOf<RunPage>(api, `${PATH}/runs?limit=2&from=${first.next}`);
    const third = await bodyOf<RunPage>(api, `${PATH}/runs?limit=2&from=${second.next}`);

    const started = [first, second, third].flatMap(({ runs }) => runs.map(({ startedAtMs }) => startedAtMs));
    expect([first, second, third].map(({ runs, next }) => [runs.length, next !== null])).toEqual([
      [2, true],
      [2, true],
      [1, false],
    ]);
    expect(started).toEqual([...new Set(started)].sort((a, b) => b - a));
  });
});
