import { describe, expect, test } from 'vitest';
import type { Labels } from '../../../../core/metrics/metric.ts';
import { metrics, type ScrapedName } from '../../../../core/metrics/table.ts';
import { NO_COUNTS, type RunCounts, type RunRecord } from '../../../../core/offer.ts';
import { discoveryShardId, queueShardId, sourceShardId } from '../../../../core/shard-id.ts';
import { Activity } from '../../../../scheduler/metrics/activity.ts';
import { scrapeOf } from '../../../../scheduler/metrics/samples.ts';
import { Startups } from '../../../../scheduler/metrics/startups.ts';
import { ShardTable } from '../../../../scheduler/shard-table.ts';
import { RunningClock } from '../../../support/running-clock.ts';

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

/** What is shown of these runs of task 1, without what is 0; Kafka Connect's names without their group. */
function shownOf(...runs: readonly RunRecord[]): Record<string, number> {
  return Object.fromEntries(
    seriesOf({ task: 1, runs })
      .filter(({ value }) => value !== 0)
      .map(({ name, value }) => [name.replace(/^kafka_connect_.*_metrics_/, ''), value]),
  );
}

interface Series {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** All that a scrape shows of runs. */
function seriesOf({ task, runs }: { readonly task: number | null; readonly runs: readonly RunRecord[] }): readonly Series[] {
  const clock = new RunningClock();
  const activity = new Activity(clock);
  for (const run of runs) activity.note('uid', task, run);
  const catalog = { all: () => [], isListed: () => true };
  const startups = { configurations: new Startups(0), openings: new Startups(0) };
  const table = new ShardTable(() => undefined);
  const scrape = scrapeOf({ clock, table, catalog, activity, ...startups }, { leads: true, freeSlots: 0 });
  return Object.entries(metrics)
    .filter(([, { from, labels, type }]) => from === 'runs' && labels.length > 0 && type !== 'histogram')
    .flatMap(([name]) => [...scrape(name as ScrapedName)].map((sample) => ({ name, ...sample })));
}

describe('counters', () => {
  test('show each count of a run record (I10)', () => {
    const counts: RunCounts = {
      slices: 2,
      read: 100,
      filtered: 20,
      delivered: 60,
      deadLettered: 5,
      dropped: 3,
      deadLettersFailed: 6,
      errorsLogged: 8,
      skipped: 7,
      stale: 12,
      retries: 4,
      throttled: 2,
      commits: 9,
      commitsFenced: 10,
      commitsFailed: 11,
      storeReads: 13,
      storeWrites: 6,
      conflicts: 1,
    };

    expect(shownOf(aRun({ counts }))).toEqual({
      sink_record_read_total: 100,
      sink_record_send_total: 60,
      offset_commit_seq_no: 30,
      offset_commit_completion_total: 9,
      offset_commit_skip_total: 10,
      total_record_errors: 8,
      total_records_skipped: 8,
      total_errors_logged: 8,
      deadletterqueue_produce_requests: 11,
      deadletterqueue_produce_failures: 6,
      total_retries: 4,
      sortie_invocations_total: 1,
      sortie_puts_throttled_total: 2,
      sortie_records_dropped_total: 3,
      sortie_records_filtered_total: 20,
      sortie_records_gap_total: 7,
      sortie_records_stale_total: 12,
      sortie_slices_total: 2,
      sortie_store_conflicts_total: 1,
      sortie_store_reads_total: 13,
      sortie_store_writes_total: 6,
    });
  });

  test('show how invocations ended, and which of them failed for a record', () => {
    const ends = [
      aRun(),
      aRun({ outcome: null, refusal: 'held' }),
      aRun({ outcome: 'fenced' }),
      aRun({ outcome: 'failed', error: { code: 'record.rejected', stage: 'put', message: 'no', position: 'orders/b/0@7' } }),
      aRun({ outcome: 'failed', error: { code: 'target.unavailable', stage: 'put', message: 'busy' } }),
    ];

    const series = seriesOf({ task: 0, runs: ends });

    const labelled = (name: string) =>
      series.filter((one) => one.name === name).map(({ labels, value }) => ({ ...labels, value }));
    expect(labelled('sortie_invocations_total')).toEqual([
      { connector: 'orders', outcome: 'drained', value: 1 },
      { connector: 'orders', outcome: 'empty', value: 1 },
      { connector: 'orders', outcome: 'fenced', value: 1 },
      { connector: 'orders', outcome: 'failed', value: 2 },
    ]);
    expect(labelled('sortie_claims_refused_total')).toEqual([{ connector: 'orders', reason: 'held', value: 1 }]);
    for (const name of ['total_record_errors', 'total_record_failures', 'total_errors_logged'])
      expect(labelled(`kafka_connect_task_error_metrics_${name}`)).toEqual([{ connector: 'orders', task: '0', value: 1 }]);
  });

  test('name what a source did as Kafka Connect does', () => {
    const run = aRun({ shard: sourceShardId('uid', ['table']), counts: { read: 10, delivered: 9 } });

    expect(shownOf(run)).toEqual({ source_record_poll_total: 10, source_record_write_total: 9, sortie_invocations_total: 1 });
  });

  test('show all series of a task from its first run on, so that the first increase of each can be seen', () => {
    const names = new Set(seriesOf({ task: 0, runs: [aRun()] }).map(({ name }) => name));

    expect(names).toContain('kafka_connect_task_error_metrics_deadletterqueue_produce_requests');
    expect(names).toContain('sortie_records_gap_total');
  });

  test('show a discovery for its connector, and for no task', () => {
    const runs = [aRun({ shard: discoveryShardId('uid'), counts: { storeWrites: 2 } })];

    const series = seriesOf({ task: null, runs });

    expect(series.filter(({ labels }) => labels['task'] !== undefined)).toEqual([]);
    expect(series).toContainEqual({ name: 'sortie_store_writes_total', labels: { connector: 'orders' }, value: 2 });
  });

  test('begin anew with a connector that was given a plugin of the other kind', () => {
    const runs = [aRun({ counts: { read: 7 } }), aRun({ shard: sourceShardId('uid', ['table']), counts: { read: 2 } })];

    expect(shownOf(...runs)).toEqual({ source_record_poll_total: 2, sortie_invocations_total: 2 });
  });

  test('take what a run of an older version does not count as nothing', () => {
    const { read, delivered } = { ...NO_COUNTS, read: 5, delivered: 5 };
    const old = { ...aRun(), counts: { read, delivered } as RunCounts };

    expect(shownOf(old)).toEqual({ sink_record_read_total: 5, sink_record_send_total: 5, sortie_invocations_total: 1 });
  });
});
