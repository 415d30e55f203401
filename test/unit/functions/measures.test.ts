/** What an invocation measures of its batches, polls, puts and commits, and counts of what became of them. */
import { describe, expect, test } from 'vitest';
import { RecordError } from '../../../core/errors.ts';
import { DEAD_LETTERS } from '../../support/configs.ts';
import { brokerUnavailable, brokerWith, storeUnavailable, storeWith } from '../../support/faulty-ports.ts';
import { memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered } from '../../support/sink-shard.ts';
import { aSourceShard } from '../../support/source-shard.ts';

const PAIRS = { 'consumer.override.max.poll.records': '2' };
const TAIL = { mode: 'tail', slice: { durationMs: 60_000 } } as const;

describe('the measures of a run', () => {
  test('are of each batch, put and commit of a slice', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({
      target,
      values: numbered(5),
      config: PAIRS,
      store: (store) => storeWith(store, { put: async (...write) => sink.host.clock.sleep(3).then(() => store.put(...write)) }),
    });
    target.beforeWrite = () => sink.host.clock.sleep(4);

    const { run } = await sink.run();

    expect(run.counts).toMatchObject({ read: 5, commits: 1, commitsFenced: 0, commitsFailed: 0 });
    expect(run.measures).toEqual({
      batchRecords: { count: 3, sum: 5, min: 1, max: 2 },
      activeRecords: { count: 3, sum: 11, min: 2, max: 5 },
      putMs: { count: 3, sum: 20, min: 4, max: 8 },
      commitMs: { count: 1, sum: 3, min: 3, max: 3 },
      commitRecords: { count: 1, sum: 5, min: 5, max: 5 },
    });
  });

  test('are of each poll of a source that brought records', async () => {
    const system = memorySystem({ rows: rows(5) });
    const source = await aSourceShard({ system, config: PAIRS });
    system.beforePoll = () => source.host.clock.sleep(7);

    const { run } = await source.run();
    const { run: nothingMore } = await source.run();

    expect(run.measures).toMatchObject({
      batchRecords: { count: 3, sum: 5, min: 1, max: 2 },
      pollMs: { count: 3, sum: 21, min: 7, max: 7 },
      commitRecords: { count: 1, sum: 5, min: 5, max: 5 },
    });
    expect(run.counts.commits).toBe(1);
    expect(nothingMore.measures).toBeUndefined();
    expect(nothingMore.counts).toMatchObject({ commits: 0, storeWrites: 2 });
  });

  test('are of each commit that a tail makes as records come, and of none that covers no record', async () => {
    const sink = await aSinkShard({ values: ['a'] });

    const running = sink.run(TAIL);
    await sink.host.clock.sleep(2_000);
    await sink.send('b', 'c');
    const { run } = await running;

    expect(run.counts).toMatchObject({ read: 3, commits: 2 });
    expect(run.measures).toMatchObject({
      activeRecords: { count: 2, sum: 3, max: 2 },
      commitRecords: { count: 2, sum: 3, min: 1, max: 2 },
    });
  });

  test('have the commit of what came before a refused record', async () => {
    const target = memoryTarget('append');
    target.refusal = ({ value }) => (value === '3' ? new RecordError('not this one') : undefined);
    const sink = await aSinkShard({ target, values: numbered(5) });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', counts: { commits: 1 }, measures: { commitRecords: { sum: 3 } } });
  });
});

describe('the counts of a run', () => {
  test('have a commit that came too late among those that were fenced (I2)', async () => {
    const target = memoryTarget('append');
    let writes = 0;
    let isHeld: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      isHeld = resolve;
    });
    let next = Promise.resolve<unknown>(null);
    const sink = await aSinkShard({
      target,
      values: ['a'],
      store: (store) =>
        storeWith(store, {
          async put(...write) {
            writes += 1;
            // The commit, behind the creation and the claim: frozen for so long that somebody else claims.
            if (writes === 3) {
              sink.host.clock.jump(30_000);
              next = sink.run({}, { on: sink.anotherHost() });
              await held;
            }
            return store.put(...write);
          },
        }),
    });
    target.beforeWrite = async ({ epoch }) => {
      if (epoch === 1) return;
      isHeld();
      await sink.host.clock.sleep(1_000);
    };

    const { run } = await sink.run();
    await next;

    expect(run).toMatchObject({ outcome: 'fenced', counts: { commits: 0, commitsFenced: 1, commitsFailed: 0 } });
    expect(run.measures?.commitMs).toBeUndefined();
  });

  test('have a commit that the store did not take among those that failed', async () => {
    let isAway = false;
    const target = memoryTarget('append');
    target.beforeWrite = async () => {
      isAway = true;
    };
    const sink = await aSinkShard({
      target,
      values: ['a'],
      store: (store) =>
        storeWith(store, { put: (...write) => (isAway ? Promise.reject(storeUnavailable()) : store.put(...write)) }),
    });

    const { run } = await sink.run();

    expect(run).toMatchObject({ outcome: 'failed', counts: { delivered: 1, commits: 0 } });
    expect(run.counts.commitsFailed).toBeGreaterThan(0);
    expect(run.measures?.commitMs).toBeUndefined();
  });

  test('have dead letters that were not acknowledged, and those that were when they are sent again', async () => {
    let isAway = true;
    const target = memoryTarget('append');
    target.refusal = () => new RecordError('not these');
    const sink = await aSinkShard({
      target,
      values: numbered(3),
      config: { ...DEAD_LETTERS, 'errors.log.enable': 'true' },
      broker: (log) =>
        brokerWith(log, { send: (...batch) => (isAway ? Promise.reject(brokerUnavailable()) : log.send(...batch)) }),
    });

    const { run: first } = await sink.run();
    isAway = false;
    await sink.untilClaimable();
    const { run: second } = await sink.run();

    expect(first.counts).toMatchObject({ deadLettersFailed: 3, deadLettered: 0, errorsLogged: 0 });
    expect(second.counts).toMatchObject({ deadLettersFailed: 0, deadLettered: 3, errorsLogged: 3 });
  });

  test('have the reads of the connector and of its cursor', async () => {
    const sink = await aSinkShard({ values: ['a'] });

    const { run: first } = await sink.run();
    const { run: second } = await sink.run(TAIL);

    // The connector again once there is a cursor; a tail looks at its gate every second.
    expect(first.counts.storeReads).toBe(3);
    expect(second.counts.storeReads).toBeGreaterThan(2 + 3);
  });
});
