import { describe, expect, test } from 'vitest';
import { assert } from '../../../core/assert.ts';
import { FatalTaskError, RecordError } from '../../../core/errors.ts';
import { offset } from '../../../core/offset.ts';
import type { LogBroker } from '../../../core/ports.ts';
import { changeConfig, resetOffsets, restartShards, setTargetState } from '../../../scheduler/connector-actions.ts';
import { brokerWith, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { type MemoryTarget, memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard, valuesIn } from '../../support/sink-shard.ts';

/** Longer than clocks may differ, so that store times tell logs apart. */
const LATER_MS = 10_000;
const TAIL = { mode: 'tail', slice: { durationMs: 60_000 } } as const;

/** The topic goes, and comes back under the same name with other records. */
async function createAnew(sink: SinkShard, values: readonly string[]): Promise<void> {
  sink.log.deleteTopic('orders');
  sink.log.createTopic('orders', { queues: 1 });
  await sink.send(...values);
}

async function resetTo(sink: SinkShard, at: number): Promise<void> {
  await setTargetState(sink.host, 'orders-sink', 'stopped');
  await resetOffsets(sink.host, sink.connector, { positions: new Map([[sink.shard, offset(at)]]), skewMaxMs: 5_000 });
  await setTargetState(sink.host, 'orders-sink', 'running');
}

describe('runInvocation of a log that lost records before they were read', () => {
  test('fails its shard, says where, and delivers nothing (I10)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(6) });
    await sink.run({ slice: { records: 2 } });
    sink.log.truncateBefore(sink.queue, offset(4));

    const { run } = await sink.run();
    const again = await sink.run();

    expect([run.refusal, again.run.refusal]).toEqual(['failed', 'failed']);
    expect(valuesIn(target)).toEqual(['0', '1']);
    expect(await sink.cursor()).toMatchObject({
      status: { state: 'failed', code: 'shard.log_gap', retryAtMs: null },
      next: 2n,
      gaps: null,
    });
    expect(sink.host.telemetry.logs).toMatchObject([
      { level: 'error', fields: { position: 'orders/memory/0@2', shard: sink.shard } },
    ]);
  });

  test('goes on behind the gap where the configuration says so, and keeps count of it (I10)', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(6), config: { 'log.gap.policy': 'skip' } });
    await sink.run({ slice: { records: 2 } });
    sink.log.truncateBefore(sink.queue, offset(4));

    const { run } = await sink.run();

    expect(run.outcome).toBe('drained');
    expect(valuesIn(target)).toEqual(['0', '1', '4', '5']);
    expect(await sink.cursor()).toMatchObject({ gaps: { count: 1, records: 2n, start: 2n, end: 4n }, next: 6n });
    expect(sink.host.telemetry.logs).toHaveLength(1);
  });

  test('skips what is missing of a range that was left behind', async () => {
    const target = memoryTarget('append');
    const config = { 'log.gap.policy': 'skip', 'consumer.override.max.poll.records': '2' };
    const sink = await aSinkShard({ target, values: numbered(6), config });
    target.beforeWrite = () => sink.host.clock.sleep(1_000);
    await sink.run({ slice: { durationMs: 1_500 } });
    sink.log.truncateBefore(sink.queue, offset(3));
    target.beforeWrite = () => Promise.resolve();

    await sink.run({ quantumMs: 5_000 });

    expect(valuesIn(target)).toEqual(['0', '1', '3', '4', '5']);
    expect(await sink.cursor()).toMatchObject({ gaps: { records: 1n, start: 2n, end: 3n }, next: 6n, open: [] });
  });

  test('goes on once an operator chose to skip', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(6) });
    await sink.run({ slice: { records: 2 } });
    sink.log.truncateBefore(sink.queue, offset(4));
    await sink.run();

    await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'log.gap.policy': 'skip' });
    await restartShards(sink.host, sink.connector);
    await sink.run();

    expect(valuesIn(target)).toEqual(['0', '1', '4', '5']);
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, gaps: { records: 2n } });
  });

  test.each([
    ['fail', 'skip', ['0', '1', '4', '5'], { status: { state: 'active' }, gaps: { records: 2n } }],
    ['skip', 'fail', ['0', '1'], { status: { state: 'failed', code: 'shard.log_gap' }, gaps: null }],
  ] as const)('goes by the policy that an operator put in the place of %s meanwhile', async (before, after, values, expected) => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(6), config: { 'log.gap.policy': before } });
    await sink.run({ slice: { records: 2 } });
    sink.log.truncateBefore(sink.queue, offset(4));
    // Has read the old policy when the operator changes it, and writes what it finds after that.
    const bounds: LogBroker['bounds'] = async (queues) => {
      await changeConfig(sink.host, 'orders-sink', { ...sink.connector.config, 'log.gap.policy': after });
      return sink.log.bounds(queues);
    };

    const late = await sink.run({}, { on: { ...sink.anotherHost(), broker: brokerWith(sink.log, { bounds }) } });
    await sink.run();

    expect(late.run.refusal).toBe('revision-differs');
    expect(valuesIn(target)).toEqual(values);
    expect(await sink.cursor()).toMatchObject(expected);
  });

  test('claims nothing below the gap while a holder may be at work there, and says until when', async () => {
    const target = memoryTarget('versioned');
    const sink = await aSinkShard({ target, values: numbered(40), config: { 'log.gap.policy': 'skip' } });
    const claimedAtMs = sink.host.clock.nowMs();
    target.beforeWrite = () => sink.host.clock.sleep(100);
    const holder = sink.run({ slice: { records: 10 } });
    await sink.host.clock.sleep(50);
    sink.log.truncateBefore(sink.queue, offset(20));
    const other = sink.anotherHost();

    const early = await sink.run({}, { on: other });
    await holder;
    const late = await sink.run({}, { on: other });

    expect(early).toMatchObject({ run: { outcome: null, refusal: 'held' }, notBeforeMs: claimedAtMs + 25_000 });
    expect(late.run.outcome).toBe('drained');
    expect(valuesIn(target)).toEqual([...numbered(10), ...numbered(20, 20)]);
    expect(await sink.cursor()).toMatchObject({ gaps: { count: 1, records: 10n, start: 10n, end: 20n }, open: [], next: 40n });
  });

  // 1. A put of an overwrite target is given up.  2. Retention takes its record.  3. Another one comes for the same key.  4. The put lands.
  test('skips nothing that was given up and may still land, and says until when', async () => {
    const target = memoryTarget('overwrite');
    const config = { 'log.gap.policy': 'skip', 'put.timeout.ms': '1000' };
    const sink = await aSinkShard({ target, values: ['old'], config });
    target.beforeWrite = () => sink.host.clock.sleep(1_900);
    await sink.run();
    target.beforeWrite = () => Promise.resolve();
    const [left] = (await sink.cursor()).open;
    assert(left?.kind === 'free', 'what was given up is free');
    sink.log.truncateBefore(sink.queue, offset(1));
    await sink.send('new');

    const early = await sink.run({}, { on: sink.anotherHost() });
    await sink.untilClaimable();
    const late = await sink.run({}, { on: sink.anotherHost() });

    expect(early).toMatchObject({ run: { outcome: null, refusal: 'held' }, notBeforeMs: left.retryAtMs });
    expect(late.run.outcome).toBe('drained');
    expect(valuesIn(target).at(-1)).toBe('new');
    expect(await sink.cursor()).toMatchObject({ gaps: { count: 1, records: 1n, start: 0n, end: 1n }, open: [], next: 2n });
  });

  test('finds out when records go while its slice is running, and loses count of none', async () => {
    const target = memoryTarget('append');
    const config = { 'log.gap.policy': 'skip', 'consumer.override.max.poll.records': '1' };
    const sink = await aSinkShard({ target, values: numbered(6), config });
    let writes = 0;
    target.beforeWrite = async () => {
      writes += 1;
      if (writes === 1) sink.log.truncateBefore(sink.queue, offset(4));
    };

    const first = await sink.run();
    await sink.run({ quantumMs: 5_000 });

    expect(first.run.outcome).toBe('yielded');
    // Read ahead of the truncation.
    expect(valuesIn(target)).toEqual(['0', '1', '4', '5']);
    expect(await sink.cursor()).toMatchObject({ gaps: { records: 2n, start: 2n, end: 4n }, next: 6n, open: [] });
  });
});

