import { describe, expect, test } from 'vitest';
import { ConnectRecord, NULL_DATUM } from '../../../core/record/connect-record.ts';
import { LatencyMeter } from '../../../functions/latency-meter.ts';
import { aSinkRecord } from '../../support/connect-records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aSinkShard, numbered } from '../../support/sink-shard.ts';

/** A record of a source, made so long after the clock's beginning. */
function madeAt(clock: ManualClock, timestampMs: number | null): ConnectRecord {
  return new ConnectRecord({
    log: null,
    position: null,
    topic: 'rows',
    key: NULL_DATUM,
    value: NULL_DATUM,
    timestampMs: timestampMs === null ? null : clock.nowMs() - clock.monotonicMs() + timestampMs,
    tag: null,
    headers: [],
  });
}

describe('LatencyMeter', () => {
  test('tells how old the first record of each commit was', () => {
    const clock = new ManualClock();
    const meter = new LatencyMeter(clock);

    meter.delivered([madeAt(clock, 0), madeAt(clock, 40)]);
    clock.advance(100);
    meter.delivered([madeAt(clock, 90)]);
    meter.committed();
    meter.delivered([madeAt(clock, 100)]);
    clock.advance(30);
    meter.committed();

    expect(meter.samplesMs()).toEqual([100, 30]);
  });

  test('of a record of a log goes by when it was stored, not by when it was born', () => {
    const clock = new ManualClock();
    const meter = new LatencyMeter(clock);
    const record = aSinkRecord();

    meter.delivered([record.with({ timestampMs: 0 })]);
    meter.committed();

    expect(meter.samplesMs()).toEqual([clock.nowMs() - record.log.storedAtMs]);
  });

  test('tells nothing of commits that cover no record, or one without a time', () => {
    const clock = new ManualClock();
    const meter = new LatencyMeter(clock);

    meter.committed();
    meter.delivered([]);
    meter.committed();
    meter.delivered([madeAt(clock, null)]);
    meter.committed();

    expect(meter.samplesMs()).toEqual([]);
  });

  test('takes a record from the future for one of now: another clock is ahead', () => {
    const clock = new ManualClock();
    const meter = new LatencyMeter(clock);

    meter.delivered([madeAt(clock, 5_000)]);
    meter.committed();

    expect(meter.samplesMs()).toEqual([0]);
  });

  test('keeps at most 64 samples, spread over all commits', () => {
    const clock = new ManualClock();
    const meter = new LatencyMeter(clock);

    for (let commit = 0; commit < 1_000; commit += 1) {
      meter.delivered([madeAt(clock, 0)]);
      meter.committed();
      clock.advance(1);
    }

    const samples = meter.samplesMs();
    expect(samples.length).toBeGreaterThan(32);
    expect(samples.length).toBeLessThanOrEqual(64);
    expect(samples).toEqual(samples.map((_, index) => index * (samples[1] ?? 0)));
    expect(samples.at(-1)).toBeGreaterThan(950);
  });
});

describe('runInvocation', () => {
  test('tells in its run record how long records took from the log to their commit', async () => {
    const sink = await aSinkShard({ values: numbered(4), everyMs: 1_000 });

    const { run } = await sink.run({ slice: { records: 2 }, quantumMs: 60_000 });

    // The first slice begins with a record that is four seconds old, the second one with its third.
    expect(run.latenciesMs).toEqual([4_000, 2_000]);
  });

  test('tells nothing where nothing was committed', async () => {
    const sink = await aSinkShard();

    const { run } = await sink.run();

    expect(run).not.toHaveProperty('latenciesMs');
  });
});
