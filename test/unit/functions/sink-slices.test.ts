import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../../core/cursor/codec.ts';
import { watermark } from '../../../core/cursor/cursor.ts';
import type { InvocationResult } from '../../../core/offer.ts';
import { advance } from '../../../core/offset.ts';
import type { CancelSignal, LogBroker } from '../../../core/ports.ts';
import { FILTER_TOMBSTONES } from '../../support/configs.ts';
import { brokerUnavailable, brokerWith, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { bytesOf } from '../../support/log-records.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';
import { watchedSink } from '../../support/watched-sink.ts';

/** One record to know the log by, before a claim. */
function isInspection([, , limits]: Parameters<LogBroker['read']>): boolean {
  return limits.records === 1 && limits.bytes === 1;
}

describe('runInvocation of a slice', () => {
  test('delivers at most the records of one slice, and commits them (I6)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(5) });

    const { run } = await sink.run({ slice: { records: 3 } });

    expect(valuesIn(target)).toEqual(['0', '1', '2']);
    expect(run.outcome).toBe('yielded');
    expect(await sink.cursor()).toMatchObject({ next: 3n, open: [] });
  });

  test('goes on where the one before ended', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(5) });

    await sink.run({ slice: { records: 3 } });
    const { run } = await sink.run({ slice: { records: 3 } });

    expect(valuesIn(target)).toEqual(numbered(5));
    expect(run.outcome).toBe('drained');
  });

  test('takes more with each claim once it has measured what nobody had', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(90) });
    const slice = { records: 3, isUnpaced: true } as const;

    const { run } = await sink.run({ slice, quantumMs: 10_000 });

    expect(valuesIn(target)).toEqual(numbered(90));
    expect(run.counts.slices).toBe(2);
  });

  test('reads and puts in batches of max.poll.records, in order (I7)', async () => {
    const target = memoryTarget('append');
    const { plugin, calls } = watchedSink(memorySink(target));
    const sink = await aSinkShard({ plugin, values: numbered(5), config: { 'consumer.override.max.poll.records': '2' } });

    await sink.run();

    expect(calls).toEqual(['open', 'put 2', 'put 2', 'put 1', 'flush']);
    expect(valuesIn(target)).toEqual(numbered(5));
  });

  test('of a log that leaves records out delivers the others once, and none beyond its end (I4)', async () => {
    const target = memoryTarget('append');
    const everyThird: LogBroker['read'] = async (queue, from, limits) => {
      const { records, bounds } = await sink.log.read(queue, from, { ...limits, records: 100 });
      const passed = records.filter((record) => record.offset % 3n === 0n).slice(0, limits.records);
      const last = passed.at(-1);
      // As far as was looked: to the last one it gives, or to the end of the log.
      return { records: passed, next: passed.length === limits.records && last ? advance(last.offset, 1) : bounds.max, bounds };
    };
    const sink: SinkShard = await aSinkShard({
      target,
      values: numbered(11),
      broker: (log) => brokerWith(log, { read: everyThird }),
    });

    const first = await sink.run({ slice: { records: 4 } });
    const { next } = await sink.cursor();
    await sink.run({ slice: { records: 4 }, quantumMs: 5_000 });

    expect([first.run.counts.read, next]).toEqual([2, 4n]);
    expect(valuesIn(target)).toEqual(['0', '3', '6', '9']);
    expect(await sink.cursor()).toMatchObject({ next: 11n, open: [] });
  });

  test('of an empty log claims nothing and says why', async () => {
    const sink = await aSinkShard();

    const { run, notBeforeMs } = await sink.run();

    expect(run).toMatchObject({ outcome: null, refusal: 'nothing-to-claim', counts: { slices: 0, read: 0 } });
    expect(notBeforeMs).toBeNull();
  });

  test('that is held by another is refused until that one may be taken for dead', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: ['a'] });
    const startedAtMs = sink.host.clock.nowMs();
    const refused: InvocationResult[] = [];
    target.beforeWrite = async () => {
      refused.push(await sink.run({}, { on: sink.anotherHost() }));
    };

    await sink.run();

    expect(refused).toMatchObject([{ run: { outcome: null, refusal: 'held' }, notBeforeMs: startedAtMs + 25_000 }]);
  });

  test('loops while its quantum lasts, at one store write a slice', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(10) });

    const { run } = await sink.run({ slice: { records: 3 }, quantumMs: 5_000 });

    expect(valuesIn(target)).toEqual(numbered(10));
    expect(run).toMatchObject({ outcome: 'drained', counts: { slices: 4, read: 10, delivered: 10 } });
    // One for the first claim; every further one is also the commit of the slice before.
    expect(run.counts.storeWrites).toBe(1 + 4);
  });

  test('claims no further slice once its quantum is over', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(10) });
    target.beforeWrite = () => sink.host.clock.sleep(400);

    const { run } = await sink.run({ slice: { records: 1 }, quantumMs: 1_000 });

    expect(run).toMatchObject({ outcome: 'yielded', counts: { slices: 3 } });
    expect(watermark(await sink.cursor())).toBe(3n);
  });

  test('ends early when its time is over, and gives back what is left (I6)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(6), config: { 'consumer.override.max.poll.records': '2' } });
    target.beforeWrite = () => sink.host.clock.sleep(600);

    const { run } = await sink.run({ slice: { durationMs: 2_000 } });

    expect(run.outcome).toBe('yielded');
    expect(await sink.cursor()).toMatchObject({ next: 6n, open: [{ kind: 'free', start: 4n, end: 6n, attempts: 0 }] });
  });

  test('ends in time to commit before the platform ends the run (I6)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(100), config: { 'consumer.override.max.poll.records': '1' } });
    target.beforeWrite = () => sink.host.clock.sleep(300);

    const { run } = await sink.run({ slice: { durationMs: 60_000 }, quantumMs: 60_000 }, { limitMs: 10_000 });

    expect(run.outcome).toBe('yielded');
    expect(run.endedAtMs - run.startedAtMs).toBeLessThan(10_000);
    expect(watermark(await sink.cursor())).toBe(BigInt(valuesIn(target).length));
    expect(valuesIn(target).length).toBeGreaterThan(5);
  });

  test('fails with a back-off when the broker does not answer', async () => {
    const sink = await aSinkShard({
      values: numbered(2),
      broker: (broker) =>
        brokerWith(broker, { read: (...read) => (isInspection(read) ? broker.read(...read) : new Promise(() => undefined)) }),
    });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'broker.unavailable', stage: 'poll' } });
    expect(run.endedAtMs - run.startedAtMs).toBeLessThanOrEqual(18_000);
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 0n, end: 2n, attempts: 1 }] });
  });

  test('claims nothing when the broker answers no look at the log, and is offered again', async () => {
    const sink = await aSinkShard({
      values: numbered(2),
      broker: (broker) => brokerWith(broker, { read: () => new Promise(() => undefined) }),
    });

    const { run, notBeforeMs } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'broker.unavailable' } });
    expect(run.endedAtMs - run.startedAtMs).toBeLessThanOrEqual(20_000);
    expect(notBeforeMs).toBeGreaterThan(run.endedAtMs);
    expect(await sink.cursor()).toMatchObject({ next: 0n, open: [] });
  });

  test.each(['first', 'later'])(
    'is offered again after a while when the broker does not answer its %s look at the log',
    async (look) => {
      let isUp = look === 'later';
      const sink = await aSinkShard({
        values: numbered(2),
        broker: (broker) =>
          brokerWith(broker, { bounds: (queues) => (isUp ? broker.bounds(queues) : Promise.reject(brokerUnavailable())) }),
      });
      if (isUp) await sink.run();

      isUp = false;
      const { run, notBeforeMs } = await sink.run();

      expect(run).toMatchObject({ outcome: 'failed', error: { code: 'broker.unavailable' } });
      expect(notBeforeMs).toBeGreaterThan(run.endedAtMs);
    },
  );

  test('ends its read ahead with its slice', async () => {
    const signals: (CancelSignal | undefined)[] = [];
    const config = { 'consumer.override.max.poll.records': '1' };
    const sink = await aSinkShard({
      values: numbered(3),
      config,
      broker: (broker) =>
        brokerWith(broker, {
          read: (...read) => {
            const [queue, from, limits, signal] = read;
            if (!isInspection(read)) signals.push(signal);
            return from === 0n ? broker.read(queue, from, limits, signal) : new Promise(() => undefined);
          },
        }),
    });

    const { run } = await sink.run({ slice: { durationMs: 0 } });

    expect(run).toMatchObject({ outcome: 'yielded', counts: { delivered: 1 } });
    expect(signals.map((signal) => signal?.aborted)).toEqual([false, true]);
  });

  test('ends a slice by the bytes of keys, values and headers (I6)', async () => {
    const record = {
      key: bytesOf('k'.repeat(20)),
      value: bytesOf('v'.repeat(20)),
      headers: [['h'.repeat(10), 'x'.repeat(10)]] as const,
    };
    const config = { 'consumer.override.max.poll.records': '1' };
    const sink = await aSinkShard({ values: Array.from({ length: 5 }, () => record), config });

    const { run } = await sink.run({ slice: { bytes: 120 } });

    expect(run).toMatchObject({ outcome: 'yielded', counts: { delivered: 2 } });
  });

  test('counts what was filtered beside what was delivered', async () => {
    const target = memoryTarget('append');
    const values = ['0', { value: null }, '2', { value: null }, '4'];
    const sink = await aSinkShard({ target, values, config: FILTER_TOMBSTONES });

    const { run } = await sink.run();

    expect(valuesIn(target)).toEqual(['0', '2', '4']);
    expect(run.counts).toMatchObject({ read: 5, filtered: 2, delivered: 3 });
  });

  test('of a versioned target counts records older than what the target holds as stale, not as delivered', async () => {
    const target = memoryTarget('versioned');
    const key = new Uint8Array([107]);
    const sink = await aSinkShard({ target, values: [{ key }, { key }, { key }] });
    await sink.run();
    target.documents.set('k', { ...target.documents.get('k'), version: 1n << 50n } as never);
    await sink.send({ key }, { key: new Uint8Array([108]) });

    const { run } = await sink.run();

    expect(run.counts).toMatchObject({ read: 2, stale: 1, delivered: 1 });
  });

  test('may run beside others of one queue where the target orders by version', async () => {
    const target = memoryTarget('versioned');
    const sink = await aSinkShard({ target, values: numbered(4), config: { 'consumer.override.max.poll.records': '2' } });
    let inside = 0;
    target.beforeWrite = async () => {
      inside += 1;
      if (inside === 1) await sink.run({ slice: { records: 2 } }, { on: sink.anotherHost() });
    };

    await sink.run({ slice: { records: 2 } });

    expect([...target.documents.values()].map(({ slice }) => slice.epoch).sort()).toEqual([1, 1, 2, 2]);
    expect(await sink.cursor()).toMatchObject({ next: 4n, open: [] });
  });

  test('goes on where the store did not answer one look at its gate', async () => {
    // 1. The first put lasts longer than a second, so that a look is due before the next read.
    // 2. The store does not answer that look, once.
    const target = memoryTarget('append');
    let failures = 0;
    const sink = await aSinkShard({
      target,
      values: numbered(4),
      config: { 'consumer.override.max.poll.records': '2' },
      store: (store) =>
        storeWith(store, {
          get: (key) => {
            if (valuesIn(target).length !== 2 || failures > 0) return store.get(key);
            failures += 1;
            return Promise.reject(storeUnavailable());
          },
        }),
    });
    target.beforeWrite = () => sink.host.clock.sleep(600);

    const { run } = await sink.run();

    expect(failures).toBe(1);
    expect(run).toMatchObject({ outcome: 'drained', counts: { delivered: 4 } });
  });

  test('claims nothing more where the platform ends before another put could', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(40) });
    target.beforeWrite = () => sink.host.clock.sleep(450);

    const { run } = await sink.run({ slice: { records: 1 }, quantumMs: 60_000 }, { limitMs: 10_000 });

    expect(run).toMatchObject({ outcome: 'yielded', counts: { delivered: 7 } });
    expect(await sink.cursor()).toMatchObject({ next: 7n, open: [] });
  });

  test.each(['slice', 'tail'] as const)(
    'lets its writer rest once, before its cursor says that nothing is left: a %s',
    async (mode) => {
      const openRanges: number[] = [];
      const { plugin } = watchedSink(memorySink(memoryTarget('append')), {
        rest: async () => {
          openRanges.push((await sink.cursor()).open.length);
        },
      });
      const sink: SinkShard = await aSinkShard({ plugin, values: numbered(5) });

      await sink.run({ mode, slice: { records: 2 }, quantumMs: 10_000 });

      expect(openRanges).toEqual([1]);
      expect(await sink.cursor()).toMatchObject({ next: 5n, open: [] });
    },
  );

  test('leaves a run record, and brings the stored cursor back', async () => {
    const sink = await aSinkShard({ values: numbered(2) });

    const { run, cursor } = await sink.run({ id: 'offer-7' });

    expect(sink.host.telemetry.runs).toEqual([run]);
    expect(run).toMatchObject({ offerId: 'offer-7', connector: 'orders-sink', shard: sink.shard });
    expect(cursor?.value).toBe(encodeCursor(await sink.cursor()));
  });
});

