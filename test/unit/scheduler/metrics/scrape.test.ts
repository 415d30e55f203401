/** What a scraper sees of schedulers that have moved records. */
import { afterEach, describe, expect, test } from 'vitest';
import type { MemoryLogBroker } from '../../../../adapters/memory/memory-log-broker.ts';
import { PrometheusMetrics } from '../../../../adapters/telemetry/prometheus-metrics.ts';
import { FatalTaskError, RecordError } from '../../../../core/errors.ts';
import { metrics as table } from '../../../../core/metrics/table.ts';
import type { SinkPlugin } from '../../../../plugins/api/sink.ts';
import { createConnector, deleteConnector, setTargetState } from '../../../../scheduler/connector-actions.ts';
import type { Scheduler } from '../../../../scheduler/scheduler.ts';
import { anApp } from '../../../support/api.ts';
import { DEAD_LETTERS } from '../../../support/configs.ts';
import { type Exposition, parseExposition } from '../../../support/exposition.ts';
import { aHost, type TestHost } from '../../../support/hosts.ts';
import { outgoing } from '../../../support/log-records.ts';
import { memorySink } from '../../../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../../../support/memory-source.ts';
import { memoryTarget } from '../../../support/memory-target.ts';
import { aScheduler, InvokerByHand, invokerOn, until } from '../../../support/schedulers.ts';
import { numbered, valuesIn } from '../../../support/sink-shard.ts';

const started: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((scheduler) => scheduler.stop()));
});

interface Served {
  readonly scheduler: Scheduler;
  scrape(): Promise<Exposition>;
}

function served(host: TestHost, fields: Parameters<typeof aScheduler>[1] = {}): Served {
  const metrics = new PrometheusMetrics();
  const { scheduler } = aScheduler(host, { metrics, ...fields });
  started.push(scheduler);
  const metricsText = () => metrics.text(() => scheduler.scrape());
  const app = anApp(host, { metricsText, scheduler });
  return { scheduler, scrape: async () => parseExposition(await (await app.request('/metrics')).text()) };
}

/** A topic `orders` of two queues, and a target that refuses what is `bad`. */
function aWorld(changed: Partial<SinkPlugin> = {}) {
  const target = memoryTarget('append');
  target.refusal = ({ value }) => (value === 'bad' ? new RecordError('not this one') : undefined);
  const sink = { ...memorySink(target), ...changed };
  const source = memorySource(memorySystem({ rows: rows(3) }));
  const host = aHost({ plugins: [sink, source] });
  const log = host.broker as MemoryLogBroker;
  log.createTopic('orders', { queues: 2 });
  const send = (queueId: number, ...values: readonly string[]) =>
    log.send({ topic: 'orders', brokerName: 'memory', queueId }, outgoing(...values));
  const createSink = (name: string, config: Readonly<Record<string, string>> = {}) =>
    createConnector(host, {
      name,
      config: { 'connector.class': sink.name, topics: 'orders', 'value.converter': 'string', ...DEAD_LETTERS, ...config },
    });
  const createSource = (name: string) => createConnector(host, { name, config: { 'connector.class': source.name } });
  return { host, target, send, createSink, createSource };
}

/** Lets everything that was begun end, and be remembered. */
const rest = ({ clock }: TestHost): Promise<void> => clock.sleep(60_000);

