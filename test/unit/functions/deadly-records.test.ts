import { describe, expect, test } from 'vitest';
import { assert } from '../../../core/assert.ts';
import type { Offer } from '../../../core/offer.ts';
import { restartShards } from '../../../scheduler/connector-actions.ts';
import { DEAD_LETTERS } from '../../support/configs.ts';
import { brokerWith } from '../../support/faulty-ports.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';
import { aSourceShard, recordsOf, type SourceShard, valuesOf } from '../../support/source-shard.ts';
import { watchedSink } from '../../support/watched-sink.ts';

/** Every invocation that touches `value` dies: nothing is said, and its claim runs out. */
async function aSinkThatDiesOf(
  value: string,
  config: Record<string, string>,
): Promise<{ sink: SinkShard; target: ReturnType<typeof memoryTarget<'append'>> }> {
  const target = memoryTarget('append');
  target.refusal = (record) => {
    assert(record.value !== value, `died of ${value}`);
    return undefined;
  };
  const sink = await aSinkShard({ target, values: numbered(8), config });
  return { sink, target };
}

/** Invocations one after the other, each once the one before may be taken for dead. */
async function runAndDie(shard: SinkShard | SourceShard, times: number, offer: Partial<Offer> = {}): Promise<void> {
  for (let round = 0; round < times; round += 1) {
    await shard.run(offer, { on: shard.anotherHost() }).catch(() => undefined);
    // A claim, the skew, and as long as a send may take that was on its way.
    await shard.host.clock.sleep(57_000);
  }
}

describe('runInvocation of a record of which every invocation dies', () => {
  test('closes in on it by halves, and delivers everything before it', async () => {
    const { sink, target } = await aSinkThatDiesOf('5', {});

    await runAndDie(sink, 12);

    expect(new Set(valuesIn(target))).toEqual(new Set(numbered(5)));
    expect((await sink.cursor()).open).toMatchObject([{ start: 5n, end: 6n }]);
  });

  test('fails its shard at it without tolerance, with its place (I10)', async () => {
    const { sink } = await aSinkThatDiesOf('5', {});

    await runAndDie(sink, 20);

    const cursor = await sink.cursor();
    expect(cursor).toMatchObject({ status: { state: 'failed', code: 'record.deadly' }, open: [{ start: 5n, end: 6n }] });
  });

  test('lets it go to the dead-letter topic when others of the connector commit', async () => {
    const { sink, target } = await aSinkThatDiesOf('5', DEAD_LETTERS);

    await runAndDie(sink, 20, { peersCommit: true });

    expect(valuesOf(await recordsOf(sink.log, 'refused-orders'))).toEqual(['5']);
    expect(new Set(valuesIn(target))).toEqual(new Set(numbered(8).filter((value) => value !== '5')));
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, next: 8n, open: [] });
  });

  test('says in the letter that invocations died of it', async () => {
    const { sink } = await aSinkThatDiesOf('5', DEAD_LETTERS);

    await runAndDie(sink, 20, { peersCommit: true });

    const [letter] = await recordsOf(sink.log, 'refused-orders');
    expect(Object.fromEntries(letter?.headers ?? [])).toMatchObject({
      'sortie.errors.code': 'record.deadly',
      'sortie.errors.message': '5 invocations died on it',
    });
  });

  test('blames no record that the target holds, for its put had landed', async () => {
    const target = memoryTarget('transactional');
    let dies = true;
    const { plugin } = watchedSink(memorySink(target), { flush: async () => assert(!dies, 'died of the flush') });
    const sink = await aSinkShard({ plugin, values: ['0'], config: DEAD_LETTERS });
    await runAndDie(sink, 5, { peersCommit: true });

    dies = false;
    const { run } = await sink.run({ peersCommit: true });

    expect(run).toMatchObject({ outcome: 'drained', counts: { deadLettered: 0 } });
    expect(await sink.log.topics()).toEqual(['orders']);
    expect(valuesIn(target)).toEqual(['0']);
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, next: 1n, open: [] });
  });

  test('blames no record while nobody else of the connector commits', async () => {
    const { sink } = await aSinkThatDiesOf('5', DEAD_LETTERS);

    await runAndDie(sink, 20, { peersCommit: false });

    expect(await sink.log.topics()).toEqual(['orders']);
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'record.deadly' } });
  });

  test('tries it again when somebody says so', async () => {
    const { sink, target } = await aSinkThatDiesOf('5', { 'auto.restart.max.attempts': '0' });
    await runAndDie(sink, 20);

    target.refusal = () => undefined;
    await restartShards(sink.host, sink.connector);
    await runAndDie(sink, 5);

    expect(new Set(valuesIn(target))).toEqual(new Set(numbered(8)));
  });
});