describe('runInvocation of a transactional target', () => {
  test('begins every slice of a loop anew', async () => {
    const { plugin, calls } = watchedSink(memorySink(memoryTarget('transactional')));
    const sink = await aSinkShard({ plugin, values: numbered(3) });

    await sink.run({ slice: { records: 2 }, quantumMs: 5_000 });

    expect(calls).toEqual(['open', 'begin 1', 'put 2', 'flush', 'begin 2', 'put 1', 'flush']);
  });

  test('stores its position also when every record was filtered', async () => {
    const target = memoryTarget('transactional');
    const sink = await aSinkShard({ target, values: [{ value: null }, { value: null }], config: FILTER_TOMBSTONES });

    await sink.run();

    expect(target.applied).toEqual([]);
    expect(target.rows.get(sink.shard)).toEqual({ generation: 1, epoch: 1, position: '2' });
  });

  test('goes on where the target is, when that is ahead of the cursor', async () => {
    const target = memoryTarget('transactional');
    const sink = await aSinkShard({ target, values: numbered(5) });
    target.rows.set(sink.shard, { generation: 1, epoch: 0, position: '3' });

    const { run } = await sink.run();

    expect(valuesIn(target)).toEqual(['3', '4']);
    expect(run.counts).toMatchObject({ read: 2, delivered: 2 });
    expect(await sink.cursor()).toMatchObject({ next: 5n, open: [] });
  });

  test('reads nothing of a slice that the target holds already', async () => {
    const target = memoryTarget('transactional');
    const sink = await aSinkShard({ target, values: numbered(5) });
    target.rows.set(sink.shard, { generation: 1, epoch: 0, position: '4' });

    const { run } = await sink.run({ slice: { records: 3 } });

    expect(run.counts).toMatchObject({ slices: 1, read: 0 });
    expect(await sink.cursor()).toMatchObject({ next: 3n, open: [] });
  });
});
