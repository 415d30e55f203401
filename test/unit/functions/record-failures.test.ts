import { describe, expect, test } from 'vitest';
import { RecordError, RetryableError } from '../../../core/errors.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { Effect } from '../../../plugins/api/sink.ts';
import { restartShards } from '../../../scheduler/connector-actions.ts';
import { DEAD_LETTERS } from '../../support/configs.ts';
import { brokerUnavailable, brokerWith } from '../../support/faulty-ports.ts';
import { bytesOf } from '../../support/log-records.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { type MemoryTarget, memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';
import { recordsOf, valuesOf } from '../../support/source-shard.ts';
import { watchedSink } from '../../support/watched-sink.ts';

type TargetOf<Chosen extends Effect> = Extract<MemoryTarget, { readonly effect: Chosen }>;

const EFFECTS = ['transactional', 'versioned', 'append', 'overwrite'] as const;
const TOLERANT = { 'errors.tolerance': 'all' };

/** The target has something against these values, `times` times each. */
function refuse(
  target: MemoryTarget,
  values: readonly string[],
  error: RecordError | RetryableError,
  times = Number.POSITIVE_INFINITY,
): void {
  const seen = new Map<string, number>();
  const earlier = target.refusal;
  target.refusal = (record: ConnectRecord) => {
    const value = String(record.value);
    const count = (seen.get(value) ?? 0) + 1;
    if (!values.includes(value) || count > times) return earlier(record);
    seen.set(value, count);
    return error;
  };
}

async function aSink<Chosen extends Effect>(
  effect: Chosen,
  config: Record<string, string> = {},
): Promise<{ readonly sink: SinkShard; readonly target: TargetOf<Chosen>; readonly calls: readonly string[] }> {
  const target = memoryTarget(effect);
  const { plugin, calls } = watchedSink(memorySink(target));
  const sink = await aSinkShard({ plugin, values: numbered(5).map((value) => keyed(value)), config });
  return { sink, target, calls };
}

const puts = (calls: readonly string[]): string[] => calls.filter((call) => call.startsWith('put'));

describe.each(EFFECTS)('runInvocation of a %s target', (effect) => {
  test('delivers the rest when one record is refused and tolerated', async () => {
    const { sink, target } = await aSink(effect, TOLERANT);
    refuse(target, ['2'], new RecordError('not this one'));

    const { run } = await sink.run();

    expect(valuesIn(target)).toEqual(['0', '1', '3', '4']);
    expect(run).toMatchObject({ outcome: 'drained', counts: { read: 5, delivered: 4, dropped: 1 } });
    expect(await sink.cursor()).toMatchObject({ next: 5n, open: [] });
  });

  test('fails its shard exactly at a refused record that is not tolerated (I1)', async () => {
    const { sink, target } = await aSink(effect);
    refuse(target, ['2'], new RecordError('not this one', { code: 'record.too_large' }));

    const { run } = await sink.run();

    expect(run).toMatchObject({
      outcome: 'failed',
      counts: { read: 5, delivered: 2 },
      error: { code: 'record.too_large', stage: 'put', message: 'not this one', position: 'orders/memory/0@2' },
    });
    expect(await sink.cursor()).toMatchObject({
      status: { state: 'failed', code: 'record.too_large' },
      next: 5n,
      open: [{ kind: 'free', start: 2n, end: 5n }],
    });
  });

  test('goes on at the refused record once somebody has acted', async () => {
    const { sink, target } = await aSink(effect);
    refuse(target, ['2'], new RecordError('not this one'), 1);
    await sink.run();

    const refused = await sink.run();
    await restartShards(sink.host, sink.connector);
    await sink.untilClaimable();
    const { run } = await sink.run();

    expect(refused.run.refusal).toBe('failed');
    expect(run).toMatchObject({ outcome: 'drained', counts: { read: 3, delivered: 3 } });
    expect(new Set(valuesIn(target))).toEqual(new Set(numbered(5)));
  });

  test('fails at the first record already', async () => {
    const { sink, target } = await aSink(effect);
    refuse(target, ['0'], new RecordError('not this one'));

    const { run } = await sink.run();

    expect(run.counts).toMatchObject({ delivered: 0 });
    expect(await sink.cursor()).toMatchObject({ open: [{ start: 0n, end: 5n }] });
  });

  test('puts what failed for now again, until it is in', async () => {
    const { sink, target } = await aSink(effect);
    refuse(target, ['1', '3'], new RetryableError('busy'), 2);

    const { run } = await sink.run();

    expect(new Set(valuesIn(target))).toEqual(new Set(numbered(5)));
    expect(run).toMatchObject({ outcome: 'drained', counts: { read: 5, delivered: 5 } });
    expect(run.counts.retries).toBeGreaterThanOrEqual(2);
  });

  test('stops at the refused record, and delivers those before it that failed for now (I1)', async () => {
    const { sink, target } = await aSink(effect);
    refuse(target, ['3'], new RecordError('not this one'));
    refuse(target, ['1'], new RetryableError('busy'), 1);

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', counts: { delivered: 3 }, error: { position: 'orders/memory/0@3' } });
    expect(new Set(valuesIn(target).filter((value) => value < '3'))).toEqual(new Set(['0', '1', '2']));
    expect(await sink.cursor()).toMatchObject({ open: [{ start: 3n, end: 5n }] });
  });

  test('dead-letters what is refused and delivers what failed for now (I5)', async () => {
    const { sink, target } = await aSink(effect, DEAD_LETTERS);
    refuse(target, ['3'], new RecordError('not this one'));
    refuse(target, ['1'], new RetryableError('busy'), 1);

    const { run } = await sink.run();

    expect(new Set(valuesIn(target))).toEqual(new Set(['0', '1', '2', '4']));
    expect(valuesOf(await recordsOf(sink.log, 'refused-orders'))).toEqual(['3']);
    expect(run).toMatchObject({ outcome: 'drained', counts: { read: 5, delivered: 4, deadLettered: 1 } });
  });

  test('delivers nothing of a batch of which every record is refused', async () => {
    const { sink, target } = await aSink(effect, DEAD_LETTERS);
    refuse(target, numbered(5), new RecordError('none of them'));

    const { run } = await sink.run();

    expect(valuesIn(target)).toEqual([]);
    expect(valuesOf(await recordsOf(sink.log, 'refused-orders'))).toEqual(numbered(5));
    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 0, deadLettered: 5 } });
  });
});

