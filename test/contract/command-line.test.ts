/** Every command in its situations, against the API in this process: what it says, and how it ends. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { offset } from '../../core/offset.ts';
import { anApi, type TestApi } from '../support/api.ts';
import { type Said, said } from '../support/command-lines.ts';
import { memorySink } from '../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../support/memory-source.ts';
import { memoryTarget } from '../support/memory-target.ts';
import { aTemporaryFolder } from '../support/temporary-folder.ts';
import { vaultSink } from '../support/vault-sink.ts';
import { aFailedSink, anOrdersSink, aRunningSink, aStoppedSink, aStoppedSource, ORDERS } from './kafka-connect/situation.ts';

interface Situation {
  readonly args: string;
  readonly what: string;
  readonly given?: (api: TestApi) => Promise<unknown>;
  readonly exitCode: Said['exitCode'];
  /** Exactly, but for JSON and tables of what comes with the product: a part of it. Absent for nothing. */
  readonly out?: string;
  readonly err?: string;
  /** The state of a connector afterwards. */
  readonly state?: readonly [name: string, state: string];
}

/** Names with what people put into them; what they hold is never read. */
async function aShop({ ask }: TestApi): Promise<void> {
  for (const name of ['shop-a', 'shop-b/100%', 'other']) {
    await ask('PUT', `/connectors/${encodeURIComponent(name)}/config`, { body: ORDERS });
  }
}

const UNKNOWN_NEXT =
  '`sortie list` shows which connectors there are, `sortie topics` which topics, `sortie plugins` which plugins';

