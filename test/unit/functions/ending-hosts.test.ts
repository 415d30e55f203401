import { describe, expect, test } from 'vitest';
import { watermark } from '../../../core/cursor/cursor.ts';
import { RetryableError } from '../../../core/errors.ts';
import type { ShardId } from '../../../core/shard-id.ts';
import { Sandbox } from '../../../functions/sandbox.ts';
import { memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { RunningClock } from '../../support/running-clock.ts';
import { aSinkShard, numbered, valuesIn } from '../../support/sink-shard.ts';
import { aSourceShard, valuesOf } from '../../support/source-shard.ts';

/** Longer than any test runs. */
const LONG_MS = 600_000;

describe('runInvocation in a host that is about to end', () => {
  test('leaves a slice at its next batch, with what is delivered committed', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(10), config: { 'consumer.override.max.poll.records': '2' } });
    target.beforeWrite = async () => sink.host.sandbox.close();

    const { run } = await sink.run({ quantumMs: LONG_MS });

    const cursor = await sink.cursor();
    expect(run).toMatchObject({ outcome: 'yielded', counts: { slices: 1, delivered: 2 } });
    expect([watermark(cursor), cursor.open]).toMatchObject([2n, [{ kind: 'free', start: 2n, end: 10n, attempts: 0 }]]);
    expect(valuesIn(target)).toEqual(['0', '1']);
  });

  test('claims nothing more when a slice is finished', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: numbered(4) });
    target.beforeWrite = async () => sink.host.sandbox.close();

    const { run } = await sink.run({ slice: { records: 2 }, quantumMs: LONG_MS });

    expect(run.counts).toMatchObject({ slices: 1, delivered: 2 });
    expect(await sink.cursor()).toMatchObject({ next: 2n, open: [] });
  });

  test('ends a tail that waits for records', async () => {
    const sink = await aSinkShard({ values: ['a'] });
    const running = sink.run({ mode: 'tail', slice: { durationMs: LONG_MS } });
    await sink.host.clock.sleep(1_100);

    sink.host.sandbox.close();
    const { run } = await running;

    expect(run).toMatchObject({ outcome: 'yielded', counts: { delivered: 1 } });
    expect(run.endedAtMs - run.startedAtMs).toBeLessThanOrEqual(1_600);
    expect(await sink.cursor()).toMatchObject({ next: 1n, open: [] });
  });

  test('waits for no target that asks for time', async () => {
    const target = memoryTarget('append');
    const sink = await aSinkShard({ target, values: ['a'] });
    target.beforeWrite = () => Promise.reject(new RetryableError('busy', { code: 'target.unavailable', retryAfterMs: 10_000 }));
    const running = sink.run();
    await sink.host.clock.sleep(1_000);

    sink.host.sandbox.close();
    const { run } = await running;

    expect(run.outcome).toBe('yielded');
    expect(run.endedAtMs - run.startedAtMs).toBeLessThanOrEqual(1_000);
    expect(await sink.cursor()).toMatchObject({ open: [{ kind: 'free', start: 0n, end: 1n, attempts: 0 }] });
  });

  test.each([false, true])(
    'leaves a source between two polls, nothing sent twice and nothing lost (exactly once: %s)',
    async (exactlyOnce) => {
      const system = memorySystem({ rows: rows(6) });
      const source = await aSourceShard({ system, exactlyOnce, config: { 'consumer.override.max.poll.records': '2' } });
      let polls = 0;
      system.beforePoll = async () => {
        polls += 1;
        if (polls === 3) source.host.sandbox.close();
      };

      const { run } = await source.run({ quantumMs: LONG_MS });
      const sentBefore = valuesOf(await source.sent());
      const next = await source.run({ quantumMs: LONG_MS }, { on: source.anotherHost() });

      expect(run.outcome).toBe('yielded');
      expect(next.run.outcome).toBe('drained');
      expect(sentBefore).toHaveLength(4);
      expect(valuesOf(await source.sent())).toEqual(rows(6).map(({ value }) => value));
    },
  );
});

describe('Sandbox', () => {
  test('keeps nothing once its host is about to end', () => {
    const sandbox = new Sandbox(new RunningClock());
    const closed: string[] = [];
    const edition = { revision: 1, opening: 1 };
    const stationOf = (name: string) => ({
      writer: {
        put: async () => ({ failures: [] }),
        flush: async () => undefined,
        close: async () => {
          closed.push(name);
        },
      },
      reader: null,
    });
    sandbox.keep('kept' as ShardId, edition, stationOf('kept'));

    sandbox.close();
    sandbox.keep('late' as ShardId, edition, stationOf('late'));

    expect(closed).toEqual(['kept', 'late']);
  });
});
