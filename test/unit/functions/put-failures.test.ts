import { describe, expect, test } from 'vitest';
import { assert } from '../../../core/assert.ts';
import { watermark } from '../../../core/cursor/cursor.ts';
import { FatalTaskError, FencedError, RetryableError } from '../../../core/errors.ts';
import { restartShards } from '../../../scheduler/connector-actions.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';
import { type WatchedSink, watchedSink } from '../../support/watched-sink.ts';

const FOREVER = Number.POSITIVE_INFINITY;

/** Throws the first `times` times it is called. */
function throwing(error: Error, times = FOREVER): () => Promise<void> {
  let calls = 0;
  return () => {
    calls += 1;
    return calls <= times ? Promise.reject(error) : Promise.resolve();
  };
}

/** Sleeps until the shard may be claimed again. */
async function untilClaimable(sink: SinkShard): Promise<void> {
  const { open, status } = await sink.cursor();
  const restartAtMs = status.state === 'failed' ? status.retryAtMs : 0;
  const freeAtMs = open[0]?.kind === 'free' ? open[0].retryAtMs : 0;
  await sink.host.clock.sleep(Math.max(restartAtMs ?? 0, freeAtMs) - sink.host.clock.nowMs());
}

describe('runInvocation when a put throws a RetryableError', () => {
  test.each(['append', 'overwrite', 'versioned'] as const)('tries again inside the slice (%s)', async (effect) => {
    const target = memoryTarget(effect);
    target.beforeWrite = throwing(new RetryableError('busy'), 2);
    const sink = await aSinkShard({ target, values: ['a'] });

    const { run } = await sink.run();

    expect(valuesIn(target)).toEqual(['a']);
    expect(run).toMatchObject({ outcome: 'drained', counts: { slices: 1, delivered: 1, retries: 2 } });
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
    await untilClaimable(sink);
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
      await untilClaimable(sink);
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
    await untilClaimable(sink);
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
    const sink = await aSinkShard({ plugin, values: ['a'], config: { 'put.timeout.ms': '3000' } });

    const { run } = await sink.run({}, { limitMs: 5_000 });

    expect(run.outcome).toBe('yielded');
    expect(count('put')).toBe(0);
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 0n, attempts: 0 }] });
  });
});

describe('runInvocation when a plugin throws what nobody knows', () => {
  const unknown = new TypeError('x is not a function');

  test('tries again inside the slice', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(unknown, 1);
    const sink = await aSinkShard({ target, values: ['a'] });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'drained', counts: { retries: 1 }, error: { code: 'plugin.failed' } });
  });

  test('fails its shard after ten slices without progress', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(unknown);
    const sink = await aSinkShard({ target, values: ['a'] });
    const codes: (string | undefined)[] = [];

    for (let attempt = 1; attempt <= 10; attempt += 1) {
      codes.push((await sink.run({}, { limitMs: 5_000 })).run.error?.code);
      await untilClaimable(sink);
    }

    expect(codes).toEqual([...Array.from({ length: 9 }, () => 'plugin.failed'), 'shard.attempts_exhausted']);
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'shard.attempts_exhausted' } });
  });

  test('does not give up while there is progress', async () => {
    const target = memoryTarget('append');
    const config = { 'consumer.override.max.poll.records': '1' };
    const sink = await aSinkShard({ target, values: numbered(20), config });
    let writes = 0;
    // Every other write fails for good: each slice delivers one record.
    target.beforeWrite = () => {
      writes += 1;
      return writes % 2 === 0 ? Promise.reject(new RetryableError('again', { code: 'plugin.failed', retryAfterMs: 60_000 })) : Promise.resolve();
    };

    for (let attempt = 1; attempt <= 15; attempt += 1) {
      await sink.run();
      await untilClaimable(sink);
    }

    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' } });
    expect(watermark(await sink.cursor())).toBe(15n);
  });

  test('counts only attempts without progress, also where the tenth made some', async () => {
    const target = memoryTarget('append');
    const config = { 'consumer.override.max.poll.records': '1' };
    const sink = await aSinkShard({ target, values: numbered(3), config });
    target.beforeWrite = throwing(unknown);
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      await sink.run({}, { limitMs: 5_000 });
      await untilClaimable(sink);
    }
    let writes = 0;
    target.beforeWrite = () => {
      writes += 1;
      return writes > 1 ? Promise.reject(unknown) : Promise.resolve();
    };

    const { run } = await sink.run();

    expect(run.error?.code).toBe('plugin.failed');
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, open: [{ start: 1n, end: 3n, attempts: 1 }] });
  });

  test('crashes on an assertion, and leaves its claim to run out', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = async () => assert(false, 'this cannot be');
    const sink = await aSinkShard({ target, values: ['a'] });

    await expect(sink.run()).rejects.toThrow('this cannot be');

    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'held', start: 0n, end: 1n }] });
  });
});

