import { describe, expect, test } from 'vitest';
import { connectorKey } from '../../../core/connector.ts';
import { cursorKey } from '../../../core/cursor/stored-cursor.ts';
import { RecordError, RetryableError } from '../../../core/errors.ts';
import { changeConfig, createConnector, deleteConnector, setTargetState } from '../../../scheduler/connector-actions.ts';
import { sweepDeleted } from '../../../scheduler/deleted-connectors.ts';
import { brokerWith, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';
import { aSourceShard } from '../../support/source-shard.ts';

/** An operator whose scheduler dies once the connector's document is written: no gate is raised. */
function dyingOperator(sink: SinkShard): SinkShard['host'] {
  const { host, store } = sink;
  return { ...host, store: storeWith(store, { list: () => Promise.reject(storeUnavailable()) }) };
}

describe('runInvocation of a connector', () => {
  test('that is gone does nothing, and leaves nothing behind', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: ['a'] });
    await deleteConnector(sink.host, 'orders-sink');

    const { run, cursor } = await sink.run();

    expect(run).toMatchObject({ outcome: null, refusal: 'connector-gone' });
    expect(cursor).toBeNull();
    expect(valuesIn(target)).toEqual([]);
    expect(await sink.cursor()).toBeUndefined();
  });

  test('that was deleted and created again is another one', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: ['a'] });
    await deleteConnector(sink.host, 'orders-sink');
    await createConnector(sink.host, sink.connector);

    const { run } = await sink.run();

    expect(run.refusal).toBe('connector-gone');
    expect(await sink.cursor()).toBeUndefined();
  });

  test.each(['paused', 'stopped'] as const)('that was created %s does nothing yet (I9)', async (targetState) => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: ['a'] });
    await setTargetState(sink.host, 'orders-sink', targetState);

    const { run, notBeforeMs } = await sink.run();

    expect(run).toMatchObject({ outcome: null, refusal: 'gate-closed' });
    expect(notBeforeMs).toBeNull();
    expect(valuesIn(target)).toEqual([]);
  });

  test('that was paused and resumed goes on', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2) });
    await sink.run({ slice: { records: 1 } });
    await setTargetState(sink.host, 'orders-sink', 'paused');
    await setTargetState(sink.host, 'orders-sink', 'running');

    await sink.run();

    expect(valuesIn(target)).toEqual(numbered(2));
  });

  test('whose operator died before the gates were raised is healed by the next invocation (I9)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2) });
    await sink.run({ slice: { records: 1 } });
    await setTargetState(dyingOperator(sink), 'orders-sink', 'paused').catch(() => undefined);
    const before = await sink.cursor();

    const { run } = await sink.run();

    expect(before.gate).toEqual({ state: 'running', revision: 1 });
    expect(run.refusal).toBe('gate-closed');
    expect((await sink.cursor()).gate).toEqual({ state: 'paused', revision: 2 });
    expect(valuesIn(target)).toEqual(['0']);
  });

  test('whose deletion stopped half-way starts nothing more (I9)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2) });
    await sink.run({ slice: { records: 1 } });
    await deleteConnector(dyingOperator(sink), 'orders-sink').catch(() => undefined);

    const { run } = await sink.run();

    expect(run.refusal).toBe('connector-gone');
    expect(valuesIn(target)).toEqual(['0']);
  });

  test('that was deleted while its first cursor was made keeps none', async () => {
    let deletes = false;
    const sink = await aSinkShard({
      values: ['a'],
      store: (store) =>
        storeWith(store, {
          put: async (key, ...write) => {
            // Deleted after the operator listed the cursors, and before this one was there.
            if (deletes && key.sort === sink.shard) {
              deletes = false;
              await deleteConnector({ ...sink.host, store }, 'orders-sink');
            }
            return store.put(key, ...write);
          },
        }),
    });
    deletes = true;

    const { run } = await sink.run();

    await sink.host.clock.sleep(24 * 3_600_000);
    await sweepDeleted(sink.host);

    expect(run.refusal).toBe('connector-gone');
    expect(await sink.store.get(cursorKey(sink.shard))).toBeNull();
  });

  test('that was paused after its document was read is not claimed (I9)', async () => {
    const target = memoryTarget('append');
    let reads = 0;
    const sink = await aSinkShard({
      target,
      values: numbered(2),
      store: (store) =>
        storeWith(store, {
          get: async (key) => {
            const document = await store.get(key);
            reads += key.partition === 'connectors' ? 1 : 0;
            if (reads === 3) await setTargetState({ ...sink.host, store }, 'orders-sink', 'paused');
            return document;
          },
        }),
    });
    await sink.run({ slice: { records: 1 } });

    const { run } = await sink.run();

    expect(run.refusal).toBe('gate-closed');
    expect(valuesIn(target)).toEqual(['0']);
  });

  test('whose configuration changed after it was read is not claimed with the old one', async () => {
    let reads = 0;
    const sink = await aSinkShard({
      values: numbered(2),
      store: (store) =>
        storeWith(store, {
          get: async (key) => {
            const document = await store.get(key);
            reads += key.partition === 'connectors' ? 1 : 0;
            if (reads === 3) {
              const config = { ...sink.connector.config, 'errors.log.enable': 'true' };
              await changeConfig({ ...sink.host, store }, 'orders-sink', config);
            }
            return document;
          },
        }),
    });
    await sink.run({ slice: { records: 1 } });

    const { run } = await sink.run();
    const next = await sink.run();

    expect(run.refusal).toBe('revision-differs');
    expect(next.run.outcome).toBe('drained');
  });

  test('whose configuration changes while a slice runs is tried with the new one, whatever the old one ran into', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2), config: { 'auto.restart.max.attempts': '0' } });
    target.refusal = ({ value }) => (value === '1' ? new RecordError('no') : undefined);
    target.beforeWrite = async () => {
      target.beforeWrite = () => Promise.resolve();
      await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'errors.tolerance': 'all' });
    };

    const { run } = await sink.run();
    const cursor = await sink.cursor();
    const next = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'record.rejected', position: 'orders/memory/0@1' } });
    expect(cursor).toMatchObject({ status: { state: 'active' }, open: [{ kind: 'free', start: 1n, end: 2n }] });
    expect(next.run).toMatchObject({ outcome: 'drained', counts: { dropped: 1 } });
    expect(valuesIn(target)).toEqual(['0']);
  });

  test('that is paused while a slice runs commits what that delivered, and claims no further one (I9)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(6) });
    let writes = 0;
    target.beforeWrite = async () => {
      writes += 1;
      if (writes === 1) await setTargetState(sink.host, 'orders-sink', 'paused');
    };

    const { run } = await sink.run({ slice: { records: 2 }, quantumMs: 5_000 });

    expect(run).toMatchObject({ outcome: 'yielded', counts: { slices: 1, delivered: 2, conflicts: 1 } });
    expect(await sink.cursor()).toMatchObject({ next: 2n, open: [], gate: { state: 'paused' } });
  });

  test('that is paused while a source runs commits what that delivered, and polls no further (I9)', async () => {
    const system = memorySystem({ rows: rows(6) });
    const source = await aSourceShard({ system });
    let polls = 0;
    system.beforePoll = async () => {
      polls += 1;
      if (polls === 1) await setTargetState(source.host, 'rows-source', 'paused');
    };

    const { run } = await source.run({ slice: { records: 2 }, quantumMs: 5_000 });

    expect(run).toMatchObject({ outcome: 'yielded', counts: { slices: 1, delivered: 2 } });
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 2 } }, holder: null, clean: true });
  });

  test('that is stopped while a put waits to be tried again puts nothing more (I9)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2) });
    let puts = 0;
    target.beforeWrite = async () => {
      puts += 1;
      await setTargetState(sink.host, 'orders-sink', 'stopped');
      throw new RetryableError('busy', { retryAfterMs: 3_000 });
    };

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'yielded', counts: { delivered: 0, retries: 1 } });
    expect(puts).toBe(1);
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 0n, end: 2n }], gate: { state: 'stopped' } });
  });

  test('that is stopped while a source waits to send again sends nothing more (I9)', async () => {
    let sends = 0;
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(2) }),
      broker: (broker) =>
        brokerWith(broker, {
          send: async () => {
            sends += 1;
            await setTargetState(source.host, 'rows-source', 'stopped');
            throw new RetryableError('busy', { code: 'broker.unavailable', retryAfterMs: 3_000 });
          },
        }),
    });

    const { run } = await source.run();

    expect(run.outcome).toBe('yielded');
    expect(sends).toBe(1);
  });

  test('that is deleted while a slice runs ends it as fenced', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2) });
    target.beforeWrite = () => deleteConnector(sink.host, 'orders-sink').catch(() => undefined);

    const { run } = await sink.run();

    expect(run.outcome).toBe('fenced');
    expect(run.error).toBeUndefined();
    expect(await sink.cursor()).toBeUndefined();
    expect(await sink.store.get(connectorKey('orders-sink'))).toBeNull();
  });
});