describe('runInvocation of a log that ends before what was read', () => {
  test('fails its shard, and only a reset helps', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(3) });
    await sink.run();
    await createAnew(sink, ['new']);

    const { run } = await sink.run();
    await restartShards(sink.host, sink.connector);
    const restarted = await sink.run();
    await resetTo(sink, 0);
    const reset = await sink.run();

    expect([run.refusal, restarted.run.refusal]).toEqual(['failed', 'failed']);
    expect(sink.host.telemetry.logs).toMatchObject([{ level: 'error', fields: { position: 'orders/memory/0@3' } }]);
    expect(reset.run.outcome).toBe('drained');
    expect(valuesIn(target)).toEqual([...numbered(3), 'new']);
    expect(await sink.cursor()).toMatchObject({ generation: 2, status: { state: 'active' } });
  });

  test('ends a tail at once, and the next claim fails the shard', async () => {
    const sink = await aSinkShard({ values: numbered(3) });
    const running = sink.run(TAIL);
    await sink.host.clock.sleep(1_000);

    await createAnew(sink, ['new']);
    const { run } = await running;
    const next = await sink.run();

    expect(run.outcome).toBe('yielded');
    expect(run.endedAtMs - run.startedAtMs).toBeLessThan(2_000);
    expect(next.run.refusal).toBe('failed');
    expect(await sink.cursor()).toMatchObject({ status: { code: 'shard.log_truncated' } });
  });
});

