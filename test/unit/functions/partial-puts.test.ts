import { describe, expect, test } from 'vitest';
import { RecordError, RetryableError } from '../../../core/errors.ts';
import type { PutBatch, PutResult, SinkPlugin } from '../../../plugins/api/sink.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { type MemoryTarget, memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';

describe('runInvocation when a sink takes only the first records of a put', () => {
  test('puts the others again at once, in their order', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ plugin: takingAtMost(3, { target }), values: numbered(10) });

    const { run } = await sink.run();

    expect(valuesIn(target)).toEqual(numbered(10));
    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 10, retries: 0 } });
    expect(run.endedAtMs).toBe(run.startedAtMs);
  });

  test('goes on behind them where the time of the slice was over in the middle of a batch', async () => {
    const target = memoryTarget('append');
    const sink: SinkShard = await aSinkShard({
      plugin: takingAtMost(1, { target, before: () => sink.host.clock.sleep(4_000) }),
      values: numbered(10),
    });

    const first = await sink.run();
    const { open, next } = await sink.cursor();
    await sink.run();
    await sink.run();

    expect(first.run.outcome).toBe('yielded');
    expect([open, next]).toMatchObject([[{ kind: 'free', start: 4n, end: 10n }], 10n]);
    expect(valuesIn(target)).toEqual(numbered(10));
  });

  test('goes on behind them where the record after them keeps failing', async () => {
    const target = memoryTarget('append');
    const busy = { index: 2, error: new RetryableError('busy') };
    const sink = await aSinkShard({
      plugin: takingAtMost(2, { target, failures: ({ records }) => (records.length === 5 ? [busy] : [{ ...busy, index: 0 }]) }),
      values: numbered(5),
    });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { message: 'busy' }, counts: { delivered: 2 } });
    expect((await sink.cursor()).open).toMatchObject([{ start: 2n, end: 5n, error: 'target.unavailable' }]);
  });

  test('fails at a refused record, and nothing behind what was taken is put', async () => {
    const target = memoryTarget('append');
    const refused = { index: 1, error: new RecordError('no') };
    const sink = await aSinkShard({ plugin: takingAtMost(2, { target, failures: () => [refused] }), values: numbered(5) });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { message: 'no' }, counts: { delivered: 1 } });
    expect(valuesIn(target)).toEqual(['0']);
    expect((await sink.cursor()).open).toMatchObject([{ start: 1n, end: 5n }]);
  });

  test('tries a bounded number of times where it takes none and does not say why', async () => {
    const sink = await aSinkShard({ plugin: takingAtMost(0, { target: memoryTarget('append') }), values: ['a'] });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'plugin.failed' } });
  });
});

/** `failures` of each put; those records do not reach the target. */
function takingAtMost(
  count: number,
  {
    target,
    before = () => Promise.resolve(),
    failures = () => [],
  }: {
    readonly target: MemoryTarget;
    readonly before?: () => Promise<void>;
    readonly failures?: (batch: PutBatch) => PutResult['failures'];
  },
): SinkPlugin {
  const plugin = memorySink(target);
  return {
    ...plugin,
    open: async (config, context) => {
      const writer = await plugin.open(config, context);
      return {
        flush: () => Promise.resolve(),
        close: () => writer.close(),
        put: async (batch, signal) => {
          await before();
          const failed = failures(batch);
          const taken = Math.min(count, batch.records.length);
          const isTaken = (_: unknown, index: number): boolean => index < taken && failed.every((one) => one.index !== index);
          await writer.put({ ...batch, records: batch.records.filter(isTaken) }, signal);
          return { failures: failed, taken };
        },
      };
    },
  };
}