const SITUATIONS: readonly Situation[] = [
  { args: 'list', what: 'none', exitCode: 0, out: 'no connectors\n' },
  {
    args: 'list',
    what: 'some',
    given: async (api) => {
      await aShop(api);
      await aFailedSink(api);
    },
    exitCode: 0,
    out: [
      'NAME         TYPE  PLUGIN         STATE       TASKS',
      'orders       sink  memory-append  RUNNING     1 FAILED',
      'other        sink  memory-append  UNASSIGNED  -',
      'shop-a       sink  memory-append  UNASSIGNED  -',
      'shop-b/100%  sink  memory-append  UNASSIGNED  -',
      '',
    ].join('\n'),
  },
  {
    args: 'list shop-* --json',
    what: 'as JSON',
    given: aShop,
    exitCode: 0,
    out: `${JSON.stringify({
      connectors: ['shop-a', 'shop-b/100%'].map((name) => ({
        name,
        type: 'sink',
        plugin: 'memory-append',
        state: 'UNASSIGNED',
        tasks: {},
      })),
    })}\n`,
  },
  {
    args: 'list nobody',
    what: 'one that is not there',
    exitCode: 2,
    err: 'sortie: there is no connector nobody; next: `sortie list` shows which there are\n',
  },
  {
    args: 'list x* --json',
    what: 'a pattern that nothing matches',
    exitCode: 2,
    out: '{"error":{"message":"no connector matches x*","next":"`sortie list` shows which there are","exitCode":2}}\n',
    err: 'sortie: no connector matches x*; next: `sortie list` shows which there are\n',
  },
  {
    args: 'status orders',
    what: 'one that runs',
    given: aRunningSink,
    exitCode: 0,
    out: 'orders: RUNNING (sink)\n  TASK  STATE\n     0  RUNNING\n',
  },
  {
    args: 'status nobody',
    what: 'one that is not there',
    exitCode: 2,
    err: `sortie: No status found for connector nobody; next: ${UNKNOWN_NEXT}\n`,
  },
  ...(
    [
      ['pause', 'paused', 'PAUSED'],
      ['resume', 'resumed', 'RUNNING'],
      ['stop', 'stopped', 'STOPPED'],
    ] as const
  ).flatMap(([verb, result, state]): readonly Situation[] => [
    {
      args: `${verb} orders`,
      what: 'one',
      given: aRunningSink,
      exitCode: 0,
      out: `orders: ${result}\n`,
      state: ['orders', state],
    },
    {
      args: `${verb} shop-* gone`,
      what: 'some by pattern, and one that is not there',
      given: aShop,
      exitCode: 2,
      out: `shop-a: ${result}\nshop-b/100%: ${result}\n`,
      err: `sortie: gone: Unknown connector gone; next: ${UNKNOWN_NEXT}\n`,
    },
  ]),
  {
    args: 'pause shop-a gone --json',
    what: 'one of two, as JSON',
    given: aShop,
    exitCode: 2,
    out: `${JSON.stringify({
      results: [
        { name: 'shop-a', result: 'paused' },
        { name: 'gone', error: { message: 'Unknown connector gone', next: UNKNOWN_NEXT, exitCode: 2 } },
      ],
    })}\n`,
    err: `sortie: gone: Unknown connector gone; next: ${UNKNOWN_NEXT}\n`,
  },
  { args: 'restart orders', what: 'the connector', given: aFailedSink, exitCode: 0, out: 'orders: restarted\n' },
  {
    args: 'restart orders --include-tasks --only-failed',
    what: 'what has failed',
    given: aFailedSink,
    exitCode: 0,
    out: 'orders: restarted\n',
  },
  { args: 'delete orders', what: 'one by its name', given: anOrdersSink, exitCode: 0, out: 'orders: deleted\n' },
  {
    args: 'delete shop-*',
    what: 'a pattern alone',
    given: aShop,
    exitCode: 2,
    err: 'sortie: this would delete 2 connectors: shop-a, shop-b/100%; next: add --yes if that is what you want\n',
  },
  {
    args: 'delete shop-* --yes',
    what: 'a pattern that is meant',
    given: aShop,
    exitCode: 0,
    out: 'shop-a: deleted\nshop-b/100%: deleted\n',
  },
  {
    args: 'offsets get orders',
    what: 'a sink',
    given: aStoppedSink,
    exitCode: 0,
    out: 'PARTITION        OFFSET\norders/memory/0       3\n',
  },
  { args: 'offsets get orders', what: 'a new sink', given: anOrdersSink, exitCode: 0, out: 'orders has read nothing yet\n' },
  {
    args: 'offsets get rows',
    what: 'a source',
    given: aStoppedSource,
    exitCode: 0,
    out: 'SHARD  CHECKPOINT\n0      {"row":3}\n',
  },
  ...['1', 'earliest', 'latest', '2026-11-26T08:00:00Z'].map((to) => ({
    args: `offsets set orders --to ${to}`,
    what: 'a stopped sink',
    given: aStoppedSink,
    exitCode: 0 as const,
    out: 'orders: 1 partition set\n',
  })),
  {
    args: 'offsets set orders --to 0 --topic orders --queue 0 --broker memory',
    what: 'one queue',
    given: aStoppedSink,
    exitCode: 0,
    out: 'orders: 1 partition set\n',
  },
  {
    args: 'offsets set orders --to 9',
    what: 'further than the log goes',
    given: aStoppedSink,
    exitCode: 2,
    err: 'sortie: Partition 0 of topic orders takes offsets from 0 to 3, not 9; next: correct what is named; `sortie offsets get orders` shows its partitions, `sortie stop orders` stops it\n',
  },
  {
    args: 'offsets set orders --to 12345678901234567890',
    what: 'with digits that no number holds',
    given: aStoppedSink,
    exitCode: 2,
    err: "sortie: Failed to parse the following Kafka offset value in the provided offsets: '12345678901234567890'. Offset values for sink connectors need to be integers.; next: correct what is named; `sortie offsets get orders` shows its partitions, `sortie stop orders` stops it\n",
  },
  {
    args: 'offsets set orders',
    what: 'without saying where',
    given: aStoppedSink,
    exitCode: 2,
    err: 'sortie: where to is not said; next: add --to with an offset, earliest, latest or a time\n',
  },
  {
    args: 'offsets set orders --to 0 --topic other',
    what: 'partitions that it has not',
    given: aStoppedSink,
    exitCode: 2,
    err: 'sortie: orders has no such partition; next: `sortie offsets get orders` shows those that it has\n',
  },
  {
    args: 'offsets set rows --shard 0 --checkpoint {"row":1}',
    what: 'a source',
    given: aStoppedSource,
    exitCode: 0,
    out: 'rows: 1 partition set\n',
  },
  {
    args: 'offsets set rows --checkpoint {',
    what: 'no JSON',
    given: aStoppedSource,
    exitCode: 2,
    err: 'sortie: --checkpoint is not JSON; next: copy one that `sortie offsets get --json` shows\n',
  },
  { args: 'offsets reset orders', what: 'a stopped sink', given: aStoppedSink, exitCode: 0, out: 'orders: reset\n' },
  {
    args: 'offsets reset o*',
    what: 'a pattern alone',
    given: aStoppedSink,
    exitCode: 2,
    err: 'sortie: this would reset the offsets of 1 connector: orders; next: add --yes if that is what you want\n',
  },
  {
    args: 'offsets reset orders',
    what: 'one that runs',
    given: aRunningSink,
    exitCode: 2,
    err: "sortie: orders: Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/orders/stop' endpoint; next: correct what is named; `sortie offsets get orders` shows its partitions, `sortie stop orders` stops it\n",
  },
  { args: 'topics', what: 'none', exitCode: 0, out: 'no topics\n' },
  { args: 'topics', what: 'some', given: anOrdersSink, exitCode: 0, out: 'orders\n' },
  {
    args: 'topics orders',
    what: 'one with records',
    given: aStoppedSink,
    exitCode: 0,
    out: 'BROKER  QUEUE  FROM  UP TO  RECORDS\nmemory      0     0      3        3\n',
  },
  {
    args: 'topics orders',
    what: 'one that a consumer group reads',
    given: async (api) => {
      await aStoppedSink(api);
      await api.log.noteGroup('connect-orders', [
        { queue: { topic: 'orders', brokerName: 'memory', queueId: 0 }, offset: offset(1) },
      ]);
    },
    exitCode: 0,
    out: [
      'BROKER  QUEUE  FROM  UP TO  RECORDS',
      'memory      0     0      3        3',
      '',
      'GROUP           BROKER  QUEUE  OFFSET  BACKLOG',
      'connect-orders  memory      0       1        2',
      '',
    ].join('\n'),
  },
  {
    args: 'topics nothing',
    what: 'one that is not there',
    exitCode: 2,
    err: `sortie: Topic nothing not found; next: ${UNKNOWN_NEXT}\n`,
  },
  {
    args: 'topics --of o*',
    what: 'of a connector that moved nothing',
    given: anOrdersSink,
    exitCode: 0,
    out: 'no records moved yet\n',
  },
  {
    args: 'peek orders --limit 2',
    what: 'the last records, by a clock that stands still at 1970',
    given: aStoppedSink,
    exitCode: 0,
    out: [
      'QUEUE     OFFSET  STORED     KEY  VALUE',
      'memory/0       1  in 20454d  -    b',
      'memory/0       2  in 20454d  -    c',
      '',
    ].join('\n'),
  },
  {
    args: 'peek orders --from earliest --limit 1 --queue 0 --broker memory --json',
    what: 'as JSON, with all digits',
    given: async (api) => {
      api.log.createTopic('orders', { queues: 2 });
      const value = '{"id":12345678901234567890,"price":1.0}';
      await api.ask('POST', '/sortie/v1/topics/orders/records', { body: `{"value":${value},"queueId":0}` });
    },
    exitCode: 0,
    out: '"value":{"id":12345678901234567890,"price":1.0}',
  },
  {
    args: 'peek orders --queue 7',
    what: 'a queue that is not there',
    given: aStoppedSink,
    exitCode: 2,
    err: 'sortie: queue: must name one of the queues of topic orders: 0 on memory; next: correct what is named, and run the command again\n',
  },
  {
    args: 'peek orders --limit many',
    what: 'a limit that is none',
    given: aStoppedSink,
    exitCode: 2,
    err: 'sortie: limit: must be a whole number from 1 to 500; next: correct what is named, and run the command again\n',
  },
  {
    args: 'why orders',
    what: 'by a server that does not plan',
    given: aStoppedSink,
    exitCode: 0,
    out: [
      'orders: STOPPED',
      '  as far as the store and the log tell; nobody is known to plan',
      '  SHARD            REASON   SENT  WHICH MEANS',
      '  orders/memory/0  stopped     ?  The connector is stopped; resume it.',
      '',
    ].join('\n'),
  },
  {
    args: 'why orders',
    what: 'one whose topic is not there',
    given: ({ ask }) => ask('PUT', '/connectors/orders/config', { body: ORDERS }),
    exitCode: 0,
    out: [
      'orders: UNASSIGNED',
      '  topic orders: There is no such topic, and it is read once there is: send it a first record, or correct topics in the configuration.',
      '  as far as the store and the log tell; nobody is known to plan',
      '',
    ].join('\n'),
  },
  {
    args: 'why nobody',
    what: 'one that is not there',
    exitCode: 2,
    err: `sortie: Connector nobody not found; next: ${UNKNOWN_NEXT}\n`,
  },
  {
    args: 'runs orders',
    what: 'before the first',
    given: anOrdersSink,
    exitCode: 0,
    out: 'no invocation of orders moved anything yet\n',
  },
  {
    args: 'runs orders --limit 0',
    what: 'a limit that is none',
    given: anOrdersSink,
    exitCode: 2,
    err: 'sortie: limit: must be a whole number from 1 to 1000; next: correct what is named, and run the command again\n',
  },
  { args: 'run orders', what: 'without waiting', given: anOrdersSink, exitCode: 0, out: 'orders: started\n' },
  {
    args: 'run orders --wait --timeout 0',
    what: 'one that is not done in time',
    given: async (api) => {
      await anOrdersSink(api);
      await api.ask('POST', '/sortie/v1/topics/orders/records', { body: { value: 'a' } });
    },
    exitCode: 1,
    err: 'sortie: orders is not drained after 0 seconds; at work: orders/memory/0; next: sortie why orders\n',
  },
  {
    args: 'run orders --wait',
    what: 'one whose topic is not there',
    given: ({ ask }) => ask('PUT', '/connectors/orders/config', { body: ORDERS }),
    exitCode: 0,
    out: 'orders: drained; there is nothing yet that it could read, and `sortie why orders` says why\n',
  },
  {
    args: 'run orders --wait --timeout soon',
    what: 'a time that is none',
    exitCode: 2,
    err: 'sortie: --timeout is soon; next: name a number of seconds\n',
  },
  {
    args: 'run orders',
    what: 'one that is stopped',
    given: aStoppedSink,
    exitCode: 1,
    err: 'sortie: Connector orders is stopped; resume it first; next: do what it says, or run the command again\n',
  },
  {
    args: 'watch --count 1',
    what: 'without a terminal',
    given: aStoppedSink,
    exitCode: 0,
    out: '1970-01-01T00:00:00.000Z orders STOPPED backlog=0 rate=- slices=0\n',
  },
  {
    args: 'watch nobody',
    what: 'one that is not there',
    exitCode: 2,
    err: 'sortie: there is no connector nobody; next: `sortie list` shows which there are\n',
  },
  {
    args: 'watch --every 0',
    what: 'without a pause',
    exitCode: 2,
    err: 'sortie: --every is 0; next: name a number above 0\n',
  },
  {
    args: 'plugins',
    what: 'all',
    exitCode: 0,
    out: 'PLUGIN             TYPE    VERSION\n',
  },
  {
    args: 'plugins nothing',
    what: 'one that is not there',
    exitCode: 2,
    err: `sortie: Unknown plugin nothing.; next: ${UNKNOWN_NEXT}\n`,
  },
  { args: 'lsit', what: 'a word that is no command', exitCode: 2, err: "sortie: unknown command 'lsit'\n(Did you mean list?)\n" },
  { args: 'pause', what: 'nobody', exitCode: 2, err: "sortie: missing required argument 'name'\n" },
  {
    args: 'list --jsno',
    what: 'a flag that is none',
    exitCode: 2,
    err: "sortie: unknown option '--jsno'\n(Did you mean --json?)\n",
  },
];