describe('runInvocation of a source of which every invocation dies', () => {
  test('drops nothing but what it can name (I1)', async () => {
    const system = memorySystem({ rows: rows(10) });
    const source = await aSourceShard({ system, exactlyOnce: true, config: { 'errors.tolerance': 'all' } });
    let dies = true;
    system.beforePoll = async () => assert(!dies, 'died of a poll');
    await runAndDie(source, 8, { peersCommit: true });

    dies = false;
    await source.run({ peersCommit: true });

    expect(valuesOf(await source.sent())).toEqual(rows(10).map(({ value }) => value));
  });

  test('gets on batch by batch where none lives until the end of a slice', async () => {
    const system = memorySystem({ rows: rows(20) });
    const source = await aSourceShard({ system, exactlyOnce: true, config: { 'consumer.override.max.poll.records': '2' } });
    let polls = 0;
    system.beforePoll = async () => {
      polls += 1;
      assert(polls % 4 !== 0, 'died of its fourth poll');
    };

    await runAndDie(source, 20);

    expect(await source.cursor()).toMatchObject({ status: { state: 'active' }, checkpoint: { p: { row: 20 } } });
    expect(valuesOf(await source.sent())).toEqual(rows(20).map(({ value }) => value));
  });

  test.each([
    ['dies before the end of its slice', 0],
    ['dies once it has sent something', 1],
  ])('begins once, though the first to begin %s', async (_, polls) => {
    const plugin = memorySource(memorySystem({ rows: rows(4) }), { exactlyOnce: true });
    let begins = 0;
    let polled = 0;
    let dies = true;
    const source = await aSourceShard({
      config: { 'consumer.override.max.poll.records': '2' },
      plugin: {
        ...plugin,
        open: async (config, names, checkpoint, context) => {
          const reader = await plugin.open(config, names, checkpoint, context);
          let at = checkpoint;
          return {
            poll: async (limits, signal) => {
              if (at === null) {
                begins += 1;
                at = { row: begins };
                return { records: [], checkpoint: at };
              }
              polled += 1;
              assert(!dies || polled <= polls, 'died of a poll');
              return reader.poll(limits, signal);
            },
            close: () => reader.close(),
          };
        },
      },
    });
    await runAndDie(source, 1);

    dies = false;
    await source.run();

    expect(begins).toBe(1);
  });

  test('fails after five deaths in a row, and each automatic restart has as many again (I10)', async () => {
    const system = memorySystem({ rows: rows(10) });
    const source = await aSourceShard({ system, exactlyOnce: true, config: { 'auto.restart.max.attempts': '1' } });
    system.beforePoll = async () => assert(false, 'died of a poll');

    await runAndDie(source, 5);
    const { run } = await source.run();
    const failed = await source.cursor();
    await source.host.clock.sleep(3_600_000);
    await runAndDie(source, 6);

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'source.deadly' } });
    expect(failed).toMatchObject({
      holder: null,
      status: { state: 'failed', code: 'source.deadly', retryAtMs: expect.any(Number) },
    });
    expect(await source.cursor()).toMatchObject({ status: { state: 'failed', code: 'source.deadly', retryAtMs: null } });
  });

  test('closes the writer that was kept for it, when it fails without one', async () => {
    const system = memorySystem({ rows: rows(1) });
    const { plugin, count } = watchedSink(memorySink(memoryTarget('append')));
    const source = await aSourceShard({ system, exactlyOnce: true, sink: plugin });
    await source.run();
    system.beforePoll = async () => assert(false, 'died of a poll');
    await runAndDie(source, 5);
    const closed = count('close');

    const { run } = await source.run();

    expect(run.error).toMatchObject({ code: 'source.deadly' });
    expect(count('close')).toBe(closed + 1);
  });

  test('knows after a restart what it had sent before it failed', async () => {
    const system = memorySystem({ rows: rows(10) });
    let dies = true;
    const source = await aSourceShard({
      system,
      exactlyOnce: true,
      broker: (broker) =>
        brokerWith(broker, {
          send: async (...batch) => {
            const result = await broker.send(...batch);
            assert(!dies, 'died of a reply');
            return result;
          },
        }),
      config: { 'auto.restart.max.attempts': '0' },
    });
    await runAndDie(source, 1);
    system.beforePoll = async () => assert(!dies, 'died of a poll');
    await runAndDie(source, 5);
    const { status } = await source.cursor();

    dies = false;
    await restartShards(source.host, source.connector);
    await source.run();

    expect(status).toMatchObject({ state: 'failed', code: 'source.deadly' });
    expect(valuesOf(await source.sent())).toEqual(rows(10).map(({ value }) => value));
  });
});
