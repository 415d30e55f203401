import { describe, expect, test } from 'vitest';
import { RetryableError } from '../../../core/errors.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, valuesIn } from '../../support/sink-shard.ts';
import { throwing } from '../../support/throwing.ts';
import { watchedSink } from '../../support/watched-sink.ts';

describe('runInvocation when a put throws a RetryableError', () => {
  test.each(['append', 'overwrite', 'versioned'] as const)('tries again inside the slice (%s)', async (effect) => {
    const target = memoryTarget(effect);
    target.beforeWrite = throwing(new RetryableError('busy'), 2);
    const sink = await aSinkShard({ target, values: ['a'] });

    const { run } = await sink.run();

    expect(valuesIn(target)).toEqual(['a']);
    expect(run).toMatchObject({ outcome: 'drained', counts: { slices: 1, delivered: 1, retries: 2 } });
    expect(run.error).toBeUndefined();
  });

  test('pauses longer before each attempt', async () => {
    const target = memoryTarget('append');
    const moments: number[] = [];
    const sink = await aSinkShard({ target, values: ['a'] });
    target.beforeWrite = () => {
      moments.push(sink.host.clock.monotonicMs());
      return moments.length > 4 ? Promise.resolve() : Promise.reject(new RetryableError('busy'));
    };

    await sink.run();

    const pauses = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0));
    expect(pauses).toEqual([225, 450, 900, 1_800]);
  });

  test('waits as long as the target asks', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(new RetryableError('busy', { retryAfterMs: 7_000 }), 1);
    const sink = await aSinkShard({ target, values: ['a'] });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'drained' });
    expect(run.endedAtMs - run.startedAtMs).toBe(7_000);
  });

  test('leaves a transactional target to the next epoch, for the put may have landed', async () => {
    const target = memoryTarget('transactional');
    const { plugin, calls } = watchedSink(memorySink(target));
    const sink = await aSinkShard({ plugin, values: ['a'] });
    let puts = 0;
    target.refusal = () => {
      puts += 1;
      if (puts === 1) throw new RetryableError('the connection broke');
      return undefined;
    };

    const failed = await sink.run();
    await sink.untilClaimable();
    await sink.run();

    expect(failed.run).toMatchObject({ outcome: 'failed', error: { code: 'target.unavailable', stage: 'put' } });
    expect(calls).toEqual(['open', 'begin 1', 'put 1', 'close', 'open', 'begin 2', 'put 1', 'flush']);
    expect(valuesIn(target)).toEqual(['a']);
  });

  test('fails with a back-off when its time is over, and the shard goes on', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(new RetryableError('busy'));
    const sink = await aSinkShard({ target, values: numbered(3) });

    const { run } = await sink.run();
    const refused = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'target.unavailable', stage: 'put', message: 'busy' } });
    expect(run.endedAtMs - run.startedAtMs).toBeLessThan(20_000);
    const { status, open } = await sink.cursor();
    expect(status.state).toBe('active');
    expect(open).toMatchObject([{ kind: 'free', start: 0n, end: 3n, attempts: 1, error: 'target.unavailable' }]);
    expect(refused).toMatchObject({ run: { refusal: 'backing-off' }, notBeforeMs: run.endedAtMs + 225 });
  });

  test('backs off for longer each time, and never gives up on an error it knows', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(new RetryableError('busy'));
    const sink = await aSinkShard({ target, values: ['a'], config: { 'errors.retry.delay.max.ms': '2000' } });
    const pauses: number[] = [];

    for (let attempt = 1; attempt <= 12; attempt += 1) {
      const { run } = await sink.run({}, { limitMs: 5_000 });
      const [range] = (await sink.cursor()).open;
      if (range?.kind === 'free') pauses.push(range.retryAtMs - run.endedAtMs);
      await sink.untilClaimable();
    }

    expect(pauses.slice(0, 5)).toEqual([225, 450, 900, 1_500, 1_500]);
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, open: [{ attempts: 12 }] });
  });

  test('comes back no sooner than the target asked', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(new RetryableError('busy', { retryAfterMs: 3_600_000 }));
    const sink = await aSinkShard({ target, values: ['a'] });

    const { run } = await sink.run();

    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', retryAtMs: run.endedAtMs + 3_600_000 }] });
  });

  test('commits what was delivered before it, and forgets earlier attempts', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(4), config: { 'consumer.override.max.poll.records': '2' } });
    target.beforeWrite = throwing(new RetryableError('busy', { retryAfterMs: 60_000 }));
    await sink.run();
    await sink.untilClaimable();
    let writes = 0;
    target.beforeWrite = () => {
      writes += 1;
      return writes > 2 ? Promise.reject(new RetryableError('busy', { retryAfterMs: 60_000 })) : Promise.resolve();
    };

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', counts: { delivered: 2 } });
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 2n, end: 4n, attempts: 1 }] });
  });

  test('lets nothing older land last in a target that is overwritten', async () => {
    const target = memoryTarget('overwrite');
    const moments: number[] = [];
    const sink = await aSinkShard({ target, values: ['a'], config: { 'put.timeout.ms': '3000' } });
    target.beforeWrite = () => {
      moments.push(sink.host.clock.monotonicMs());
      return moments.length > 1 ? Promise.resolve() : Promise.reject(new RetryableError('busy'));
    };

    await sink.run();

    expect(moments).toEqual([0, 3_000]);
  });

  test('starts no put into a target that is overwritten that could outlast its claim', async () => {
    const target = memoryTarget('overwrite');
    const { plugin, count } = watchedSink(memorySink(target));
    const config = { 'put.timeout.ms': '3000', 'consumer.override.max.poll.records': '1' };
    const sink = await aSinkShard({ plugin, values: ['a', 'b'], config });
    target.beforeWrite = () => sink.host.clock.sleep(200);

    const { run } = await sink.run({}, { limitMs: 5_100 });

    expect(run.outcome).toBe('yielded');
    expect(count('put')).toBe(1);
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 1n, attempts: 0 }] });
  });

  test('says why it ends when a target that is overwritten takes nothing (I10)', async () => {
    const target = memoryTarget('overwrite');
    target.beforeWrite = throwing(new RetryableError('busy'));
    const sink = await aSinkShard({ target, values: ['a'] });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'target.unavailable', message: 'busy' } });
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', attempts: 1, retryAtMs: run.endedAtMs + 10_000 }] });
  });

  test('fails the shard of a target that is overwritten where no put ever fits the platform (I10)', async () => {
    const { plugin, count } = watchedSink(memorySink(memoryTarget('overwrite')));
    const sink = await aSinkShard({ plugin, values: ['a'], config: { 'put.timeout.ms': '3000' } });

    const { run } = await sink.run({}, { limitMs: 5_000 });

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'task.failed' } });
    expect(run.error?.message).toMatch(/put\.timeout\.ms.*3000.*5000/);
    expect(count('put')).toBe(0);
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'task.failed' } });
  });
});