function isPart(out: string): boolean {
  return out.startsWith('"') || out.endsWith('VERSION\n');
}

function aServer(): TestApi {
  const source = memorySource(memorySystem({ rows: rows(3) }));
  return anApi({ plugins: [memorySink(memoryTarget('append')), source, vaultSink] });
}

function fetchOf({ app }: TestApi) {
  return async (url: string, init: RequestInit) => app.request(url, init);
}

describe('sortie', () => {
  test.each(SITUATIONS)('$args: $what', async ({ args, given, exitCode, out = '', err = '', state }) => {
    const api = aServer();
    await given?.(api);

    const answer = await said(args.split(' '), { fetch: fetchOf(api) });

    expect(answer).toMatchObject({ exitCode, out: isPart(out) ? expect.stringContaining(out) : out });
    expect(answer.err).toContain(err);
    expect(answer.err === '').toBe(err === '');
    if (state === undefined) return;
    const { body } = await api.ask('GET', `/connectors/${state[0]}/status`);
    expect(body).toMatchObject({ connector: { state: state[1] } });
  });
});

describe('sortie run --wait', () => {
  test('ends once all is moved', async () => {
    const api = anApi({ plugins: [memorySink(memoryTarget('append'))], isScheduled: true });
    await anOrdersSink(api);
    await api.ask('POST', '/sortie/v1/topics/orders/records', { body: { value: 'a' } });

    const { exitCode, out } = await said(['run', 'orders', '--wait', '--up-to-now', '--json'], { fetch: fetchOf(api) });

    expect(exitCode).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ connector: 'orders', state: 'drained' });
  });

  test('says which shards failed', async () => {
    const api = aServer();
    await aFailedSink(api);
    await api.ask('PATCH', '/connectors/orders/config', { body: { 'auto.restart.max.attempts': 0 } });
    await api.ask('POST', '/connectors/orders/restart?includeTasks=true');
    await api.run('orders');

    const { exitCode, err } = await said(['run', 'orders', '--wait'], { fetch: fetchOf(api) });

    expect(exitCode).toBe(1);
    expect(err).toBe('sortie: orders: 1 shard failed: orders/memory/0; next: sortie status orders\n');
  });

  test('goes on to wait for what it waited for first, as long as it takes', async () => {
    const asked: unknown[] = [];
    const answers = ['moving', 'moving', 'drained'].map((state) => ({ connector: 'a', state, goals: { x: '7' }, shards: [] }));
    const fetch = async (url: string, { body }: RequestInit) => {
      asked.push([new URL(url).search, body === undefined ? null : JSON.parse(String(body))]);
      return Response.json(answers[asked.length - 1]);
    };

    const { exitCode } = await said(['run', 'a', '--wait'], { fetch });

    expect(exitCode).toBe(0);
    expect(asked).toEqual([
      ['?wait=drained&timeoutMs=20000', null],
      ['?wait=drained&timeoutMs=20000', answers[0]],
      ['?wait=drained&timeoutMs=20000', answers[1]],
    ]);
  });
});