describe('runInvocation of a log that was created anew and refilled', () => {
  test('fails its shard although the log is long enough again', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(3) });
    await sink.run();
    await sink.host.clock.sleep(LATER_MS);
    await createAnew(sink, numbered(6, 100));

    const { run } = await sink.run();

    expect(run.refusal).toBe('failed');
    expect(valuesIn(target)).toEqual(numbered(3));
    expect(await sink.cursor()).toMatchObject({ status: { code: 'shard.log_truncated' } });
  });

  test('fails its shard although it was seen gone in between', async () => {
    const sink = await aSinkShard({ values: numbered(3) });
    await sink.run();
    await sink.host.clock.sleep(LATER_MS);
    sink.log.deleteTopic('orders');
    const gone = await sink.run();
    sink.log.createTopic('orders', { queues: 1 });
    await sink.send(...numbered(6, 100));

    const { run } = await sink.run();

    expect([gone.run.refusal, run.refusal]).toEqual(['gone', 'failed']);
    expect(await sink.cursor()).toMatchObject({ status: { code: 'shard.log_truncated' } });
  });

  test('stays failed, whatever its last holder runs into afterwards (I1, I10)', async () => {
    const target = memoryTarget('append');
    const config = { 'consumer.override.max.poll.records': '1', 'put.timeout.ms': '10000' };
    const sink = await aSinkShard({ target, values: numbered(6), config });
    target.refusal = (record) => (String(record.value) === '105' ? new RecordError('no') : undefined);
    await sink.run({ slice: { records: 2 } });
    const other = sink.anotherHost();
    let refused: string | undefined;

    // 1. One holds [2, 6), and has the next records of the old log in hand.
    target.beforeWrite = async () => {
      target.beforeWrite = () => Promise.resolve();
      // 2. The topic is created anew, and refilled.
      await sink.host.clock.sleep(6_000);
      await createAnew(sink, numbered(8, 100));
      // 3. Another one finds out.
      refused = (await sink.run({}, { on: other })).run.refusal;
      // 4. The holder goes on into the new log, to a record that the target refuses.
    };
    const holder = await sink.run({ slice: { records: 4 } });
    const cursor = await sink.cursor();
    // 5. Longer than the restart of any other failure takes.
    await sink.host.clock.sleep(120_000);
    const later = await sink.run({ quantumMs: 5_000 }, { on: other });

    expect(refused).toBe('failed');
    expect(holder.run.error?.code).toBe('record.rejected');
    expect(later.run.refusal).toBe('failed');
    expect(await sink.cursor()).toEqual(cursor);
    expect(cursor.status).toMatchObject({ code: 'shard.log_truncated', retryAtMs: null });
    // What was read of the new log does not make it look like the old one.
    expect(cursor.lastStoredAtMs).toBeLessThan(holder.run.startedAtMs + 1);
  });

  // 1. A slice is put into a transactional target, and its commit is lost with its host.  2. The next holder finds it all there, and
  // commits what it has not read.  3. Retention takes what was finished long ago.
  test('takes no log for another one because a target held what nobody had committed', async () => {
    const target = memoryTarget('transactional');
    let isAway = false;
    const sink = await aSinkShard({
      target,
      values: numbered(4),
      store: (store) =>
        storeWith(store, { put: (...write) => (isAway ? Promise.reject(storeUnavailable()) : store.put(...write)) }),
    });
    await sink.run();
    await sink.host.clock.sleep(LATER_MS);
    await sink.send(...numbered(4, 4));
    target.beforeWrite = () => {
      isAway = true;
      return Promise.resolve();
    };
    await sink.run();
    isAway = false;
    target.beforeWrite = () => Promise.resolve();
    await sink.host.clock.sleep(60_000);
    await sink.run({}, { on: sink.anotherHost() });
    sink.log.truncateBefore(sink.queue, offset(6));

    await sink.run();

    expect(valuesIn(target)).toEqual(numbered(8));
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, next: 8n, lastStoredAtMs: expect.any(Number) });
  });

  test('fails its shard where an older log took its place', async () => {
    const sink = await aSinkShard();
    const olderAtMs = sink.host.clock.nowMs();
    await sink.host.clock.sleep(LATER_MS);
    await sink.send(...numbered(3));
    await sink.run();
    const { broker } = sink.host;
    // The records behind what was read are older than it.
    const replaced = brokerWith(broker, {
      bounds: async () => [{ min: offset(0), max: offset(9) }],
      read: async (queue, from) => ({
        records: [
          {
            queue,
            offset: from,
            key: null,
            value: null,
            tag: null,
            headers: [],
            bornAtMs: olderAtMs,
            storedAtMs: from === 0n ? olderAtMs : olderAtMs + 1,
          },
        ],
        next: offset(from + 1n),
        bounds: { min: offset(0), max: offset(9) },
      }),
    });

    const { run } = await sink.run({}, { on: { ...sink.host, broker: replaced } });

    expect(run.refusal).toBe('failed');
    expect(await sink.cursor()).toMatchObject({ status: { code: 'shard.log_truncated' } });
  });

  test('tells no log apart whose times differ by no more than clocks do', async () => {
    const sink = await aSinkShard({ values: numbered(3) });
    await sink.run();
    await sink.send('3');
    // The clocks of two brokers that held the queue one after the other.
    const skewed = brokerWith(sink.log, {
      read: async (...read) => {
        const result = await sink.log.read(...read);
        const records = result.records.map((record) => ({
          ...record,
          storedAtMs: record.storedAtMs + (record.offset === 0n ? 4_900 : -4_900),
        }));
        return { ...result, records };
      },
    });

    const { run } = await sink.run({}, { on: { ...sink.host, broker: skewed } });

    expect(run.outcome).toBe('drained');
  });
});

