import { describe, expect, test } from 'vitest';
import { FatalTaskError, RetryableError } from '../../../core/errors.ts';
import type { ShardId } from '../../../core/shard-id.ts';
import { Sandbox, type Station } from '../../../functions/sandbox.ts';
import type { SourcePlugin } from '../../../plugins/api/source.ts';
import { changeConfig, deleteConnector, resetOffsets, setTargetState } from '../../../scheduler/connector-actions.ts';
import { brokerUnavailable, brokerWith } from '../../support/faulty-ports.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { type MemorySystem, memorySource, memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { RunningClock } from '../../support/running-clock.ts';
import { aSinkShard, valuesIn } from '../../support/sink-shard.ts';
import { aSourceShard, valuesOf } from '../../support/source-shard.ts';
import { watchedSink } from '../../support/watched-sink.ts';

describe('runInvocation in a warm sandbox', () => {
  test('opens a writer once for two invocations, and begins each slice', async () => {
    const { plugin, calls } = watchedSink(memorySink(memoryTarget('transactional')));
    const sink = await aSinkShard({ plugin, values: ['a'] });

    await sink.run();
    await sink.send('b');
    await sink.run();

    expect(calls).toEqual(['open', 'begin 1', 'put 1', 'flush', 'begin 2', 'put 1', 'flush']);
  });

  test('keeps its writer when there was nothing to claim', async () => {
    const { plugin, count } = watchedSink(memorySink(memoryTarget('append')));
    const sink = await aSinkShard({ plugin, values: ['a'] });
    await sink.run();

    await sink.run();
    await sink.send('b');
    await sink.run();

    expect(count('open')).toBe(1);
  });

  test('keeps its writer when the log could not be looked at', async () => {
    const { plugin, count } = watchedSink(memorySink(memoryTarget('append')));
    let isUp = true;
    const sink = await aSinkShard({
      plugin,
      values: ['a'],
      broker: (broker) =>
        brokerWith(broker, { bounds: (queues) => (isUp ? broker.bounds(queues) : Promise.reject(brokerUnavailable())) }),
    });
    await sink.run();

    isUp = false;
    const { run } = await sink.run();
    isUp = true;
    await sink.send('b');
    await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'broker.unavailable', stage: 'poll' } });
    expect([count('open'), count('close')]).toEqual([1, 0]);
  });

  test('closes a writer that was part of an error, and opens another', async () => {
    const target = memoryTarget('append');
    const { plugin, calls } = watchedSink(memorySink(target));
    const sink = await aSinkShard({ plugin, values: ['a'] });
    target.beforeWrite = () => Promise.reject(new FatalTaskError('no access'));
    await sink.run();

    target.beforeWrite = () => Promise.resolve();
    await sink.host.clock.sleep(60_000);
    await sink.run();

    expect(calls).toEqual(['open', 'put 1', 'flush', 'close', 'open', 'put 1', 'flush']);
    expect(valuesIn(target)).toEqual(['a']);
  });

  test('drops a writer of an older revision', async () => {
    const { plugin, calls } = watchedSink(memorySink(memoryTarget('append')));
    const sink = await aSinkShard({ plugin, values: ['a'] });
    await sink.run();

    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'errors.log.enable': 'true' });
    await sink.send('b');
    await sink.run();

    expect(calls).toEqual(['open', 'put 1', 'flush', 'close', 'open', 'put 1', 'flush']);
  });

  test('has a writer of its own for each slice that runs at once', async () => {
    const target = memoryTarget('versioned');
    const { plugin, count } = watchedSink(memorySink(target));
    const sink = await aSinkShard({ plugin, values: ['a', 'b'] });
    let others = 0;
    target.beforeWrite = async () => {
      others += 1;
      if (others === 1) await sink.run({ slice: { records: 1 } });
    };

    await sink.run({ slice: { records: 1 } });
    await sink.send('c');
    await sink.run();

    expect(count('open')).toBe(2);
    expect(count('close')).toBe(0);
  });

  test('survives a writer that cannot be closed', async () => {
    const target = memoryTarget('append');
    const closing = { close: () => Promise.reject(new Error('cannot close')) };
    const { plugin } = watchedSink(memorySink(target), closing);
    const sink = await aSinkShard({ plugin, values: ['a'] });
    target.beforeWrite = () => Promise.reject(new RetryableError('away'));

    const { run } = await sink.run({}, { limitMs: 4_000 });

    expect(run.outcome).toBe('failed');
  });

  test('goes on with a reader that stands at the checkpoint', async () => {
    const system = memorySystem({ rows: rows(2) });
    const source = await aSourceShard({ system });
    await source.run();

    system.shards.get('0')?.push(...rows(1, 2));
    await source.run();

    expect(system.calls).toEqual(['open 0', 'poll 0', 'poll 2']);
    expect(valuesOf(await source.sent())).toEqual(['0', '1', '2']);
  });

  test('opens a reader anew where the checkpoint was moved by others', async () => {
    const system = memorySystem({ rows: rows(2) });
    const source = await aSourceShard({ system });
    await source.run();
    system.shards.get('0')?.push(...rows(2, 2));
    await source.run({ slice: { records: 1 } }, { on: source.anotherHost() });

    await source.run();

    expect(system.calls.slice(-3)).toEqual(['close', 'open 3', 'poll 3']);
    expect(valuesOf(await source.sent())).toEqual(['0', '1', '2', '3']);
  });

  test('closes a reader it took but could not use', async () => {
    const system = memorySystem({ rows: rows(1) });
    const target = memoryTarget('transactional');
    const source = await aSourceShard({ system, exactlyOnce: true, sink: memorySink(target) });
    await source.run();

    target.beforeWrite = () => Promise.reject(new RetryableError('away'));
    await source.run();

    expect(system.calls).toEqual(['open 0', 'poll 0', 'close']);
  });

  test('closes a reader that was polling ahead when its slice ended', async () => {
    const system = memorySystem({ rows: rows(10) });
    const source = await aSourceShard({ system, config: { 'consumer.override.max.poll.records': '2' } });

    await source.run({ slice: { durationMs: 0 } });
    await source.host.clock.sleep(0);

    expect(system.calls.at(-1)).toBe('close');
    expect(await source.cursor()).toMatchObject({ checkpoint: { p: { row: 2 } } });
  });

  test('aborts a poll ahead when its slice ends, and closes its reader once the poll has settled', async () => {
    // 1. The first poll brings two rows; the next one begins ahead, and takes until it is aborted.
    // 2. The slice ends after its first batch: the poll hears of it, and is given a second to settle.
    // 3. Only then is its reader closed.
    const system = memorySystem({ rows: rows(10) });
    const config = { 'consumer.override.max.poll.records': '2' };
    const source = await aSourceShard({ plugin: slowToSettle(system, () => source.host.clock.sleep(1_000)), config });

    await source.run({ slice: { durationMs: 0 } });
    await source.host.clock.sleep(2_000);

    expect(system.calls).toEqual(['open 0', 'poll 0', 'aborted', 'settled', 'close']);
  });

  test('closes a reader in the end whose poll never settles', async () => {
    const system = memorySystem({ rows: rows(10) });
    const config = { 'consumer.override.max.poll.records': '2' };
    const source = await aSourceShard({ plugin: slowToSettle(system, () => new Promise(() => undefined)), config });

    await source.run({ slice: { durationMs: 0 } });
    await source.host.clock.sleep(10_001);

    expect(system.calls).toEqual(['open 0', 'poll 0', 'aborted', 'close']);
  });

  test('closes a writer it took but had no time for', async () => {
    const { plugin, calls } = watchedSink(memorySink(memoryTarget('overwrite')));
    const sink = await aSinkShard({ plugin, values: ['a'] });
    await sink.run();
    await sink.send('b');

    const { run } = await sink.run({}, { limitMs: 6_500 });

    expect(run).toMatchObject({ outcome: 'failed', error: { stage: 'put' } });
    expect(calls).toEqual(['open', 'put 1', 'flush', 'close']);
  });

  test('reads from where an operator reset a source to', async () => {
    const system = memorySystem({ rows: rows(2) });
    const source = await aSourceShard({ system });
    await source.run();
    await setTargetState(source.host, 'rows-source', 'stopped');
    await resetOffsets(source.host, source.connector, { positions: new Map([[source.shard, { row: 1 }]]), skewMaxMs: 5_000 });
    await setTargetState(source.host, 'rows-source', 'running');

    await source.run();

    expect(valuesOf(await source.sent())).toEqual(['0', '1', '1']);
  });

  test('closes what it kept of a connector that was deleted', async () => {
    const { plugin, count } = watchedSink(memorySink(memoryTarget('append')));
    const sink = await aSinkShard({ plugin, values: ['a'] });
    await sink.run();
    await deleteConnector(sink.host, 'orders-sink');

    const { run } = await sink.run();

    expect(run.refusal).toBe('connector-gone');
    expect([count('open'), count('close')]).toEqual([1, 1]);
  });

  test('closes what it kept of a shard whose gate was closed', async () => {
    const { plugin, count } = watchedSink(memorySink(memoryTarget('append')));
    const sink = await aSinkShard({ plugin, values: ['a'] });
    await sink.run();
    await setTargetState(sink.host, 'orders-sink', 'paused');

    const { run } = await sink.run();

    expect(run.refusal).toBe('gate-closed');
    expect([count('open'), count('close')]).toEqual([1, 1]);
  });

  test('closes a writer that nobody took for five minutes, and opens another', async () => {
    const { plugin, calls } = watchedSink(memorySink(memoryTarget('append')));
    const sink = await aSinkShard({ plugin, values: ['a'] });
    await sink.run();

    await sink.host.clock.sleep(5 * 60_000);
    await sink.send('b');
    await sink.run();

    expect(calls).toEqual(['open', 'put 1', 'flush', 'close', 'open', 'put 1', 'flush']);
  });

  test('closes all it kept when it ends', async () => {
    const { plugin, count } = watchedSink(memorySink(memoryTarget('append')));
    const sink = await aSinkShard({ plugin, values: ['a'] });
    await sink.run();

    sink.host.sandbox.close();

    expect(count('close')).toBe(1);
  });
});