describe('sortie runs', () => {
  test('shows no more than were asked for, also where the server adds what has just ended', async () => {
    const ended = ['newest', 'older'].map((offerId) => ({
      ...{ offerId, shard: 'uid/queue/a/b/0' },
      startedAtMs: 0,
      endedAtMs: 1,
      counts: {},
    }));
    const fetch = async () => Response.json({ runs: ended, next: null });

    const { out } = await said(['runs', 'orders', '--limit', '1', '--json'], { fetch });

    expect(JSON.parse(out)).toEqual({ name: 'orders', runs: ended.slice(0, 1) });
  });
});

/** While somebody sleeps, four records come, which `orders` moves and the others do not. */
async function aMovingShop() {
  const api = aServer();
  await aShop(api);
  await anOrdersSink(api);
  let nowMs = 0;
  const sleep = async (ms: number): Promise<void> => {
    nowMs += ms;
    await api.ask('POST', '/sortie/v1/topics/orders/records', { body: ['a', 'b', 'c', 'd'].map((value) => ({ value })) });
    await api.run('orders');
  };
  return { api, time: { nowMs: () => nowMs, sleep } };
}

describe('sortie watch', () => {
  const terminal = { columns: () => 80, rows: () => 5, hasColours: false };

  test('draws on a terminal over what it drew before, with the records of each second, and no more than there is room for', async () => {
    const { api, time } = await aMovingShop();

    const { exitCode, out } = await said(['watch', 'orders', 'shop-*', '--every', '2', '--count', '2'], {
      ...{ fetch: fetchOf(api), terminal, ...time },
    });

    const [, first = '', second = ''] = out
      .split('\u001b[H')
      .map((text) => text.replaceAll('\u001b[K', '').replace('\u001b[J', ''));
    expect(exitCode).toBe(0);
    expect(first).toBe(
      [
        '00:00:00Z  Ctrl-C ends',
        '',
        'CONNECTOR    TYPE  STATE       BACKLOG  RECORDS/S  SLICES',
        "and more: name some, such as 'shop-*'",
        '',
      ].join('\n'),
    );
    expect(second).toContain('00:00:02Z');
  });

  test('tells without a terminal what is another than it was, in a line of its own', async () => {
    const { api, time } = await aMovingShop();

    const { out } = await said(['watch', 'orders', 'other', '--every', '2', '--count', '2'], {
      ...{ fetch: fetchOf(api), ...time },
    });

    expect(out.split('\n')).toEqual([
      '1970-01-01T00:00:00.000Z orders UNASSIGNED backlog=0 rate=- slices=0',
      '1970-01-01T00:00:00.000Z other UNASSIGNED backlog=0 rate=- slices=0',
      '1970-01-01T00:00:02.000Z orders RUNNING backlog=0 rate=2 slices=0',
      '1970-01-01T00:00:02.000Z other UNASSIGNED backlog=4 rate=0 slices=0',
      '',
    ]);
  });

  test('ends well when it is interrupted', async () => {
    const api = aServer();
    await anOrdersSink(api);
    let interrupt = (): void => undefined;

    const { exitCode, out } = await said(['watch', '--json'], {
      fetch: fetchOf(api),
      onInterrupt: (end) => {
        interrupt = end;
        return () => undefined;
      },
      sleep: async () => interrupt(),
    });

    expect(exitCode).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ connectors: [{ connector: 'orders' }] });
  });
});