describe('runInvocation of a log that was created anew before anything was committed', () => {
  /** Dies in the put whose turn it is. */
  function dyingIn(put: number): { readonly target: MemoryTarget; revive(): void } {
    const target = memoryTarget('transactional');
    let writes = 0;
    // Each claim begins with a write of its epoch.
    target.beforeWrite = async () => {
      writes += 1;
      assert(writes <= put, 'the process died');
    };
    return {
      target,
      revive: () => {
        target.beforeWrite = () => Promise.resolve();
      },
    };
  }

  // 1. A slice or a tail delivers two of four records into a transactional target, and dies before it commits.
  // 2. The topic is deleted, created again, and filled past the slice.
  // 3. The target still stands behind the second record: of another log.
  test.each(['slice', 'tail'] as const)('fails its shard where a %s had delivered something', async (mode) => {
    const { target, revive } = dyingIn(2);
    const sink = await aSinkShard({ target, values: numbered(4), config: { 'consumer.override.max.poll.records': '2' } });
    await sink.run({ ...TAIL, mode }).catch(() => undefined);
    revive();
    await sink.host.clock.sleep(40_000);
    await createAnew(sink, numbered(6, 100));

    const { run } = await sink.run();
    await resetTo(sink, 0);
    await sink.run();

    expect(run.refusal).toBe('failed');
    expect(sink.host.telemetry.logs).toMatchObject([{ level: 'error', fields: { position: 'orders/memory/0@0' } }]);
    expect(valuesIn(target)).toEqual(['0', '1', ...numbered(6, 100)]);
  });

  test('fails its shard where a tail had found the log empty', async () => {
    const { target, revive } = dyingIn(2);
    const sink = await aSinkShard({ target, config: { 'consumer.override.max.poll.records': '2' } });
    const running = sink.run(TAIL).catch(() => undefined);
    await sink.host.clock.sleep(400);
    await sink.send(...numbered(4));
    await running;
    revive();
    await sink.host.clock.sleep(30_000);
    await createAnew(sink, numbered(6, 100));

    const { run } = await sink.run();

    expect(run.refusal).toBe('failed');
    expect(valuesIn(target)).toEqual(['0', '1']);
  });

  test('fails its shard where a later slice of the queue was finished, and the first was not', async () => {
    const target = memoryTarget('versioned');
    const sink = await aSinkShard({ target, values: numbered(4), config: { 'delivery.order': 'none' } });
    target.beforeWrite = async () => assert(false, 'the process died');
    await sink.run({ slice: { records: 2 } }).catch(() => undefined);
    target.beforeWrite = () => Promise.resolve();
    await sink.run({ slice: { records: 2 } });
    await sink.host.clock.sleep(30_000);
    await createAnew(sink, numbered(6, 100));

    const { run } = await sink.run();

    expect(run.refusal).toBe('failed');
    expect(valuesIn(target)).toEqual(['2', '3']);
  });

  test('writes its cursor once more before it delivers the first records of an empty log, and never again', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target });
    const running = sink.run(TAIL);
    await sink.host.clock.sleep(1_000);
    await sink.send('0');
    const first = await running;
    const second = sink.run(TAIL);
    await sink.host.clock.sleep(1_000);
    await sink.send('1');
    const { run } = await second;

    // Claim, the record to know the log by, commit, release.
    expect([first.run.counts.storeWrites, run.counts.storeWrites]).toEqual([4, 3]);
    expect(await sink.cursor()).toMatchObject({ firstRecord: { at: 0n } });
  });

  test('goes on where retention took all that had been there', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2), config: { 'log.gap.policy': 'skip' } });
    target.beforeWrite = () => Promise.reject(new FatalTaskError('not yet'));
    await sink.run();
    target.beforeWrite = () => Promise.resolve();
    await sink.host.clock.sleep(30_000);
    await sink.send(...numbered(2, 2));
    sink.log.truncateBefore(sink.queue, offset(2));
    await restartShards(sink.host, sink.connector);

    const { run } = await sink.run();

    expect(run.outcome).toBe('drained');
    expect(valuesIn(target)).toEqual(['2', '3']);
  });
});

