import { describe, expect, test } from 'vitest';
import { heldRanges, watermark } from '../../../core/cursor/cursor.ts';
import { changeConfig, setTargetState } from '../../../scheduler/connector-actions.ts';
import { FILTER_TOMBSTONES } from '../../support/configs.ts';
import { brokerWith, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';
import { watchedSink } from '../../support/watched-sink.ts';

/** Follows until it is idle, unless a test says otherwise. */
const TAIL = { mode: 'tail', slice: { durationMs: 60_000 } } as const;

/** A record every `everyMs`, each with its number as value. */
async function sendEvery(sink: SinkShard, everyMs: number, count: number): Promise<void> {
  for (const value of numbered(count)) {
    await sink.host.clock.sleep(everyMs);
    await sink.send(value);
  }
}

describe('runInvocation of a tail', () => {
  test('delivers records as they come', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target });

    const running = sink.run(TAIL);
    await sendEvery(sink, 700, 3);
    const sentAtMs = sink.host.clock.nowMs();
    await sink.host.clock.sleep(1);
    const delivered = valuesIn(target);
    await running;

    expect(delivered).toEqual(['0', '1', '2']);
    expect(sentAtMs).toBe((sink.host.telemetry.runs[0]?.startedAtMs as number) + 2_100);
  });

  test('ends after five seconds without records, and gives its claim back', async () => {
    const sink = await aSinkShard({ values: ['a'] });

    const { run } = await sink.run(TAIL);

    expect(run).toMatchObject({ outcome: 'drained', counts: { read: 1, delivered: 1 } });
    expect(run.endedAtMs - run.startedAtMs).toBe(5_500);
    expect(await sink.cursor()).toMatchObject({ next: 1n, open: [] });
  });

  test('that is idle gives its claim back also when it might go on claiming', async () => {
    const sink = await aSinkShard({ values: ['a'] });

    const { run } = await sink.run({ ...TAIL, quantumMs: 60_000 });

    expect(run.outcome).toBe('drained');
    expect(await sink.cursor()).toMatchObject({ next: 1n, open: [] });
  });

  test('commits what it delivered when records stop coming, and then writes nothing more', async () => {
    const sink = await aSinkShard({ values: ['a'] });

    const running = sink.run(TAIL);
    await sink.host.clock.sleep(600);
    const cursor = await sink.cursor();
    const { run } = await running;

    expect(watermark(cursor)).toBe(1n);
    expect(heldRanges(cursor)).toHaveLength(1);
    // Claim, commit, and the release at the end.
    expect(run.counts.storeWrites).toBe(3);
  });

  test('commits every second while records keep coming', async () => {
    const sink = await aSinkShard();
    const watermarks: bigint[] = [];

    const running = sink.run(TAIL);
    const sending = sendEvery(sink, 100, 35);
    for (let second = 0; second < 3; second += 1) {
      await sink.host.clock.sleep(1_150);
      watermarks.push(watermark(await sink.cursor()));
    }
    await sending;
    await running;

    expect(watermarks).toEqual([10n, 20n, 30n]);
  });

  test('moves its deadline with each commit', async () => {
    const sink = await aSinkShard();

    const running = sink.run(TAIL);
    await sendEvery(sink, 100, 250);
    const [held] = heldRanges(await sink.cursor());
    const nowMs = sink.host.clock.nowMs();
    await running;

    expect(held?.epoch).toBe(1);
    expect(held?.holder.deadlineAtMs).toBeGreaterThan(nowMs + 18_000);
  });

  test('writes nothing to a target while no records come', async () => {
    const { plugin, calls } = watchedSink(memorySink(memoryTarget('transactional')));
    const sink = await aSinkShard({ plugin, values: ['a'] });

    await sink.run(TAIL);

    expect(calls.filter((call) => call.startsWith('put'))).toEqual(['put 1']);
  });

  test('stores the position of a transactional target when all that came was filtered', async () => {
    const target = memoryTarget('transactional');
    const sink = await aSinkShard({ target, values: [{ value: null }], config: FILTER_TOMBSTONES });

    await sink.run(TAIL);

    expect(target.rows.get(sink.shard)?.position).toBe('1');
  });

  test('closes once it is behind by more than a slice, so that others can claim behind it', async () => {
    const target = memoryTarget('versioned');
    const config = { 'consumer.override.max.poll.records': '2' };
    const sink = await aSinkShard({ target, config });
    let first = true;
    let other: string | null | undefined;
    target.beforeWrite = async () => {
      if (!first) return;
      first = false;
      other = (await sink.run({ slice: { records: 3 } }, { on: sink.anotherHost() })).run.outcome;
    };

    const running = sink.run({ ...TAIL, slice: { records: 3 } });
    await sink.host.clock.sleep(100);
    await sink.send(...numbered(10));
    const { run } = await running;

    expect(other).toBe('yielded');
    expect(run).toMatchObject({ outcome: 'yielded', counts: { read: 2 } });
    expect(await sink.cursor()).toMatchObject({ next: 5n, open: [] });
  });

  // 1. It has read two of ten records, and closes itself.  2. The store answers nothing.  3. The connector is paused.
  // 4. The store answers, with the gate that the pause closed.
  test('delivers nothing of what it has read when it closes late and finds itself paused (I9)', async () => {
    const target = memoryTarget('append');
    let isAway = false;
    const sink = await aSinkShard({
      target,
      config: { 'consumer.override.max.poll.records': '2' },
      store: (store) =>
        storeWith(store, {
          put: (...write) => (isAway ? Promise.reject(storeUnavailable()) : store.put(...write)),
        }),
      broker: (broker) =>
        brokerWith(broker, {
          read: async (...read) => {
            const result = await broker.read(...read);
            isAway = result.records.length > 1;
            return result;
          },
        }),
    });

    const running = sink.run({ ...TAIL, slice: { records: 3 } });
    await sink.host.clock.sleep(100);
    await sink.send(...numbered(10));
    await sink.host.clock.sleep(9_000);
    await setTargetState({ ...sink.host, store: sink.store }, 'orders-sink', 'paused');
    isAway = false;
    const { run } = await running;

    expect(valuesIn(target)).toEqual([]);
    expect(run).toMatchObject({ outcome: 'yielded', counts: { delivered: 0 } });
    expect(await sink.cursor()).toMatchObject({ next: 2n, open: [{ kind: 'free', start: 0n, end: 2n }] });
  });

  test('takes what an earlier slice left behind as a bounded slice first', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(4), config: { 'consumer.override.max.poll.records': '2' } });
    target.beforeWrite = () => sink.host.clock.sleep(1_000);
    await sink.run({ slice: { durationMs: 1_500 } });
    target.beforeWrite = () => Promise.resolve();

    const { run } = await sink.run(TAIL);

    expect(valuesIn(target)).toEqual(numbered(4));
    expect(run.counts).toMatchObject({ slices: 1, read: 2 });
  });

  test.each([80, 300, 700, 5_000])(
    'notices within a second that it was paused, with a record every %i ms (I9)',
    async (everyMs) => {
      const delaysMs: number[] = [];

      for (let afterMs = 2_000; afterMs < 3_000; afterMs += 90) {
        const target = memoryTarget('append');
        const sink = await aSinkShard({ target });
        const running = sink.run(TAIL);
        const sending = sendEvery(sink, everyMs, Math.ceil(6_000 / everyMs));
        await sink.host.clock.sleep(afterMs);
        await setTargetState(sink.host, 'orders-sink', 'paused');
        const pausedAtMs = sink.host.clock.nowMs();
        const { run } = await running;
        await sending;
        delaysMs.push(run.outcome === 'yielded' ? run.endedAtMs - pausedAtMs : Number.POSITIVE_INFINITY);
        expect(await sink.cursor()).toMatchObject({ next: BigInt(valuesIn(target).length), open: [] });
      }

      expect(Math.max(...delaysMs)).toBeLessThanOrEqual(1_000);
    },
  );

  test('ends when the configuration changed, and the next one works with the new one', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target });
    const running = sink.run(TAIL);
    await sink.host.clock.sleep(300);

    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, ...FILTER_TOMBSTONES });
    const { run } = await running;
    await sink.send('a', { value: null });
    const next = await sink.run();

    expect(run.endedAtMs - run.startedAtMs).toBeLessThanOrEqual(1_300);
    expect(next.run.counts).toMatchObject({ read: 2, filtered: 1, delivered: 1 });
  });

  test('reads its cursor no more often than it must', async () => {
    let reads = 0;
    const sink = await aSinkShard({
      values: ['a'],
      store: (store) =>
        storeWith(store, {
          get: (key) => {
            reads += 1;
            return store.get(key);
          },
        }),
    });

    await sink.run(TAIL);

    // The cursor and the connector at the start (twice, as the cursor is new), then the cursor about once a second.
    expect(reads).toBeLessThanOrEqual(3 + 6);
  });

  test('takes slices of a backlog that is longer than one, each with one write', async () => {
    const sink = await aSinkShard();
    await sink.run(TAIL);
    await sink.send(...numbered(1_000));

    const { run } = await sink.run({ mode: 'tail', slice: { records: 100, durationMs: 10_000 }, quantumMs: 60_000 });

    expect(run.counts.delivered).toBe(1_000);
    // The claim, nine commits that claim the next slice, one of them a tail's, and its commit and end.
    expect(run.counts.storeWrites).toBeLessThanOrEqual(12);
  });
});