const FIRST = { revision: 1, opening: 1 };

describe('Sandbox', () => {
  test('gives up the station that was used longest ago', () => {
    const sandbox = new Sandbox(new RunningClock());
    const { closed, stationOf } = stations();
    const shards = Array.from({ length: 256 }, (_, index) => `shard-${index}` as ShardId);
    for (const shard of shards) sandbox.keep(shard, FIRST, stationOf(shard));

    const [first, second] = shards as [ShardId, ShardId];
    sandbox.keep(first, FIRST, sandbox.take(first, FIRST) ?? stationOf('nowhere'));
    sandbox.keep('newcomer' as ShardId, FIRST, stationOf('newcomer'));

    expect(closed).toEqual([second]);
  });

  test('keeps so many stations and no more, be they of one shard', () => {
    const sandbox = new Sandbox(new RunningClock());
    const { closed, stationOf } = stations();

    for (let slice = 0; slice < 300; slice += 1) sandbox.keep('shard' as ShardId, FIRST, stationOf(`slice ${slice}`));

    expect(closed).toHaveLength(300 - 256);
  });

  test('closes idle stations of other shards when it keeps one', async () => {
    const clock = new RunningClock();
    const sandbox = new Sandbox(clock);
    const { closed, stationOf } = stations();
    sandbox.keep('early' as ShardId, FIRST, stationOf('early'));
    await clock.sleep(200_000);
    sandbox.keep('later' as ShardId, FIRST, stationOf('later'));

    await clock.sleep(100_000);
    sandbox.keep('now' as ShardId, FIRST, stationOf('now'));

    expect(closed).toEqual(['early']);
  });
});

/** A source whose second poll takes until it is aborted, and then until `settled`. */
function slowToSettle(system: MemorySystem, settled: () => Promise<void>): SourcePlugin {
  const plugin = memorySource(system);
  return {
    ...plugin,
    open: async (...opening) => {
      const reader = await plugin.open(...opening);
      let polls = 0;
      return {
        close: () => reader.close(),
        async poll(limits, signal) {
          polls += 1;
          if (polls === 1) return reader.poll(limits, signal);
          await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
          system.calls.push('aborted');
          await settled();
          system.calls.push('settled');
          throw new RetryableError('aborted');
        },
      };
    },
  };
}

/** Stations that say their name when they are closed. */
function stations(): { readonly closed: string[]; readonly stationOf: (name: string) => Station } {
  const closed: string[] = [];
  const poll = () => Promise.reject(new Error('unused'));
  return {
    closed,
    stationOf: (name) => ({ writer: null, reader: { at: null, reader: { poll, close: async () => void closed.push(name) } } }),
  };
}
