import { describe, expect, test } from 'vitest';
import { MemoryTelemetry } from '../../../adapters/memory/memory-telemetry.ts';
import { RecordError } from '../../../core/errors.ts';
import { NO_COUNTS, type RunCounts, type RunRecord } from '../../../core/offer.ts';
import type { Labels } from '../../../core/ports.ts';
import { queueShardId, sourceShardId } from '../../../core/shard-id.ts';
import { commonMetrics, countRun, sinkMetrics, sourceMetrics } from '../../../functions/run-metrics.ts';
import { DEAD_LETTERS } from '../../support/configs.ts';
import { memorySystem, rows } from '../../support/memory-source.ts';
import { memoryTarget } from '../../support/memory-target.ts';
import { aSinkShard, numbered } from '../../support/sink-shard.ts';
import { aSourceShard } from '../../support/source-shard.ts';

const QUEUE = queueShardId('uid', { topic: 'orders', brokerName: 'b', queueId: 0 });
function aRun({
  counts,
  ...fields
}: Partial<Omit<RunRecord, 'counts'>> & { readonly counts?: Partial<RunCounts> } = {}): RunRecord {
  return {
    offerId: 'offer',
    owner: 'owner',
    connector: 'orders',
    shard: QUEUE,
    startedAtMs: 1_000,
    endedAtMs: 1_250,
    outcome: 'drained',
    ...fields,
    counts: { ...NO_COUNTS, ...counts },
  };
}

/** Every metric that the runs touched. */
function countersOf(...runs: readonly RunRecord[]): Record<string, number> {
  const telemetry = new MemoryTelemetry();
  for (const run of runs) countRun(telemetry, run);
  const names = [...sinkMetrics, ...sourceMetrics, ...commonMetrics].map(({ name }) => name);
  const counted = names.map((name): [string, number] => [name, telemetry.counter(name, { connector: 'orders' })]);
  return Object.fromEntries(counted.filter(([, count]) => count !== 0));
}

describe('countRun', () => {
  test('turns each count of a run record into a counter (I10)', () => {
    const counts: RunCounts = {
      slices: 2,
      read: 100,
      filtered: 20,
      delivered: 60,
      deadLettered: 5,
      dropped: 3,
      skipped: 7,
      stale: 12,
      retries: 4,
      throttled: 2,
      storeWrites: 6,
      conflicts: 1,
    };

    expect(countersOf(aRun({ counts }))).toEqual({
      'sink-record-read-total': 100,
      'sink-record-send-total': 60,
      'total-record-errors': 8,
      'total-records-skipped': 8,
      'deadletterqueue-produce-requests': 5,
      'total-retries': 4,
      'puts-throttled-total': 2,
      'records-filtered-total': 20,
      'records-stale-total': 12,
      'records-gap-total': 7,
      'slices-total': 2,
      'invocations-total': 1,
      'store-writes-total': 6,
      'store-conflicts-total': 1,
    });
  });

  test('counts how invocations ended', () => {
    const ends = [
      aRun(),
      aRun({ outcome: null, refusal: 'held' }),
      aRun({ outcome: 'fenced' }),
      aRun({ outcome: 'failed', error: { code: 'record.rejected', stage: 'put', message: 'no', position: 'orders/b/0@7' } }),
      aRun({ outcome: 'failed', error: { code: 'target.unavailable', stage: 'put', message: 'busy' } }),
    ];

    expect(countersOf(...ends)).toEqual({
      'invocations-total': 5,
      'invocations-empty-total': 1,
      'invocations-fenced-total': 1,
      'invocations-failed-total': 2,
      'total-record-errors': 1,
    });
  });

  test('names what a source did as Kafka Connect does', () => {
    const run = aRun({ shard: sourceShardId('uid', ['table']), counts: { read: 10, delivered: 9 } });

    expect(countersOf(run)).toEqual({ 'source-record-poll-total': 10, 'source-record-write-total': 9, 'invocations-total': 1 });
  });

  test('observes how long an invocation took, also where the clock jumped back', () => {
    const telemetry = new MemoryTelemetry();

    countRun(telemetry, aRun());
    countRun(telemetry, aRun({ endedAtMs: 900 }));

    expect(telemetry.observations('invocation-time-ms', { connector: 'orders' })).toEqual([250, 0]);
  });

  test('bears no label but the connector, so that series are as few as connectors', () => {
    const labels: Labels[] = [];
    const note = (_: string, given: Labels): void => void labels.push(given);

    countRun({ count: note, observe: note, log: () => undefined, run: () => undefined }, aRun({ counts: { read: 1 } }));

    expect(labels).toEqual(labels.map(() => ({ connector: 'orders' })));
  });
});

describe('runInvocation', () => {
  test('counts what it did to a queue, over all its invocations (I10)', async () => {
    const target = memoryTarget('append');
    target.refusal = ({ value }) => (value === '2' ? new RecordError('not this one') : undefined);
    const sink = await aSinkShard({ target, values: numbered(5), config: DEAD_LETTERS });

    await sink.run({ slice: { records: 3 } });
    await sink.run();

    const counted = (name: string): number => sink.host.telemetry.counter(name, { connector: 'orders-sink' });
    expect(counted('sink-record-read-total')).toBe(5);
    expect(counted('sink-record-send-total')).toBe(4);
    expect(counted('deadletterqueue-produce-requests')).toBe(1);
    expect(counted('invocations-total')).toBe(2);
  });

  test('counts what it did for a source', async () => {
    const source = await aSourceShard({ system: memorySystem({ rows: rows(3) }) });

    await source.run();

    expect(source.host.telemetry.counter('source-record-poll-total', { connector: 'rows-source' })).toBe(3);
    expect(source.host.telemetry.counter('source-record-write-total', { connector: 'rows-source' })).toBe(3);
  });
});