describe('runInvocation when some records of a put fail for now', () => {
  test('puts only those again into a versioned target', async () => {
    const { sink, target, calls } = await aSink('versioned');
    refuse(target, ['1', '3'], new RetryableError('busy'), 1);

    await sink.run();

    expect(puts(calls)).toEqual(['put 5', 'put 2']);
  });

  test.each(['append', 'overwrite'] as const)(
    'puts everything from the first of them on again into an %s target (I7)',
    async (effect) => {
      const { sink, target, calls } = await aSink(effect);
      refuse(target, ['2'], new RetryableError('busy'), 1);

      await sink.run();

      expect(puts(calls)).toEqual(['put 5', 'put 3']);
    },
  );

  test('keeps the order of an append target (I7)', async () => {
    const { sink, target } = await aSink('append');
    refuse(target, ['2'], new RetryableError('busy'), 1);

    await sink.run();

    // 3 and 4 were taken the first time too: at least once.
    expect(valuesIn(target)).toEqual(['0', '1', '3', '4', '2', '3', '4']);
  });

  test('puts all of the batch again into a transactional target, which took nothing', async () => {
    const { sink, target, calls } = await aSink('transactional');
    refuse(target, ['2'], new RetryableError('busy'), 1);

    await sink.run();

    expect(puts(calls)).toEqual(['put 5', 'put 5']);
    expect(valuesIn(target)).toEqual(numbered(5));
  });

  test('judges a refused record behind them again, when its turn has come', async () => {
    const { sink, target } = await aSink('append', TOLERANT);
    refuse(target, ['3'], new RecordError('not this one'), 1);
    refuse(target, ['1'], new RetryableError('busy'), 1);

    const { run } = await sink.run();

    expect(run.counts).toMatchObject({ dropped: 0, delivered: 5 });
    expect(valuesIn(target)).toContain('3');
  });

  test('waits as long as the target asks', async () => {
    const { sink, target } = await aSink('append');
    refuse(target, ['2'], new RetryableError('busy', { retryAfterMs: 5_000 }), 1);

    const { run } = await sink.run();

    expect(run.endedAtMs - run.startedAtMs).toBe(5_000);
  });
});

describe('runInvocation of a versioned target that refuses records', () => {
  test('counts what it delivered also where no dead letter can be sent (I10)', async () => {
    const target = memoryTarget('versioned');
    const sink = await aSinkShard({
      target,
      values: numbered(3).map((value) => keyed(value)),
      config: DEAD_LETTERS,
      broker: (broker) => brokerWith(broker, { send: () => Promise.reject(brokerUnavailable()) }),
    });
    refuse(target, ['2'], new RecordError('not this one'));

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', counts: { read: 3, delivered: 2, deadLettered: 0 } });
  });
});

describe('runInvocation of a transactional target that refuses records', () => {
  test('dead-letters them before the target stands behind them (I5)', async () => {
    const { sink, target } = await aSink('transactional', DEAD_LETTERS);
    refuse(target, ['1', '3'], new RecordError('not this one'));
    const order: string[] = [];
    target.beforeWrite = async () => {
      const letters = await sink.log.queues('refused-orders');
      order.push(`${letters.length} topics, position ${JSON.stringify(target.rows.get(sink.shard)?.position)}`);
    };

    await sink.run();

    expect(order).toEqual(['0 topics, position undefined', '0 topics, position null', '1 topics, position null']);
    expect(target.rows.get(sink.shard)?.position).toBe('5');
    expect(valuesIn(target)).toEqual(['0', '2', '4']);
  });

  test('leaves the target right before a record that is not tolerated', async () => {
    const { sink, target } = await aSink('transactional');
    refuse(target, ['2', '3'], new RecordError('not these'));

    await sink.run();

    expect(valuesIn(target)).toEqual(['0', '1']);
    expect(target.rows.get(sink.shard)?.position).toBe('2');
  });
});

/** Its value is its key. */
function keyed(value: string): { readonly key: Uint8Array; readonly value: Uint8Array } {
  return { key: bytesOf(value), value: bytesOf(value) };
}
