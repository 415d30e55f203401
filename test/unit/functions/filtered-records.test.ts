import { describe, expect, test } from 'vitest';
import { watermark } from '../../../core/cursor/cursor.ts';
import { offset } from '../../../core/offset.ts';
import type { OutgoingRecord } from '../../../core/ports.ts';
import { brokerUnavailable, brokerWith } from '../../support/faulty-ports.ts';
import { bytesOf } from '../../support/log-records.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, valuesIn } from '../../support/sink-shard.ts';

const ONLY_A = { 'consumer.override.filter.tags': 'a || x' };

/** Longer than clocks may differ, so that store times tell logs apart. */
const LATER_MS = 10_000;

/** A record for each tag: its value is the tag and its number. */
function tagged(tags: string): readonly Partial<OutgoingRecord>[] {
  return [...tags].map((tag, index) => ({ tag, value: bytesOf(`${tag}${index}`) }));
}

describe('runInvocation with a filter', () => {
  test('delivers what passes, and moves the watermark behind what does not', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: tagged('abbxb'), config: ONLY_A });

    const { run } = await sink.run();

    expect(valuesIn(target)).toEqual(['a0', 'x3']);
    expect(run.outcome).toBe('drained');
    expect(watermark(await sink.cursor())).toBe(5n);
  });

  test('finishes slices that hold nothing of what passes', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: tagged('bbbbbba'), config: ONLY_A });

    await sink.run({ slice: { records: 3 } });
    await sink.run({ slice: { records: 3 } });

    expect(valuesIn(target)).toEqual([]);
    expect(watermark(await sink.cursor())).toBe(6n);
  });

  test('keeps a tail on the watermark of a log that gets nothing of what passes', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: tagged('b'), config: ONLY_A });
    const running = sink.run({ mode: 'tail', slice: { durationMs: 60_000 } });
    await sink.host.clock.sleep(1_000);

    await sink.send(...tagged('bb'));
    await running;

    expect(watermark(await sink.cursor())).toBe(3n);
  });

  test('knows when what it passed over was stored: retention that reaches it is no other log', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: tagged('abbbb'), everyMs: LATER_MS, config: ONLY_A });
    await sink.run({ slice: { records: 4 } });
    sink.log.truncateBefore(sink.queue, offset(3));

    const { run } = await sink.run();

    expect(run.outcome).toBe('drained');
    expect(await sink.cursor()).toMatchObject({ next: 5n, status: { state: 'active' } });
  });

  test('still finds that a log was created anew', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: tagged('abbbb'), config: ONLY_A });
    await sink.run({ slice: { records: 4 } });
    await sink.host.clock.sleep(LATER_MS);
    sink.log.deleteTopic('orders');
    sink.log.createTopic('orders', { queues: 1 });
    await sink.send(...tagged('bbbbba'));

    await sink.run();

    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'shard.log_truncated' } });
    expect(valuesIn(target)).toEqual(['a0']);
  });

  test('measures its pace in offsets, so that slices of what passes seldom do not shrink', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = () => sink.host.clock.sleep(100);
    const sink = await aSinkShard({ target, values: tagged(`a${'b'.repeat(99)}`), config: ONLY_A });

    await sink.run();

    expect((await sink.cursor()).pace?.usPerRecord).toBeLessThan(3_000);
  });

  test('fails its shard where the log cannot read by it, and delivers nothing', async () => {
    const target = memoryTarget('append');
    const config = { 'consumer.override.filter.sql': 'size > 0' };
    const sink = await aSinkShard({ target, values: tagged('ab'), config });

    const { run } = await sink.run();

    expect(run.error).toMatchObject({ code: 'config.invalid' });
    expect(run.error?.message).toContain('consumer.override.filter.sql: is evaluated by the brokers of RocketMQ');
    expect(await sink.cursor()).toMatchObject({ next: 0n, status: { state: 'failed', code: 'config.invalid' } });
    expect(valuesIn(target)).toEqual([]);
  });

  test('waits for a broker that cannot say whether it can', async () => {
    const target = memoryTarget('append');
    let isAway = true;
    const sink = await aSinkShard({
      target,
      values: tagged('a'),
      config: ONLY_A,
      broker: (log) =>
        brokerWith(log, {
          filterProblem: async (filter) => {
            if (isAway) throw brokerUnavailable();
            return log.filterProblem(filter);
          },
        }),
    });
    const { run } = await sink.run();
    isAway = false;
    await sink.untilClaimable();

    await sink.run();

    expect(run.error).toMatchObject({ code: 'broker.unavailable' });
    expect(valuesIn(target)).toEqual(['a0']);
  });
});
