import { describe, expect, test } from 'vitest';
import { assert } from '../../../core/assert.ts';
import { heldRanges } from '../../../core/cursor/cursor.ts';
import type { Effect } from '../../../plugins/api/sink.ts';
import { changeConfig } from '../../../scheduler/connector-actions.ts';
import { bytesOf } from '../../support/log-records.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';

const PARALLEL = { 'delivery.order': 'none' };

/** A shard whose first invocation died in its first put, five of its records unwritten. */
async function anAbandonedSink({
  effect = 'append' as Effect,
  config = {},
  mode = 'slice' as 'slice' | 'tail',
} = {}): Promise<SinkShard & { target: ReturnType<typeof memoryTarget> }> {
  const target = memoryTarget(effect);
  const sink = await aSinkShard({ target, values: numbered(5), config });
  target.beforeWrite = async () => assert(false, 'the process died');
  await sink.run({ mode }).catch(() => undefined);
  target.beforeWrite = () => Promise.resolve();
  return { ...sink, target };
}

describe('runInvocation of a slice whose holder died', () => {
  test('takes it once its deadline and the skew between clocks are past', async () => {
    const sink = await anAbandonedSink();

    const early = await sink.run();
    await sink.host.clock.sleep((early.notBeforeMs ?? 0) - sink.host.clock.nowMs() - 1);
    const still = await sink.run();
    await sink.host.clock.sleep(1);
    const { run } = await sink.run();

    expect([early.run.refusal, still.run.refusal]).toEqual(['held', 'held']);
    expect(early.notBeforeMs).toBe(early.run.startedAtMs + 25_000);
    expect(run.outcome).toBe('drained');
    expect(valuesIn(sink.target)).toEqual(numbered(5));
  });

  test('takes it at once where its end was seen', async () => {
    const sink = await anAbandonedSink();
    const [held] = heldRanges(await sink.cursor());
    const ended = [{ owner: held?.holder.owner ?? '', epoch: held?.epoch ?? 0, isGone: true }];

    const { run } = await sink.run({ ended });

    expect(run.outcome).toBe('drained');
    expect(valuesIn(sink.target)).toEqual(numbered(5));
  });

  test('waits also for the longest put into a target that is overwritten, though its end was seen', async () => {
    const sink = await anAbandonedSink({ effect: 'overwrite' });
    const [held] = heldRanges(await sink.cursor());
    const ended = [{ owner: held?.holder.owner ?? '', epoch: held?.epoch ?? 0, isGone: true }];

    const { run, notBeforeMs } = await sink.run({ ended });

    expect(run.refusal).toBe('held');
    expect(notBeforeMs).toBe(run.startedAtMs + 35_000);
  });

  test('lets no put of a dead holder land last where puts were given less time since', async () => {
    // 1. A put may take ten seconds, and its process dies in it; the request is on its way and lands at the last moment.
    // 2. An operator lowers the limit to one second.
    // 3. The range is claimed again, and put anew.
    const target = memoryTarget('overwrite');
    const key = new Uint8Array([107]);
    const sink = await aSinkShard({ target, values: [{ key, value: bytesOf('old') }], config: { 'put.timeout.ms': '10000' } });
    const lands: string[] = [];
    target.beforeWrite = async () => {
      void sink.host.clock.sleep(20_000 + 10_000).then(() => lands.push('of the dead holder'));
      assert(false, 'the process died');
    };
    await sink.run().catch(() => undefined);
    target.beforeWrite = async () => void lands.push('of its successor');
    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'put.timeout.ms': '1000' });

    const { notBeforeMs } = await sink.run();
    await sink.host.clock.sleep((notBeforeMs ?? 0) - sink.host.clock.nowMs());
    await sink.run();

    expect(lands).toEqual(['of the dead holder', 'of its successor']);
  });

  test('takes over a tail as a slice that ends', async () => {
    const sink = await anAbandonedSink({ mode: 'tail' });
    await sink.host.clock.sleep(25_000);

    const { run } = await sink.run({ slice: { records: 3 } });

    expect(run).toMatchObject({ outcome: 'yielded', counts: { slices: 1, read: 3 } });
    expect(await sink.cursor()).toMatchObject({ next: 3n, open: [] });
  });

  test('counts the deaths of a range, and forgets them with progress', async () => {
    const sink = await anAbandonedSink({ config: { 'consumer.override.max.poll.records': '1' } });
    await sink.host.clock.sleep(25_000);
    const dead = heldRanges(await sink.cursor());

    await sink.run({ slice: { durationMs: 0 } });

    expect(dead).toMatchObject([{ deaths: 0 }]);
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 1n, end: 5n, deaths: 0 }] });
  });
});

describe('runInvocation of several slices of a queue at once', () => {
  /** How many of eight invocations of two records each get a slice while the first one writes. */
  async function slicesAtOnce(effect: Effect, config: Record<string, string>): Promise<number> {
    const target = memoryTarget(effect);
    const sink = await aSinkShard({ target, values: numbered(20), config });
    target.beforeWrite = () => sink.host.clock.sleep(100);

    const results = await Promise.all(
      Array.from({ length: 8 }, () => sink.run({ slice: { records: 2 } }, { on: sink.anotherHost() })),
    );

    return results.filter(({ run }) => run.outcome !== null).length;
  }

  test.each<[Effect, Record<string, string>, number]>([
    ['versioned', {}, 4],
    ['versioned', { 'queue.slices.max': '2' }, 2],
    ['append', PARALLEL, 4],
    ['append', {}, 1],
    ['transactional', PARALLEL, 1],
    ['overwrite', PARALLEL, 1],
  ])('allows a target that is %s, with %o, %i', async (effect, config, slices) => {
    expect(await slicesAtOnce(effect, config)).toBe(slices);
  });

  test('gives each its own records (I4)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(8), config: PARALLEL });
    target.beforeWrite = () => sink.host.clock.sleep(100);

    await Promise.all(Array.from({ length: 4 }, () => sink.run({ slice: { records: 2 } }, { on: sink.anotherHost() })));

    expect([...valuesIn(target)].sort()).toEqual(numbered(8));
    expect(await sink.cursor()).toMatchObject({ next: 8n, open: [] });
  });

  test('keeps the watermark below a slice that failed while later ones are finished (I1)', async () => {
    const target = memoryTarget('versioned');
    const sink = await aSinkShard({ target, values: numbered(6) });
    target.beforeWrite = async ({ epoch }) => {
      if (epoch !== 1) return;
      await sink.host.clock.sleep(500);
      throw new Error('who knows');
    };

    await Promise.all(
      Array.from({ length: 3 }, () => sink.run({ slice: { records: 2 } }, { on: sink.anotherHost(), limitMs: 4_000 })),
    );

    expect(await sink.cursor()).toMatchObject({ next: 6n, open: [{ kind: 'free', start: 0n, end: 2n }] });
  });
});
