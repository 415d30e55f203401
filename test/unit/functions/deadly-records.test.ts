import { describe, expect, test } from 'vitest';
import { assert } from '../../../core/assert.ts';
import type { Offer } from '../../../core/offer.ts';
import { restartShards } from '../../../scheduler/connector-actions.ts';
import { DEAD_LETTERS } from '../../support/configs.ts';
import { memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';
import { aSourceShard, recordsOf, type SourceShard, valuesOf } from '../../support/source-shard.ts';

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
    await shard.host.clock.sleep(26_000);
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
});
