/** Kafka Connect 4.1's metrics, each by the name of its attribute, as `/metrics` shows them after a source and a sink have run. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { MemoryLogBroker } from '../../adapters/memory/memory-log-broker.ts';
import { MemoryStateStore } from '../../adapters/memory/memory-state-store.ts';
import { PrometheusMetrics } from '../../adapters/telemetry/prometheus-metrics.ts';
import { RecordError } from '../../core/errors.ts';
import { leftOut } from '../../core/metrics/left-out.ts';
import { metrics as table } from '../../core/metrics/table.ts';
import type { RunRecord } from '../../core/offer.ts';
import { anApp } from '../support/api.ts';
import { DEAD_LETTERS } from '../support/configs.ts';
import { type Exposition, parseExposition } from '../support/exposition.ts';
import { storeWith } from '../support/faulty-ports.ts';
import { aHost, type TestHost } from '../support/hosts.ts';
import { outgoing } from '../support/log-records.ts';
import { memorySink } from '../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../support/memory-source.ts';
import { memoryTarget } from '../support/memory-target.ts';
import { RunningClock } from '../support/running-clock.ts';
import { aScheduler, until } from '../support/schedulers.ts';
import { numbered } from '../support/sink-shard.ts';

/** By group; a metric with these labels. https://kafka.apache.org/documentation/#connect_monitoring, read 2026-11-26 */
const attributes: Readonly<Record<string, readonly string[]>> = {
  'connector-metrics': ['connector-class', 'connector-type', 'connector-version', 'status'],
  'connector-task-metrics': [
    'status',
    'running-ratio',
    'pause-ratio',
    'batch-size-avg',
    'batch-size-max',
    'offset-commit-avg-time-ms',
    'offset-commit-max-time-ms',
    'offset-commit-success-percentage',
    'offset-commit-failure-percentage',
    'connector-class',
    'connector-type',
    'connector-version',
    'task-class',
    'task-version',
    'key-converter-class',
    'key-converter-version',
    'value-converter-class',
    'value-converter-version',
    'header-converter-class',
    'header-converter-version',
  ],
  'connector-transform-metrics': ['transform-class', 'transform-version'],
  'connector-predicate-metrics': ['predicate-class', 'predicate-version'],
  'source-task-metrics': [
    'source-record-poll-total',
    'source-record-poll-rate',
    'source-record-write-total',
    'source-record-write-rate',
    'source-record-active-count',
    'source-record-active-count-avg',
    'source-record-active-count-max',
    'poll-batch-avg-time-ms',
    'poll-batch-max-time-ms',
    'transaction-size-avg',
    'transaction-size-max',
    'transaction-size-min',
  ],
  'sink-task-metrics': [
    'sink-record-read-total',
    'sink-record-read-rate',
    'sink-record-send-total',
    'sink-record-send-rate',
    'sink-record-active-count',
    'sink-record-active-count-avg',
    'sink-record-active-count-max',
    'sink-record-lag-max',
    'partition-count',
    'offset-commit-seq-no',
    'offset-commit-completion-total',
    'offset-commit-completion-rate',
    'offset-commit-skip-total',
    'offset-commit-skip-rate',
    'put-batch-avg-time-ms',
    'put-batch-max-time-ms',
  ],
  'task-error-metrics': [
    'total-record-errors',
    'total-record-failures',
    'total-records-skipped',
    'total-retries',
    'total-errors-logged',
    'deadletterqueue-produce-requests',
    'deadletterqueue-produce-failures',
    'last-error-timestamp',
  ],
  'connect-worker-metrics': [
    'connector-count',
    'task-count',
    'connector-startup-attempts-total',
    'connector-startup-success-total',
    'connector-startup-success-percentage',
    'connector-startup-failure-total',
    'connector-startup-failure-percentage',
    'task-startup-attempts-total',
    'task-startup-success-total',
    'task-startup-success-percentage',
    'task-startup-failure-total',
    'task-startup-failure-percentage',
    'connector-total-task-count',
    'connector-running-task-count',
    'connector-paused-task-count',
    'connector-failed-task-count',
    'connector-unassigned-task-count',
    'connector-destroyed-task-count',
    'connector-restarting-task-count',
  ],
  'connect-worker-rebalance-metrics': [
    'completed-rebalances-total',
    'rebalancing',
    'rebalance-avg-time-ms',
    'rebalance-max-time-ms',
    'time-since-last-rebalance-ms',
    'epoch',
    'leader-name',
    'connect-protocol',
  ],
};

const kafkas = Object.entries(attributes).flatMap(([group, names]) => names.map((attribute) => ({ group, attribute })));

