import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import { cursorKey } from '../../../core/cursor/stored-cursor.ts';
import { FatalTaskError, FencedError, RetryableError } from '../../../core/errors.ts';
import { offset } from '../../../core/offset.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, valuesIn } from '../../support/sink-shard.ts';
import { throwing } from '../../support/throwing.ts';
import { watchedSink } from '../../support/watched-sink.ts';

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

  test('fails a shard whose target was written by a later generation than the store knows, and says so (I10)', async () => {
    const target = memoryTarget('transactional');
    const sink = await aSinkShard({ target, values: numbered(2) });
    target.rows.set(sink.shard, { generation: 9, epoch: 1, position: '0' });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'target.generation_newer' } });
    expect(run.error?.message).toContain('generation 9');
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'target.generation_newer' }, next: 2n });
    expect(valuesIn(target)).toEqual([]);
  });

  test('fails no shard for a later generation that is its own by now (I2)', async () => {
    const target = memoryTarget('transactional');
    const sink = await aSinkShard({ target, values: numbered(2) });
    target.beforeWrite = async ({ epoch }) => {
      if (epoch !== 1) return;
      const document = await sink.store.get(cursorKey(sink.shard));
      const cursor = await sink.cursor();
      const generation = cursor.generation + 1;
      const reset = encodeCursor({ ...cursor, generation, epoch: 2, open: [], next: offset(0) });
      await sink.store.put(cursorKey(sink.shard), reset, { ifVersion: document?.version ?? '' });
      target.rows.set(sink.shard, { generation, epoch: 2, position: null });
    };

    const { run } = await sink.run();

    expect(run.outcome).toBe('fenced');
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, open: [] });
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
