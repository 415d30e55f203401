import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AssertionError, assert } from '../../../core/assert.ts';
import { watermark } from '../../../core/cursor/cursor.ts';
import { RetryableError } from '../../../core/errors.ts';
import { type Converter, defineConverter } from '../../../plugins/api/converter.ts';
import type { Registry } from '../../../plugins/api/registry.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered } from '../../support/sink-shard.ts';
import { throwing } from '../../support/throwing.ts';
import { watchedSink } from '../../support/watched-sink.ts';

describe('runInvocation when a plugin throws what nobody knows', () => {
  const unknown = new TypeError('x is not a function');

  test('tries again inside the slice, and forgets what it survived', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(unknown, 1);
    const sink = await aSinkShard({ target, values: ['a'] });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'drained', counts: { retries: 1 } });
    expect(run.error).toBeUndefined();
  });

  test('fails its shard after ten slices without progress', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = throwing(unknown);
    const sink = await aSinkShard({ target, values: ['a'] });
    const codes: (string | undefined)[] = [];

    for (let attempt = 1; attempt <= 10; attempt += 1) {
      codes.push((await sink.run({}, { limitMs: 5_000 })).run.error?.code);
      await sink.untilClaimable();
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
      return writes % 2 === 0
        ? Promise.reject(new RetryableError('again', { code: 'plugin.failed', retryAfterMs: 60_000 }))
        : Promise.resolve();
    };

    for (let attempt = 1; attempt <= 15; attempt += 1) {
      await sink.run();
      await sink.untilClaimable();
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
      await sink.untilClaimable();
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

  test('before its claim fails the shard, and tries a bounded number of times (I10)', async () => {
    const sink = await aSinkShard({ values: numbered(2), config: { 'auto.restart.max.attempts': '3' } });
    await sink.run({ slice: { records: 1 } });
    const registry = { ...sink.host.registry, findSink: () => Promise.reject(unknown) };
    const broken = { ...sink.anotherHost(), registry };
    const pauses: (number | null)[] = [];

    for (let look = 0; look < 5; look += 1) {
      const { run, notBeforeMs } = await sink.run({}, { on: broken });
      pauses.push(notBeforeMs === null ? null : notBeforeMs - run.endedAtMs);
      expect(run).toMatchObject({ outcome: 'failed', error: { code: 'plugin.failed', message: 'x is not a function' } });
      await sink.untilClaimable();
    }

    expect(pauses).toEqual([60_000, 120_000, 240_000, null, null]);
    expect((await sink.cursor()).status).toMatchObject({ state: 'failed', code: 'plugin.failed', retryAtMs: null });
  });

  test('crashes on an assertion, and leaves its claim to run out', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = async () => assert(false, 'this cannot be');
    const sink = await aSinkShard({ target, values: ['a'] });

    await expect(sink.run()).rejects.toThrow('this cannot be');

    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'held', start: 0n, end: 1n }] });
  });

  test.each(['key', 'value'] as const)(
    'crashes on an assertion in a %s converter: no record is dropped for it (I1)',
    async (part) => {
      const target = memoryTarget('append');
      const sink = await aSinkShard({
        target,
        values: ['a'],
        config: { 'errors.tolerance': 'all', [`${part}.converter`]: 'wrong' },
      });
      const toConnect = (): never => {
        throw new AssertionError('this cannot be');
      };
      const registry = registryWith(sink.host.registry, { toConnect, fromConnect: () => null });

      await expect(sink.run({}, { on: { ...sink.host, registry } })).rejects.toThrow('this cannot be');

      expect(target.entries).toEqual([]);
      expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'held', start: 0n, end: 1n }] });
      expect(sink.host.telemetry.runs).toMatchObject([{ counts: { dropped: 0 }, error: { code: 'internal.assertion' } }]);
    },
  );

  test('closes the writer it crashes with, and leaves a run record that says so (I10)', async () => {
    const target = memoryTarget('append');
    target.beforeWrite = async () => assert(false, 'this cannot be');
    const { plugin, calls } = watchedSink(memorySink(target));
    const sink = await aSinkShard({ plugin, values: ['a'] });

    await sink.run().catch(() => undefined);

    expect(calls).toEqual(['open', 'put 1', 'close']);
    expect(sink.host.telemetry.runs).toMatchObject([
      { outcome: 'failed', error: { code: 'internal.assertion', stage: 'put', message: 'this cannot be' } },
    ]);
  });
});

/** With one more converter, `wrong`. */
function registryWith(registry: Registry, converter: Converter): Registry {
  const wrong = defineConverter({ name: 'wrong', aliases: [], config: z.object({}), create: () => converter });
  return { ...registry, findConverter: (name) => (name === 'wrong' ? wrong : registry.findConverter(name)) };
}
