import { describe, expect, test } from 'vitest';
import { RetryableError } from '../../../core/errors.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, valuesIn } from '../../support/sink-shard.ts';
import { throwing } from '../../support/throwing.ts';
import { type WatchedSink, watchedSink } from '../../support/watched-sink.ts';

describe('runInvocation when a writer does not answer', () => {
  const never = (): Promise<never> => new Promise(() => undefined);

  /** Hangs in one call, and once only. */
  function hangingOnce(call: 'put' | 'flush' | 'begin'): WatchedSink {
    const target = memoryTarget(call === 'begin' ? 'transactional' : 'append');
    const plugin = memorySink(target);
    let hung = false;
    return watchedSink({
      ...plugin,
      open: async (config, context) => {
        const writer = await plugin.open(config, context);
        if (hung) return writer;
        hung = true;
        return { ...writer, [call]: never };
      },
    });
  }

  test('gives a put up after put.timeout.ms, and never uses its writer again', async () => {
    const { plugin, calls } = hangingOnce('put');
    const sink = await aSinkShard({ plugin, values: ['a'], config: { 'put.timeout.ms': '3000' } });

    const { run } = await sink.run();
    await sink.untilClaimable();
    await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'target.timed_out', stage: 'put' } });
    expect(run.endedAtMs - run.startedAtMs).toBe(3_000);
    expect(calls).toEqual(['open', 'put 1', 'close', 'open', 'put 1', 'flush']);
  });

  test.each(['begin', 'flush'] as const)('gives a %s up within its claim', async (call) => {
    const { plugin } = hangingOnce(call);
    const sink = await aSinkShard({ plugin, values: ['a'] });

    const { run } = await sink.run();
    await sink.untilClaimable();
    const next = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'target.timed_out', stage: 'put' } });
    expect(run.endedAtMs - run.startedAtMs).toBeLessThanOrEqual(20_000);
    expect(next.run.outcome).toBe('drained');
  });

  test('gives an open up within its claim, and closes the writer that comes too late', async () => {
    let closed = 0;
    const plugin = memorySink(memoryTarget('append'));
    const sink = await aSinkShard({
      plugin: {
        ...plugin,
        open: async (config, context) => {
          await context.clock.sleep(30_000);
          const close = async (): Promise<void> => {
            closed += 1;
          };
          return { ...(await plugin.open(config, context)), close };
        },
      },
      values: ['a'],
    });

    const { run } = await sink.run();
    await sink.host.clock.sleep(20_000);

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'target.timed_out' } });
    expect(closed).toBe(1);
  });

  test('commits nothing that was not flushed (I1)', async () => {
    const target = memoryTarget('append');
    const flush = throwing(new RetryableError('not durable'), 2);
    const plugin = memorySink(target);
    const sink = await aSinkShard({
      plugin: { ...plugin, open: async (config, context) => ({ ...(await plugin.open(config, context)), flush }) },
      values: numbered(2),
    });

    const { run } = await sink.run();
    const cursor = await sink.cursor();
    await sink.untilClaimable();
    await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { message: 'not durable' } });
    expect(cursor).toMatchObject({ next: 2n, open: [{ start: 0n, end: 2n }] });
    expect(await sink.cursor()).toMatchObject({ next: 2n, open: [] });
  });

  test('does not put again what a late put has delivered (frozen process)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: ['a'] });
    target.beforeWrite = async () => sink.host.clock.jump(18_500);

    await sink.run();
    target.beforeWrite = () => Promise.resolve();
    await sink.run();

    expect(valuesIn(target)).toEqual(['a']);
    expect(await sink.cursor()).toMatchObject({ next: 1n, open: [] });
  });
});
