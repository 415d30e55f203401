import { describe, expect, test } from 'vitest';
import { RecordError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import { changeConfig, resetOffsets, restartShards, setTargetState } from '../../../scheduler/connector-actions.ts';
import { FILTER_TOMBSTONES } from '../../support/configs.ts';
import { losingReplies } from '../../support/faulty-ports.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { valuesIn } from '../../support/sink-shard.ts';
import { aSourceShard } from '../../support/source-shard.ts';
import { watchedSink } from '../../support/watched-sink.ts';

const SMALL_POLLS = { 'consumer.override.max.poll.records': '2' };

describe('runInvocation of a direct connector', () => {
  test('takes records from a source to a sink without a log', async () => {
    const target = memoryTarget('append');
    const source = await aSourceShard({ system: memorySystem({ rows: rows(3) }), exactlyOnce: true, sink: memorySink(target) });

    const { run } = await source.run();

    expect(valuesIn(target)).toEqual(['0', '1', '2']);
    expect(await source.sent()).toEqual([]);
    expect(run).toMatchObject({ outcome: 'drained', counts: { read: 3, delivered: 3 } });
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 3 } } });
  });

  test('stores the checkpoint in a transactional target, beside the records', async () => {
    const target = memoryTarget('transactional');
    const source = await aSourceShard({ system: memorySystem({ rows: rows(3) }), exactlyOnce: true, sink: memorySink(target) });

    await source.run();

    expect(valuesIn(target)).toEqual(['0', '1', '2']);
    expect(target.rows.get(source.shard)).toEqual({ generation: 1, epoch: 1, position: { row: 3 } });
  });

  test('begins once for all stretches of one claim', async () => {
    const { plugin, calls } = watchedSink(memorySink(memoryTarget('transactional')));
    const source = await aSourceShard({ system: memorySystem({ rows: rows(4) }), exactlyOnce: true, sink: plugin });

    await source.run({ slice: { records: 2 }, quantumMs: 5_000 });

    expect(calls).toEqual(['open', 'begin 1', 'put 2', 'flush', 'put 2', 'flush']);
  });

  test('resumes where a transactional target is, when that is ahead of the cursor', async () => {
    const target = memoryTarget('transactional');
    const system = memorySystem({ rows: rows(4) });
    const source = await aSourceShard({ system, exactlyOnce: true, sink: memorySink(target) });
    target.rows.set(source.shard, { generation: 1, epoch: 0, position: { row: 3 } });

    await source.run();

    expect(system.calls[0]).toBe('open 3');
    expect(valuesIn(target)).toEqual(['3']);
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 4 } } });
  });

  test('stores the position of the target also when there was nothing more to read', async () => {
    const target = memoryTarget('transactional');
    const source = await aSourceShard({ system: memorySystem({ rows: rows(3) }), exactlyOnce: true, sink: memorySink(target) });
    target.rows.set(source.shard, { generation: 1, epoch: 0, position: { row: 3 } });

    await source.run();

    expect(valuesIn(target)).toEqual([]);
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 3 } } });
  });

  test('moves the target on also when every record was filtered', async () => {
    const target = memoryTarget('transactional');
    const system = memorySystem({ rows: [{ key: 'a', value: null as unknown as string }] });
    const source = await aSourceShard({ system, exactlyOnce: true, sink: memorySink(target), config: FILTER_TOMBSTONES });

    const { run } = await source.run();

    expect(run.counts).toMatchObject({ read: 1, filtered: 1, delivered: 0 });
    expect(target.rows.get(source.shard)?.position).toEqual({ row: 1 });
  });

  test('moves the target on also when the source only moved its checkpoint, so that nobody is sent back (I3)', async () => {
    const target = memoryTarget('transactional');
    const opened: Json[] = [];
    let at = 50;
    const plugin = {
      ...memorySource(memorySystem(), { exactlyOnce: true }),
      open: async (_config: unknown, _names: unknown, checkpoint: Json) => {
        opened.push(checkpoint);
        return { poll: async () => ({ records: [], checkpoint: at, idleForMs: 1_000 }), close: async () => undefined };
      },
    };
    const source = await aSourceShard({ plugin, sink: memorySink(target) });
    target.rows.set(source.shard, { generation: 1, epoch: 0, position: 1 });

    await source.run();
    at = 60;
    await source.run({ mode: 'tail', slice: { durationMs: 60_000 } }, { on: source.anotherHost() });
    await source.run({}, { on: source.anotherHost() });

    expect(opened).toEqual([1, 50, 60]);
    expect(target.rows.get(source.shard)?.position).toBe(60);
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: 60 } });
  });

  test('writes each record once to a transactional target whose commit reply was lost', async () => {
    const target = memoryTarget('transactional');
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(6) }),
      exactlyOnce: true,
      sink: memorySink(target),
      config: SMALL_POLLS,
      store: (store) => losingReplies(store, [2, 4, 5]),
    });

    for (let round = 0; round < 4; round += 1) await source.run({ slice: { records: 2 } });

    expect(valuesIn(target)).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('writes no record twice to a transactional target that refused one between two checkpoints', async () => {
    const target = memoryTarget('transactional');
    const source = await aSourceShard({ system: memorySystem({ rows: rows(4) }), exactlyOnce: true, sink: memorySink(target) });
    target.refusal = ({ value }) => (value === '2' ? new RecordError('not this one') : undefined);
    const failed = await source.run();

    target.refusal = () => undefined;
    await restartShards(source.host, source.connector);
    await source.run();

    expect(failed.run).toMatchObject({ outcome: 'failed', error: { code: 'record.rejected', position: '2' } });
    expect(valuesIn(target)).toEqual(['0', '1', '2', '3']);
  });

  test('writes everything anew to a transactional target after a reset', async () => {
    const target = memoryTarget('transactional');
    const source = await aSourceShard({ system: memorySystem({ rows: rows(2) }), exactlyOnce: true, sink: memorySink(target) });
    await source.run();

    await setTargetState(source.host, 'rows-source', 'stopped');
    await resetOffsets(source.host, source.connector, { positions: new Map([[source.shard, null]]), skewMaxMs: 5_000 });
    await setTargetState(source.host, 'rows-source', 'running');
    await source.run();

    expect(valuesIn(target)).toEqual(['0', '1', '0', '1']);
    expect(target.rows.get(source.shard)).toMatchObject({ generation: 2, position: { row: 2 } });
  });

  test('drops what its sink refuses, for only records of a log can be dead-lettered', async () => {
    const target = memoryTarget('append');
    target.refusal = ({ value }) => (value === '1' ? new RecordError('not this one') : undefined);
    const source = await aSourceShard({
      system: memorySystem({ rows: rows(3) }),
      exactlyOnce: true,
      sink: memorySink(target),
      config: { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'refused' },
    });

    const { run } = await source.run();

    expect(valuesIn(target)).toEqual(['0', '2']);
    expect(run.counts).toMatchObject({ read: 3, delivered: 2, dropped: 1 });
    expect(source.host.telemetry.logs).toMatchObject([{ level: 'warn', fields: { position: '1' } }]);
    expect(await source.log.topics()).toEqual(['rows']);
  });

  test('takes no sink that needs offsets as versions', async () => {
    const source = await aSourceShard({ sink: memorySink(memoryTarget('versioned')) });

    const { run } = await source.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'config.invalid' } });
    expect(run.error?.message).toContain('sink.connector.class');
  });

  test('promises exactly once to nobody', async () => {
    const source = await aSourceShard({ exactlyOnce: true, sink: memorySink(memoryTarget('append')) });
    await changeConfig(source.host, 'rows-source', { ...source.connector.config, 'exactly.once.support': 'required' });

    const { run } = await source.run();

    expect(run.error?.message).toContain('exactly.once.support');
  });
});
