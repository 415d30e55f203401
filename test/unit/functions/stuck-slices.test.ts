import { describe, expect, test } from 'vitest';
import { FatalTaskError } from '../../../core/errors.ts';
import type { InvocationResult } from '../../../core/offer.ts';
import type { LogBroker } from '../../../core/ports.ts';
import { brokerWith } from '../../support/faulty-ports.ts';
import { memorySink } from '../../support/memory-sink.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered, type SinkShard } from '../../support/sink-shard.ts';

/** A broker that shows the log to whoever looks at it, and gives none of it to whoever reads on. */
function withholding(sink: () => SinkShard, read?: () => Promise<never>): (log: LogBroker) => LogBroker {
  return (log) =>
    brokerWith(log, {
      read: async (queue, from, limits, signal) => {
        if (limits.records === 1) return log.read(queue, from, limits, signal);
        await read?.();
        const [bounds] = await log.bounds([queue]);
        await sink().host.clock.sleep(limits.waitMs);
        return { records: [], next: from, bounds: bounds as NonNullable<typeof bounds> };
      },
    });
}

/** Runs it so often, each time when it may be claimed again. */
async function runTimes(sink: SinkShard, run: () => Promise<InvocationResult>): Promise<readonly InvocationResult[]> {
  const ends: InvocationResult[] = [];
  for (let time = 0; time < 3; time += 1) {
    ends.push(await run());
    await sink.untilClaimable();
  }
  return ends;
}

describe('runInvocation of a slice that gets nowhere, and would not the next time (I10)', () => {
  test('fails one that reads nothing of what the log says it holds, later each time', async () => {
    const sink: SinkShard = await aSinkShard({ values: numbered(4), broker: withholding(() => sink) });

    const ends = await runTimes(sink, () => sink.run());

    expect(ends.map(({ run }) => run.outcome)).toEqual(['failed', 'failed', 'failed']);
    expect(ends[0]?.run.error).toMatchObject({ stage: 'poll', code: 'broker.unavailable' });
    expect(ends[0]?.run.error?.message).toContain('nothing was read at 0 of queue 0 of orders, which holds 0 to 4');
    expect(await sink.cursor()).toMatchObject({ open: [{ attempts: 3, error: 'broker.unavailable' }] });
  });

  test('fails a tail that waits in vain for what the log says it holds', async () => {
    const sink: SinkShard = await aSinkShard({ values: numbered(4), broker: withholding(() => sink) });

    const { run } = await sink.run({ mode: 'tail', slice: { durationMs: 60_000 } });

    expect(run).toMatchObject({ outcome: 'failed', error: { stage: 'poll', code: 'broker.unavailable' } });
    expect(run.endedAtMs - run.startedAtMs).toBeGreaterThanOrEqual(5_000);
  });

  test('fails one whose queue is missing for whoever reads it', async () => {
    const missing = new FatalTaskError('there is no such topic', { code: 'broker.topic_missing' });
    const sink: SinkShard = await aSinkShard({
      values: numbered(4),
      broker: withholding(
        () => sink,
        () => Promise.reject(missing),
      ),
    });

    const [end] = await runTimes(sink, () => sink.run());

    expect(end?.run).toMatchObject({ outcome: 'failed', error: { code: 'broker.topic_missing' } });
    expect(await sink.cursor()).toMatchObject({ status: { state: 'active' }, open: [{ attempts: 3 }] });
  });

  test('fails one whose target opens so slowly that no put may begin', async () => {
    const plugin = memorySink(memoryTarget('overwrite'));
    const open: typeof plugin.open = async (...args) => {
      await sink.host.clock.sleep(8_500);
      return plugin.open(...args);
    };
    const sink: SinkShard = await aSinkShard({
      plugin: { ...plugin, open },
      values: numbered(4),
      config: { 'put.timeout.ms': '10000' },
    });

    const [end] = await runTimes(sink, () => sink.run());

    expect(end?.run).toMatchObject({ outcome: 'failed', error: { stage: 'put', code: 'target.timed_out' } });
    expect(await sink.cursor()).toMatchObject({ open: [{ attempts: 3, error: 'target.timed_out' }] });
  });

  test('fails one for which the platform leaves no time', async () => {
    const sink = await aSinkShard({ values: numbered(4) });

    const [end] = await runTimes(sink, () => sink.run({}, { limitMs: 1_900 }));

    expect(end?.run).toMatchObject({ outcome: 'failed', error: { stage: 'put', code: 'target.timed_out' } });
    expect(await sink.cursor()).toMatchObject({ open: [{ attempts: 3 }] });
  });
});