const nameOf = (group: string, attribute: string): string => `kafka_connect_${group}_${attribute}`.replaceAll('-', '_');

const isLeftOut = ({ group, attribute }: (typeof kafkas)[number]): boolean =>
  leftOut.some((one) => one.group === group && one.attributes.includes(attribute));

interface World {
  readonly host: TestHost;
  readonly app: ReturnType<typeof anApp>;
  scrape(): Promise<Exposition>;
}

const PAIRS = { 'consumer.override.max.poll.records': '2' };
const SINK = { connector: 'orders-sink', task: '0' };
const SOURCE = { connector: 'rows-source', task: '0' };

/** Everything takes some milliseconds: a poll 7, each record of a put 4, each write of the store 3. Of the sink's five records one is refused. */
async function aWorld(): Promise<World> {
  const clock = new RunningClock();
  const target = memoryTarget('append');
  target.refusal = ({ value }) => (value === '3' ? new RecordError('not this one') : undefined);
  target.beforeWrite = () => clock.sleep(4);
  const sink = memorySink(target);
  const source = memorySource(memorySystem({ rows: rows(5), idleForMs: 600_000, beforePoll: () => clock.sleep(7) }));
  const store = new MemoryStateStore({ clock });
  const slow = storeWith(store, { put: async (...write) => clock.sleep(3).then(() => store.put(...write)) });
  const host = aHost({ plugins: [sink, source], clock, store: slow });
  const log = host.broker as MemoryLogBroker;
  log.createTopic('orders', { queues: 1 });
  await log.send({ topic: 'orders', brokerName: 'memory', queueId: 0 }, outgoing(...numbered(5)));
  const metrics = new PrometheusMetrics();
  const { scheduler } = aScheduler(host, { metrics });
  onTestFinished(() => scheduler.stop());
  const app = anApp(host, { metricsText: () => metrics.text(() => scheduler.scrape()), scheduler });
  const create = async (name: string, config: Readonly<Record<string, string>>): Promise<void> => {
    const body = JSON.stringify({ name, config: { ...PAIRS, ...config } });
    const { status } = await app.request('/connectors', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(status).toBe(201);
  };
  const scrape = async (): Promise<Exposition> => parseExposition(await (await app.request('/metrics')).text());
  // The first one waits for what it loads, and time passes.
  await scrape();
  await create('orders-sink', {
    ...{ 'connector.class': sink.name, topics: 'orders', 'value.converter': 'string', 'errors.log.enable': 'true' },
    ...DEAD_LETTERS,
  });
  await create('rows-source', { 'connector.class': source.name });
  const hasRead = ({ connector, counts }: RunRecord): boolean => connector === 'orders-sink' && counts.read > 0;
  const hasPolled = ({ connector, counts }: RunRecord): boolean => connector === 'rows-source' && counts.read > 0;
  await until(host, () => host.telemetry.runs.some(hasRead) && host.telemetry.runs.some(hasPolled));
  return { host, app, scrape };
}

describe("Kafka Connect's metrics", () => {
  test('are all there, or left out on purpose, and there is no other one', () => {
    const there = Object.keys(table).filter((name) => name.startsWith('kafka_connect_'));
    const wanted = kafkas.filter((one) => !isLeftOut(one)).map(({ group, attribute }) => nameOf(group, attribute));
    const leftOutNames = leftOut.flatMap(({ group, attributes: names }) => names.map((name) => nameOf(group, name)));

    expect(there.sort()).toEqual(wanted.sort());
    expect(leftOutNames.filter((name) => !kafkas.some(({ group, attribute }) => nameOf(group, attribute) === name))).toEqual([]);
  });

  test('are shown after a source and a sink ran, with what they did', async () => {
    const { host, scrape } = await aWorld();

    const exposition = await scrape();

    const missing = kafkas.filter((one) => !isLeftOut(one) && exposition.value(nameOf(one.group, one.attribute)) === undefined);
    expect(missing).toEqual([]);
    const shown = (labels: Readonly<Record<string, string>>, ...groups: readonly string[]) =>
      Object.fromEntries(
        groups.flatMap((group) =>
          (attributes[group] ?? []).flatMap((attribute) => {
            const value = exposition.value(nameOf(group, attribute), labels);
            return value === undefined ? [] : [[attribute, value]];
          }),
        ),
      );
    const above = (least: number) => expect.toSatisfy((value: number) => value > least);
    expect(shown(SINK, 'connector-task-metrics', 'sink-task-metrics', 'task-error-metrics')).toEqual({
      status: 1,
      'running-ratio': 1,
      'pause-ratio': 0,
      'batch-size-avg': expect.closeTo(5 / 3),
      'batch-size-max': 2,
      'offset-commit-avg-time-ms': 3,
      'offset-commit-max-time-ms': 3,
      'offset-commit-success-percentage': 1,
      'offset-commit-failure-percentage': 0,
      'sink-record-read-total': 5,
      'sink-record-read-rate': above(0.08),
      'sink-record-send-total': 4,
      'sink-record-send-rate': above(0.06),
      'sink-record-active-count': 0,
      'sink-record-active-count-avg': expect.closeTo((2 + 4 + 5) / 3),
      'sink-record-active-count-max': 5,
      'sink-record-lag-max': 0,
      'partition-count': 1,
      'offset-commit-seq-no': 1,
      'offset-commit-completion-total': 1,
      'offset-commit-completion-rate': above(0.01),
      'offset-commit-skip-total': 0,
      'offset-commit-skip-rate': 0,
      'put-batch-avg-time-ms': expect.closeTo(20 / 3),
      'put-batch-max-time-ms': 8,
      'total-record-errors': 1,
      'total-record-failures': 0,
      'total-records-skipped': 1,
      'total-retries': 0,
      'total-errors-logged': 1,
      'deadletterqueue-produce-requests': 1,
      'deadletterqueue-produce-failures': 0,
      'last-error-timestamp': host.telemetry.runs.find(({ counts }) => counts.deadLettered > 0)?.endedAtMs,
    });
    expect(shown(SOURCE, 'source-task-metrics')).toEqual({
      'source-record-poll-total': 5,
      'source-record-poll-rate': above(0.08),
      'source-record-write-total': 5,
      'source-record-write-rate': above(0.08),
      'source-record-active-count-avg': expect.closeTo((2 + 4 + 5) / 3),
      'source-record-active-count-max': 5,
      'poll-batch-avg-time-ms': 7,
      'poll-batch-max-time-ms': 7,
      'transaction-size-avg': 5,
      'transaction-size-max': 5,
      'transaction-size-min': 5,
    });
  });

  test('of workers tell of revisions that were taken up, and of invocations that began', async () => {
    const { value } = await (await aWorld()).scrape();

    const worker = (attribute: string): number | undefined => value(nameOf('connect-worker-metrics', attribute));
    const started = Object.fromEntries(
      (attributes['connect-worker-metrics'] ?? []).slice(0, 12).map((attribute) => [attribute, worker(attribute)]),
    );
    expect(started).toMatchObject({
      'connector-count': 2,
      'task-count': 2,
      'connector-startup-attempts-total': 2,
      'connector-startup-success-total': 2,
      'connector-startup-success-percentage': 1,
      'connector-startup-failure-total': 0,
      'connector-startup-failure-percentage': 0,
      'task-startup-success-percentage': 1,
      'task-startup-failure-total': 0,
      'task-startup-failure-percentage': 0,
    });
    expect(started['task-startup-attempts-total']).toBeGreaterThanOrEqual(2);
    expect(started['task-startup-success-total']).toBe(started['task-startup-attempts-total']);
  });

  test('of rebalances say that there never was one', async () => {
    const { value } = await (await aWorld()).scrape();

    const told = (attributes['connect-worker-rebalance-metrics'] ?? []).map((attribute) =>
      value(nameOf('connect-worker-rebalance-metrics', attribute)),
    );
    expect(told).toEqual([0, 0, Number.NaN, Number.NaN, Number.POSITIVE_INFINITY, 0, 1, 1]);
  });

  test('say nothing of what came more than a minute ago but its sum', async () => {
    const { host, scrape } = await aWorld();
    await host.clock.sleep(90_000);

    const { value } = await scrape();

    const of = (attribute: string) => value(nameOf('sink-task-metrics', attribute), SINK);
    expect(value('kafka_connect_connector_task_metrics_batch_size_avg', SINK)).toBeNaN();
    expect(of('put-batch-max-time-ms')).toBeNaN();
    expect(of('sink-record-read-rate')).toBe(0);
    expect(of('sink-record-read-total')).toBe(5);
  });

  test('of a connector go when it is deleted', async () => {
    const { host, app, scrape } = await aWorld();

    await app.request('/connectors/orders-sink', { method: 'DELETE' });
    await until(host, async () => (await scrape()).value('kafka_connect_connect_worker_metrics_connector_count') === 1);

    const connectors = new Set((await scrape()).lines.map(({ labels }) => labels['connector']));
    expect(connectors).toEqual(new Set(['rows-source', undefined]));
  });
});
