import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../../core/assert.ts';
import { FatalTaskError, FencedError, RecordError, RetryableError } from '../../../core/errors.ts';
import type { SinkPlugin, SinkWriter } from '../../../plugins/api/sink.ts';
import { setTargetState } from '../../../scheduler/connector-actions.ts';
import { RunSum } from '../../../scheduler/metrics/run-sum.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard } from '../../support/sink-shard.ts';

const plain = memorySink(memoryTarget('append'));

function sinkWith(changed: (writer: SinkWriter) => Partial<SinkWriter>): SinkPlugin {
  return {
    ...plain,
    open: async (...args) => {
      const writer = await plain.open(...args);
      return { ...writer, ...changed(writer) };
    },
  };
}

/** Four records in two batches; the connector is paused while the first of them is put. */
async function pausedInTheMiddle(flush: () => Promise<void>): Promise<SinkShard> {
  let puts = 0;
  const sink: SinkShard = await aSinkShard({
    values: numbered(4),
    config: { 'consumer.override.max.poll.records': '2' },
    plugin: sinkWith(() => ({
      flush,
      put: async () => {
        puts += 1;
        if (puts === 1) await setTargetState(sink.host, 'orders-sink', 'paused');
        await sink.host.clock.sleep(1_500);
        return { failures: [] };
      },
    })),
  });
  return sink;
}

describe('the last flush of a slice that ends early', () => {
  test('says in the run record why nothing was committed', async () => {
    const sink = await pausedInTheMiddle(() => Promise.reject(new RetryableError('the disk is full')));

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'yielded', error: { stage: 'put', message: 'the disk is full' } });
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 0n }] });
  });

  test('ends the slice where the target has a newer epoch', async () => {
    const sink = await pausedInTheMiddle(() => Promise.reject(new FencedError('a newer epoch')));

    const { run } = await sink.run();

    expect(run.outcome).toBe('fenced');
    expect(run.error).toBeUndefined();
  });

  test('crashes the invocation where the program is wrong', async () => {
    const sink = await pausedInTheMiddle(() => Promise.reject(new AssertionError('the writer is wrong')));

    await expect(sink.run()).rejects.toThrow('the writer is wrong');
  });
});

describe('a writer that is told of the end of its invocation', () => {
  test('is closed where that fails, and everything stays committed', async () => {
    const calls: string[] = [];
    const plugin = sinkWith((writer) => ({
      rest: () => Promise.reject(new Error('the disk is full')),
      close: async () => {
        calls.push('close');
        await writer.close();
      },
    }));
    const sink = await aSinkShard({ plugin, values: ['a'] });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'drained', error: { stage: 'put', message: 'the disk is full' } });
    expect(calls).toEqual(['close']);
    expect(await sink.cursor()).toMatchObject({ next: 1n, open: [] });
  });
});

describe('a writer that fails once its slice has failed', () => {
  const fullDisk = {
    'at its last flush': { flush: () => Promise.reject(new RetryableError('the disk is full')) },
    'when it is told of the end': { rest: () => Promise.reject(new Error('the disk is full')) },
  };

  test.each(Object.entries(fullDisk))(
    'leaves the refused record in the run record, with its position: %s (I10)',
    async (_, failing) => {
      const error = new RecordError('no such column', { code: 'record.conversion_failed' });
      const plugin = sinkWith(() => ({ ...failing, put: async () => ({ failures: [{ index: 0, error }] }) }));
      const sink = await aSinkShard({ plugin, values: ['a', 'b'] });

      const { run } = await sink.run();

      expect(run).toMatchObject({
        outcome: 'failed',
        error: { code: 'record.conversion_failed', message: 'no such column', position: 'orders/memory/0@0' },
      });
      const sum = new RunSum();
      sum.add(run);
      expect(sum.refused).toBe(1);
      expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'record.conversion_failed' } });
    },
  );

  test.each(Object.entries(fullDisk))(
    'leaves the error that failed the shard in the run record: %s (I10)',
    async (_, failing) => {
      const error = new FatalTaskError('the table is gone');
      const plugin = sinkWith(() => ({ ...failing, put: () => Promise.reject(error) }));
      const sink = await aSinkShard({ plugin, values: ['a'] });

      const { run } = await sink.run();

      expect(run).toMatchObject({ outcome: 'failed', error: { code: 'task.failed', message: 'the table is gone' } });
      expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'task.failed' } });
    },
  );
});