describe('runInvocation when a plugin throws a FatalTaskError', () => {
  const fatal = new FatalTaskError('wrong password');

  test('fails its shard, with the reason in its status (I10)', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(fatal);
    const sink = await aSinkShard({ target, values: ['a'] });

    const { run } = await sink.run();
    const refused = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'task.failed', message: 'wrong password' } });
    expect(await sink.cursor()).toMatchObject({
      status: { state: 'failed', code: 'task.failed', retryAtMs: run.endedAtMs + 60_000, restarts: 0 },
    });
    expect(refused).toMatchObject({ run: { refusal: 'failed' }, notBeforeMs: run.endedAtMs + 60_000 });
  });

  test('restarts by itself after a pause that grows, until its budget is used up', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(fatal);
    const sink = await aSinkShard({ target, values: ['a'], config: { 'auto.restart.max.attempts': '3' } });
    const pauses: (number | null)[] = [];

    for (let failure = 0; failure < 4; failure += 1) {
      const { run } = await sink.run();
      const { status } = await sink.cursor();
      if (status.state === 'failed') pauses.push(status.retryAtMs === null ? null : status.retryAtMs - run.endedAtMs);
      await untilClaimable(sink);
    }
    const refused = await sink.run();

    expect(pauses).toEqual([60_000, 120_000, 240_000, null]);
    expect(refused).toMatchObject({ run: { refusal: 'failed' }, notBeforeMs: null });
  });

  test('goes on when an operator restarts it, with its whole budget again', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(fatal);
    const sink = await aSinkShard({ target, values: ['a'], config: { 'auto.restart.max.attempts': '0' } });
    await sink.run();

    target.beforeWrite = () => Promise.resolve();
    await restartShards(sink.host, sink.connector);
    const { run } = await sink.run();

    expect(run.outcome).toBe('drained');
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active', restarts: 0 } });
  });

  test('has its whole budget again after progress', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: ['a'] });
    target.beforeWrite = throwing(fatal, 2);
    for (let failure = 0; failure < 2; failure += 1) {
      await sink.run();
      await untilClaimable(sink);
    }

    await sink.run();

    expect(await sink.cursor()).toMatchObject({ status: { state: 'active', restarts: 0 }, next: 1n, open: [] });
  });

  test('fails its shard when no writer can be opened', async () => {
    const plugin = { ...memorySink(memoryTarget('append')), open: () => Promise.reject(fatal) };
    const sink = await aSinkShard({ plugin, values: ['a'] });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'task.failed', stage: 'put' } });
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'task.failed' } });
  });
});

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
    await untilClaimable(sink);
    await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'target.timed_out', stage: 'put' } });
    expect(run.endedAtMs - run.startedAtMs).toBe(3_000);
    expect(calls).toEqual(['open', 'put 1', 'close', 'open', 'put 1', 'flush']);
  });

  test.each(['begin', 'flush'] as const)('gives a %s up within its claim', async (call) => {
    const { plugin } = hangingOnce(call);
    const sink = await aSinkShard({ plugin, values: ['a'] });

    const { run } = await sink.run();
    await untilClaimable(sink);
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
    await untilClaimable(sink);
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

describe('runInvocation that is fenced', () => {
  test('ends at once by a FencedError of its target: no retry, no letter, no error in the log (I2)', async () => {
    const target = memoryTarget('append');
    const { plugin, count } = watchedSink(memorySink(target));
    target.beforeWrite = throwing(new FencedError('another epoch writes'));
    const sink = await aSinkShard({ plugin, values: ['a'], config: { 'errors.tolerance': 'all', 'errors.log.enable': 'true' } });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'fenced', counts: { retries: 0, dropped: 0 } });
    expect(run.error).toBeUndefined();
    expect(sink.host.telemetry.logs).toEqual([]);
    expect(count('put')).toBe(1);
  });

  test('delivers nothing that a later epoch of a transactional target already has', async () => {
    const target = memoryTarget('transactional');
    const sink = await aSinkShard({ target, values: numbered(2) });
    let frozen = false;
    target.beforeWrite = async ({ epoch }) => {
      if (epoch !== 1 || frozen || !target.rows.has(sink.shard)) return;
      frozen = true;
      sink.host.clock.jump(30_000);
      await sink.run({}, { on: sink.anotherHost() });
    };

    const { run } = await sink.run();

    expect(frozen).toBe(true);
    expect(run.outcome).toBe('fenced');
    expect(valuesIn(target)).toEqual(['0', '1']);
    expect(await sink.cursor()).toMatchObject({ next: 2n, open: [], epoch: 2 });
  });

  test('fails no shard from a slice that is no longer its own (I2)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2) });
    target.beforeWrite = async ({ epoch }) => {
      if (epoch !== 1) return;
      sink.host.clock.jump(30_000);
      await sink.run({}, { on: sink.anotherHost() });
      throw new FatalTaskError('wrong password');
    };

    await sink.run();

    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, next: 2n, open: [] });
  });

  test('commits nothing over the slice of another (I2)', async () => {
    const target = memoryTarget('versioned');
    const sink = await aSinkShard({ target, values: numbered(2) });
    let first = true;
    target.beforeWrite = async () => {
      if (!first) return;
      first = false;
      sink.host.clock.jump(30_000);
      target.beforeWrite = () => Promise.reject(new RetryableError('busy', { retryAfterMs: 60_000 }));
      await sink.run({}, { on: sink.anotherHost() });
      target.beforeWrite = () => Promise.resolve();
    };

    const { run } = await sink.run();

    expect(run.outcome).toBe('fenced');
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 0n, end: 2n }] });
  });
});