describe('/metrics', () => {
  test('tells what a sink did in the words of Kafka Connect', async () => {
    const { host, target, send, createSink } = aWorld();
    await send(0, ...numbered(5));
    await send(1, 'bad', 'good');
    await createSink('orders-sink', { 'tasks.max': '2' });
    const { scrape } = served(host);
    await until(host, () => valuesIn(target).length === 6);
    await rest(host);

    const { value } = await scrape();

    const of = (task: string) => ({ connector: 'orders-sink', task });
    expect(value('kafka_connect_sink_task_metrics_sink_record_read_total', of('0'))).toBe(5);
    expect(value('kafka_connect_sink_task_metrics_sink_record_send_total', of('0'))).toBe(5);
    expect(value('kafka_connect_sink_task_metrics_sink_record_send_total', of('1'))).toBe(1);
    expect(value('kafka_connect_task_error_metrics_deadletterqueue_produce_requests', of('1'))).toBe(1);
    expect(value('kafka_connect_task_error_metrics_deadletterqueue_produce_requests', of('0'))).toBe(0);
    expect(value('kafka_connect_task_error_metrics_last_error_timestamp', of('1'))).toBeGreaterThan(0);
    expect(value('kafka_connect_sink_task_metrics_partition_count', of('0'))).toBe(1);
    expect(value('kafka_connect_sink_task_metrics_sink_record_lag_max', of('0'))).toBe(0);
    expect(value('kafka_connect_connector_task_metrics_status', { ...of('1'), status: 'running' })).toBe(1);
    expect(value('kafka_connect_connector_metrics_status', { connector: 'orders-sink', status: 'running' })).toBe(1);
    expect(value('kafka_connect_connector_metrics_connector_type', { connector_type: 'sink' })).toBe(1);
    expect(value('kafka_connect_connect_worker_metrics_connector_count')).toBe(1);
    expect(value('kafka_connect_connect_worker_metrics_task_count')).toBe(2);
  });

  test('tells what a source did in the words of Kafka Connect', async () => {
    const { host, createSource } = aWorld();
    await createSource('rows-source');
    const { scrape } = served(host);
    await until(host, async () => (await host.broker.queues('rows')).length > 0);
    await rest(host);

    const { value } = await scrape();

    const of = { connector: 'rows-source', task: '0' };
    expect(value('kafka_connect_source_task_metrics_source_record_poll_total', of)).toBe(3);
    expect(value('kafka_connect_source_task_metrics_source_record_write_total', of)).toBe(3);
    expect(value('kafka_connect_connector_metrics_connector_type', { connector_type: 'source' })).toBe(1);
    expect(value('sortie_backlog_records')).toBeUndefined();
  });

  test('tells what Sortie did for it', async () => {
    const { host, target, send, createSink } = aWorld();
    await send(0, ...numbered(5));
    await createSink('orders-sink');
    const { scrape } = served(host);
    await until(host, () => valuesIn(target).length === 5);
    await rest(host);

    const { value } = await scrape();

    const connector = { connector: 'orders-sink' };
    const offers = value('sortie_offers_total', connector);
    expect(offers).toBeGreaterThan(0);
    expect(value('sortie_offers_ended_total', { ...connector, end: 'completed' })).toBe(offers);
    expect(value('sortie_invocations_total', connector)).toBe(offers);
    expect(value('sortie_invocation_seconds_count', connector)).toBe(offers);
    expect(value('sortie_end_to_end_seconds_count', connector)).toBeGreaterThan(0);
    expect(value('sortie_slices_total', connector)).toBeGreaterThan(0);
    expect(value('sortie_store_writes_total', connector)).toBeGreaterThan(0);
    expect(value('sortie_shards', { ...connector, reason: 'drained' })).toBe(2);
    expect(value('sortie_backlog_records', connector)).toBe(0);
    expect(value('sortie_backlog_seconds', connector)).toBe(0);
    expect(value('sortie_slices_held', connector)).toBe(0);
    expect(value('sortie_scheduler_leads')).toBe(1);
    expect(value('sortie_scheduler_store_seconds_count', { operation: 'get' })).toBeGreaterThan(0);
  });

  test('counts configurations that cannot be used, and invocations whose writer cannot be opened', async () => {
    const { host, send, createSink } = aWorld({ open: () => Promise.reject(new FatalTaskError('no way in')) });
    await send(0, 'one');
    await createSink('orders-sink', { 'auto.restart.max.attempts': '0' });
    await createSink('wrong', { 'put.timeout.ms': 'soon' });
    const { scrape } = served(host);
    await until(host, () => host.telemetry.runs.some(({ outcome }) => outcome === 'failed'));
    await host.clock.sleep(1_000);

    const { value } = await scrape();

    const worker = (attribute: string) => value(`kafka_connect_connect_worker_metrics_${attribute}`);
    expect([worker('connector_startup_attempts_total'), worker('connector_startup_failure_total')]).toEqual([2, 1]);
    expect(worker('connector_startup_failure_percentage')).toBe(0.5);
    expect([worker('task_startup_attempts_total'), worker('task_startup_failure_total')]).toEqual([1, 1]);
    expect(worker('task_startup_success_percentage')).toBe(0);
  });

  test('shows a backlog that nobody takes, and how old it may be', async () => {
    const { host, send, createSink } = aWorld();
    await createSink('orders-sink');
    const { scrape } = served(host);
    await rest(host);
    await setTargetState(host, 'orders-sink', 'paused');
    await host.clock.sleep(120_000);
    await send(0, ...numbered(7));
    await host.clock.sleep(200_000);

    const { value } = await scrape();

    expect(value('sortie_backlog_records', { connector: 'orders-sink' })).toBe(7);
    const seconds = value('sortie_backlog_seconds', { connector: 'orders-sink' }) ?? 0;
    expect(seconds).toBeGreaterThan(100);
    expect(seconds).toBeLessThan(400);
    expect(value('kafka_connect_connector_metrics_status', { status: 'paused' })).toBe(1);
    expect(value('sortie_shards', { reason: 'paused' })).toBe(2);
  });

  test('shows an invocation while it is on its way, and how it was lost', async () => {
    const { host, send, createSink } = aWorld();
    const invoker = new InvokerByHand();
    const { scrape } = served(host, { invoker });
    // The first one waits for what it loads, and time passes.
    await scrape();
    await send(0, 'one');
    await createSink('orders-sink');
    await until(host, () => invoker.offers.length > 0);
    const sent = invoker.offers.length;
    const during = await scrape();

    await invoker.end(0, { kind: 'lost', message: 'the line is dead' });
    const after = await scrape();

    expect(during.value('sortie_invocations_running', { connector: 'orders-sink' })).toBe(sent);
    expect(after.value('sortie_offers_ended_total', { connector: 'orders-sink', end: 'lost' })).toBe(1);
  });

  test('shows only what the table of metrics names, with its type and its labels', async () => {
    const { host, target, send, createSink, createSource } = aWorld();
    await send(0, ...numbered(5), 'bad');
    await createSink('orders-sink');
    await createSource('rows-source');
    const { scrape } = served(host);
    await until(host, () => valuesIn(target).length === 5);
    await rest(host);

    const { types, lines } = await scrape();

    const promised: Readonly<Record<string, { readonly type: string; readonly labels: readonly string[] }>> = table;
    expect(Object.fromEntries(types)).toEqual(Object.fromEntries(Object.entries(table).map(([name, { type }]) => [name, type])));
    for (const { name, labels } of lines) {
      const metric = promised[name] ?? promised[name.replace(/_(bucket|sum|count)$/, '')];
      const shown = Object.keys(labels).filter((label) => label !== 'le');
      expect({ name, labels: shown.sort() }).toEqual({ name, labels: [...(metric?.labels ?? ['not in the table'])].sort() });
    }
  });

  test('loses every series of a connector that is deleted, also when an invocation of it ends later', async () => {
    const { host, target, send, createSink } = aWorld();
    await send(0, ...numbered(3));
    await createSink('kept');
    await createSink('deleted');
    const { scheduler, scrape } = served(host, { invoker: invokerOn(host) });
    await until(host, () => valuesIn(target).length === 6);
    const before = await scrape();

    await deleteConnector(host, 'deleted');
    scheduler.connectorChanged('deleted');
    await rest(host);
    const after = await scrape();

    const names = ({ lines }: Exposition) => new Set(lines.map(({ labels }) => labels['connector']));
    expect(names(before)).toEqual(new Set(['kept', 'deleted', undefined]));
    expect(names(after)).toEqual(new Set(['kept', undefined]));
  });

  test('counts a connector that was created again from zero', async () => {
    const { host, target, send, createSink } = aWorld();
    await send(0, ...numbered(3));
    await createSink('orders-sink');
    const { scheduler, scrape } = served(host);
    await until(host, () => valuesIn(target).length === 3);
    await rest(host);

    await deleteConnector(host, 'orders-sink');
    await createSink('orders-sink', { 'consumer.override.auto.offset.reset': 'latest' });
    scheduler.connectorChanged('orders-sink');
    await rest(host);

    const { value } = await scrape();
    expect(value('kafka_connect_sink_task_metrics_sink_record_read_total', { connector: 'orders-sink' }) ?? 0).toBe(0);
  });

  test('shows counters that never fall', async () => {
    const { host, send, createSink } = aWorld();
    await createSink('orders-sink', { 'tasks.max': '2' });
    const { scrape } = served(host);
    const counted = new Map<string, number>();

    for (let round = 0; round < 20; round += 1) {
      await send(round % 2, ...numbered(round), ...(round % 3 === 0 ? ['bad'] : []));
      await host.clock.sleep(round * 1_500);
      const { types, lines } = await scrape();
      for (const { name, labels, value } of lines) {
        if (types.get(name) === 'gauge') continue;
        const series = JSON.stringify([name, labels]);
        expect({ series, value }).toEqual({ series, value: Math.max(value, counted.get(series) ?? 0) });
        counted.set(series, value);
      }
    }

    expect(counted.size).toBeGreaterThan(20);
  });

  test('of a scheduler that waits to take over shows that it does, and no connector', async () => {
    const { host, target, send, createSink } = aWorld();
    await send(0, ...numbered(3));
    await createSink('orders-sink');
    const first = served(host);
    await until(host, () => first.scheduler.leads);
    const second = served(host);
    await until(host, () => valuesIn(target).length === 3);
    await rest(host);

    const { value, lines } = await second.scrape();

    expect(value('sortie_scheduler_leads')).toBe(0);
    expect(lines.filter(({ labels }) => labels['connector'] !== undefined)).toEqual([]);
    expect((await first.scrape()).value('sortie_scheduler_leads')).toBe(1);
  });
});