/** Files of connectors, by name, and what the command line says about them. */
function aFolder(files: Readonly<Record<string, unknown>>) {
  const folder = aTemporaryFolder();
  const write = (name: string, content: unknown): void => {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  const api = aServer();
  const fetch = fetchOf(api);
  return { api, folder, write, said: (...args: readonly string[]) => said([...args, '-f', folder], { fetch }) };
}

const VAULT = { 'connector.class': 'vault-sink', topics: 'orders', address: 'here', token: 'open sesame' };

describe('sortie apply', () => {
  test('creates what is not there, configures what is another, and leaves what is alike', async () => {
    const {
      api,
      write,
      said: run,
    } = aFolder({
      'a.json': { name: 'a', config: ORDERS },
      'b.yaml': 'name: b\nconnector.class: memory-append\ntopics: orders\n',
    });

    const first = await run('apply');
    const second = await run('apply');
    write('a.json', { name: 'a', config: { ...ORDERS, 'tasks.max': 2 } });
    const third = await run('apply');

    expect([first, second, third].map(({ out }) => out)).toEqual([
      'a: created\nb: created\n',
      'a: unchanged\nb: unchanged\n',
      'a: configured\nb: unchanged\n',
    ]);
    expect((await api.connector('a')).config).toMatchObject({ 'tasks.max': '2' });
  });

  test('changes nothing while one of them is wrong, and says where each fault is', async () => {
    const {
      api,
      folder,
      said: run,
    } = aFolder({
      'a.json': { name: 'a', config: ORDERS },
      'b.yaml': 'name: b\nconfig:\n  connector.class: memory-append\n  topics: orders\n  tasks.max: many\n  colour: red\n',
      'c.yaml': 'name: c\ntopics: orders\n',
      'd.yaml': 'name: d\nconnector.class: nobody\n',
    });

    const { exitCode, err, out } = await run('apply');

    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(err).toContain(`${folder}/b.yaml:5: b: tasks.max: must be a whole number`);
    expect(err).toContain(`${folder}/b.yaml:6: b: colour: is not a key`);
    expect(err).toContain(`${folder}/c.yaml:1: c: connector.class: Connector config {name, topics} contains no connector type`);
    expect(err).toContain(`${folder}/d.yaml:2: d: connector.class: Failed to find any class`);
    expect(err).toMatch(/\n {2}next: .*\n$/);
    expect(api.changed).toEqual([]);
  });

  test('tells of those that were applied, and of one that the server refused meanwhile', async () => {
    const { said: run } = aFolder({
      'a.json': [
        { name: 'a', config: ORDERS },
        { name: '..', config: ORDERS },
      ],
    });

    const { exitCode, err, out } = await run('apply');

    expect({ exitCode, out }).toEqual({ exitCode: 2, out: 'a: created\n' });
    expect(err).toContain('sortie: ..: ');
  });
});

describe('sortie plan', () => {
  test('shows what apply would do, key by key, and no secret', async () => {
    const {
      api,
      write,
      folder,
      said: run,
    } = aFolder({
      'new.json': { name: 'new', config: ORDERS },
      'same.json': { name: 'same', config: ORDERS },
      'vault.json': { name: 'vault', config: VAULT },
    });
    await run('apply');
    await api.ask('DELETE', '/connectors/new');
    write('vault.json', { name: 'vault', config: { ...VAULT, address: 'there', token: 'abracadabra', 'tasks.max': 2 } });

    const { exitCode, out } = await run('plan');

    expect(exitCode).toBe(0);
    expect(out.replace(/[0-9a-f]{12}\n$/, 'ID\n')).toBe(
      [
        `+ new: create (${folder}/new.json)`,
        `= same: unchanged (${folder}/same.json)`,
        `~ vault: change (${folder}/vault.json)`,
        '    ~ address: here -> there',
        '    + tasks.max: 2',
        '    ~ token: [hidden] -> [hidden]',
        '',
        `1 to create, 1 to change, 1 unchanged; to do exactly this: sortie apply -f ${folder} --plan ID`,
        '',
      ].join('\n'),
    );
  });

  test('takes a secret that is written as it is shown for the one that is stored', async () => {
    const { api, write, said: run } = aFolder({ 'vault.json': { name: 'vault', config: VAULT } });
    await run('apply');
    write('vault.json', (await api.ask('GET', '/connectors/vault')).body);
    const unchanged = await run('apply');
    write('vault.json', { name: 'vault', config: { ...VAULT, token: '[hidden]', address: 'there' } });

    const changed = await run('apply');

    expect([unchanged.out, changed.out]).toEqual(['vault: unchanged\n', 'vault: configured\n']);
    expect((await api.connector('vault')).config).toMatchObject({ address: 'there', token: VAULT.token });
  });

  test('hides what a key held that the plugin does not have any more', async () => {
    const { write, said: run } = aFolder({ 'vault.json': { name: 'vault', config: VAULT } });
    await run('apply');
    write('vault.json', { name: 'vault', config: ORDERS });

    const { out } = await run('plan', '--json');

    expect(out).not.toContain('open sesame');
    expect(JSON.parse(out)).toMatchObject({ connectors: [{ name: 'vault', change: 'change' }] });
  });

  test('is applied by its name as long as neither files nor connectors changed', async () => {
    const { said: run } = aFolder({ 'a.json': { name: 'a', config: ORDERS } });
    const id = await planId(run);

    const applied = await run('apply', '--plan', id);
    const again = await run('apply', '--plan', id);

    expect(applied).toMatchObject({ exitCode: 0, out: 'a: created\n' });
    expect(again).toMatchObject({ exitCode: 1, out: '' });
    expect(again.err).toContain(`sortie: the plan ${id} is stale`);
  });

  test.each([
    [
      'a file',
      async ({ write }: ReturnType<typeof aFolder>) => write('a.json', { name: 'a', config: { ...ORDERS, topics: 'other' } }),
    ],
    [
      'a connector',
      ({ api }: ReturnType<typeof aFolder>) => api.ask('PUT', '/connectors/a/config', { body: { ...ORDERS, 'tasks.max': '7' } }),
    ],
  ])('is stale once %s changed, and then nothing is applied', async (_, change) => {
    const folder = aFolder({ 'a.json': { name: 'a', config: { ...ORDERS, 'tasks.max': 2 } } });
    await folder.said('apply');
    folder.write('a.json', { name: 'a', config: { ...ORDERS, 'tasks.max': 3 } });
    const id = await planId(folder.said);
    await change(folder);
    const before = (await folder.api.connector('a')).revision;

    const { exitCode } = await folder.said('apply', '--plan', id);

    expect(exitCode).toBe(1);
    expect((await folder.api.connector('a')).revision).toBe(before);
  });
});

describe('sortie validate', () => {
  test('says which are valid, and everything that is wrong with the others', async () => {
    const { api, said: run } = aFolder({
      'a.json': { name: 'a', config: ORDERS },
      'b.json': { name: 'b', config: { ...ORDERS, 'tasks.max': 0, colour: 'red' } },
    });

    const { exitCode, out } = await run('validate', '--json');

    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ valid: ['a'], violations: [{ key: 'tasks.max' }, { key: 'colour' }] });
    expect(api.changed).toEqual([]);
  });

  test('ends well where nothing is wrong', async () => {
    const { said: run } = aFolder({ 'a.json': { name: 'a', config: ORDERS } });

    expect(await run('validate')).toEqual({ exitCode: 0, out: '1 valid connector\n', err: '' });
  });
});

async function planId(run: ReturnType<typeof aFolder>['said']): Promise<string> {
  return (JSON.parse((await run('plan', '--json')).out) as { readonly plan: string }).plan;
}
