import { describe, expect, test } from 'vitest';
import { changeConfig, restartShards } from '../../../scheduler/connector-actions.ts';
import { storeWith } from '../../support/faulty-ports.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, valuesIn } from '../../support/sink-shard.ts';

describe('runInvocation of a configuration that is wrong', () => {
  test('fails the shard, where its status shows it, and names every wrong key (I10)', async () => {
    const sink = await aSinkShard({ values: numbered(2) });
    await sink.run({ slice: { records: 1 } });
    const wrong = { ...sink.connector.config, 'tasks.max': 'many', 'log.gap.policy': 'guess' };
    await changeConfig(sink.host, 'orders-sink', wrong);

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'config.invalid' } });
    expect(run.error?.message).toContain('tasks.max');
    expect(run.error?.message).toContain('log.gap.policy');
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', code: 'config.invalid' }, next: 1n });
  });

  test.each([
    ['no plugin of that name', { 'connector.class': 'unheard.Of' }, 'connector.class'],
    ['a key that the plugin does not have', { 'batch.size': '7' }, 'batch.size'],
    ['a converter nobody knows', { 'value.converter': 'unheard.Of' }, 'value.converter'],
    [
      'a predicate that is not listed',
      { transforms: 'a', 'transforms.a.type': 'F', 'transforms.a.predicate': 'p' },
      'transforms.a.predicate',
    ],
  ])('is found for %s', async (_, config, key) => {
    const sink = await aSinkShard({ values: numbered(1) });
    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, ...config });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'config.invalid' } });
    expect(run.error?.message).toContain(key);
  });

  test('works again once it is mended', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2) });
    await sink.run({ slice: { records: 1 } });
    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'tasks.max': 'many' });
    const failed = await sink.run();

    await changeConfig(sink.host, 'orders-sink', sink.connector.config);
    await sink.host.clock.sleep((failed.notBeforeMs ?? 0) - sink.host.clock.nowMs());
    const { run } = await sink.run();

    expect(failed.notBeforeMs).toBe(failed.run.endedAtMs + 60_000);
    expect(run.outcome).toBe('drained');
    expect(valuesIn(target)).toEqual(numbered(2));
  });

  test('is nothing against the shard once an operator has mended it', async () => {
    const target = memoryTarget('append');
    let mend: (() => Promise<void>) | null = null;
    const sink = await aSinkShard({
      target,
      values: numbered(2),
      store: (store) =>
        storeWith(store, {
          put: async (...write) => {
            const act = mend;
            mend = null;
            await act?.();
            return store.put(...write);
          },
        }),
    });
    await sink.run({ slice: { records: 1 } });
    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'tasks.max': 'many' });
    mend = async () => {
      const deps = { ...sink.host, store: sink.store };
      await changeConfig(deps, 'orders-sink', sink.connector.config);
      await restartShards(deps, sink.connector);
    };

    // Has read the wrong one, and writes after the operator did.
    const late = await sink.run();
    const next = await sink.run();

    expect(late.run).toMatchObject({ outcome: null, refusal: 'revision-differs' });
    expect(late.run.error).toBeUndefined();
    expect(next.run.outcome).toBe('drained');
    expect(valuesIn(target)).toEqual(numbered(2));
  });

  test('is tried again after pauses that grow, and then no more', async () => {
    const sink = await aSinkShard({ values: numbered(2) });
    await sink.run({ slice: { records: 1 } });
    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'tasks.max': 'many' });
    const pauses: (number | null)[] = [];

    for (let round = 0; round < 9; round += 1) {
      const { run, notBeforeMs } = await sink.run();
      pauses.push(notBeforeMs === null ? null : (notBeforeMs - run.endedAtMs) / 60_000);
      await sink.host.clock.sleep((notBeforeMs ?? 0) - sink.host.clock.nowMs());
    }

    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, null, null]);
    expect(await sink.cursor()).toMatchObject({ status: { state: 'failed', retryAtMs: null } });
  });

  test('is not put off by offers that come too early', async () => {
    const sink = await aSinkShard({ values: numbered(2) });
    await sink.run({ slice: { records: 1 } });
    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'tasks.max': 'many' });
    const first = await sink.run();
    await sink.host.clock.sleep(30_000);

    const early = await sink.run();

    expect(early.notBeforeMs).toBe(first.notBeforeMs);
  });

  test("of a sink's queue that has no cursor yet says when to look again", async () => {
    const sink = await aSinkShard({ config: { 'tasks.max': 'many' } });

    const { run, cursor, notBeforeMs } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'config.invalid' } });
    expect(cursor).toBeNull();
    expect(notBeforeMs).toBe(run.endedAtMs + 60_000);
  });
});