describe('runInvocation of a queue that vanished', () => {
  test('is refused as gone, and goes on when the queue is back', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(2) });
    await sink.run();
    let isThere = false;
    const flaky = brokerWith(sink.log, {
      bounds: async (queues) => (isThere ? sink.log.bounds(queues) : queues.map(() => null)),
    });
    const host = { ...sink.anotherHost(), broker: flaky };

    const gone = await sink.run({}, { on: host });
    const cursor = await sink.cursor();
    isThere = true;
    await sink.send('2');
    const back = await sink.run({}, { on: host });

    expect(gone.run).toMatchObject({ outcome: null, refusal: 'gone' });
    expect(cursor).toMatchObject({ status: { state: 'gone' }, next: 2n });
    expect(back.run.outcome).toBe('drained');
    expect(valuesIn(target)).toEqual(numbered(3));
  });

  // 1. The queue is back, and an invocation has its bounds.
  // 2. More is sent, and another invocation restarts the shard, claims it, and commits it to its end.
  // 3. The first one's own restart meets a cursor that is ahead of its bounds.
  test('goes on when it is back, whoever of two that look at it is first', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(4) });
    await sink.run();
    const away = { ...sink.anotherHost(), broker: brokerWith(sink.log, { bounds: async (queues) => queues.map(() => null) }) };
    await sink.run({}, { on: away });
    const bounds: LogBroker['bounds'] = async (queues) => {
      const known = await sink.log.bounds(queues);
      await sink.send(...numbered(3, 4));
      await sink.run();
      return known;
    };

    const late = await sink.run({}, { on: { ...sink.anotherHost(), broker: brokerWith(sink.log, { bounds }) } });

    expect(late.run.refusal).toBe('nothing-to-claim');
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, next: 7n });
    expect(valuesIn(target)).toEqual(numbered(7));
  });

  test('still waits for an operator where it had failed, though its queue was away for a moment (I10)', async () => {
    const target = memoryTarget('append');
    target.refusal = () => new RecordError('no');
    const sink = await aSinkShard({ target, values: ['a'], config: { 'auto.restart.max.attempts': '0' } });
    await sink.run();
    const { status } = await sink.cursor();
    const away = { ...sink.anotherHost(), broker: brokerWith(sink.log, { bounds: async (queues) => queues.map(() => null) }) };

    const unseen = await sink.run({}, { on: away });
    const back = await sink.run();

    expect(status).toMatchObject({ state: 'failed', code: 'record.rejected', retryAtMs: null });
    expect([unseen.run.refusal, back.run.refusal]).toEqual(['failed', 'failed']);
    expect((await sink.cursor()).status).toEqual(status);
  });

  test('is gone in the end, also where it had failed and restarts by itself', async () => {
    const target = memoryTarget('append');
    target.refusal = () => new RecordError('no');
    const sink = await aSinkShard({ target, values: ['a'] });
    await sink.run();
    sink.log.deleteTopic('orders');
    await sink.untilClaimable();

    await sink.run();
    const { run } = await sink.run();

    expect(run.refusal).toBe('gone');
    expect((await sink.cursor()).status).toEqual({ state: 'gone', restarts: 1 });
  });

  // 1. A shard that has failed restarts by itself, and its claimer dies.
  // 2. Its queue is away for a moment.
  test('has not got its automatic restarts back when its queue is (I10)', async () => {
    const target = memoryTarget('append');
    target.refusal = () => new RecordError('no');
    const sink = await aSinkShard({ target, values: ['a'], config: { 'auto.restart.max.attempts': '1' } });
    await sink.run();
    await sink.untilClaimable();
    target.beforeWrite = async () => assert(false, 'the process died');
    await sink.run().catch(() => undefined);
    target.beforeWrite = () => Promise.resolve();
    const away = { ...sink.anotherHost(), broker: brokerWith(sink.log, { bounds: async (queues) => queues.map(() => null) }) };

    await sink.run({}, { on: away });
    await sink.host.clock.sleep(40_000);
    await sink.run();

    expect((await sink.cursor()).status).toEqual({ state: 'failed', code: 'record.rejected', retryAtMs: null, restarts: 1 });
  });

  // 1. An operator resets the shard to a position in the middle; nothing is claimed since.
  // 2. The topic is deleted, and an invocation finds the queue gone.
  // 3. It is created anew and filled past that position, whose records are others now.
  test('fails its shard where nothing tells whether it is the queue that was reset', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(4) });
    await sink.run();
    await sink.host.clock.sleep(60_000);
    await resetTo(sink, 2);
    sink.log.deleteTopic('orders');
    await sink.run();
    sink.log.createTopic('orders', { queues: 1 });
    await sink.send(...numbered(6, 100));

    const { run } = await sink.run();

    expect(run.refusal).toBe('failed');
    expect((await sink.cursor()).status).toMatchObject({ state: 'failed', code: 'shard.log_truncated' });
    expect(sink.host.telemetry.logs).toMatchObject([{ level: 'error', fields: { position: 'orders/memory/0@2' } }]);
  });

  test('has no cursor where it never existed', async () => {
    const sink = await aSinkShard();
    sink.log.deleteTopic('orders');

    const { run, cursor } = await sink.run();

    expect(run).toMatchObject({ outcome: null, refusal: 'queue-gone' });
    expect(cursor).toBeNull();
  });

  test('gives its slice back when that happens while it is running', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(4), config: { 'consumer.override.max.poll.records': '1' } });
    let writes = 0;
    target.beforeWrite = async () => {
      writes += 1;
      if (writes === 1) sink.log.deleteTopic('orders');
    };

    const { run } = await sink.run();
    const next = await sink.run();

    expect(run.outcome).toBe('yielded');
    expect(next.run.refusal).toBe('gone');
    expect(await sink.cursor()).toMatchObject({ status: { state: 'gone' }, open: [{ kind: 'free' }] });
  });
});
