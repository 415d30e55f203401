import {
  connectorMetrics,
  connectorTaskMetrics,
  connectWorkerMetrics,
  sinkTaskMetrics,
  sourceTaskMetrics,
  taskErrorMetrics,
} from '../../core/metrics/kafka-connect-metrics.ts';
import { type Metric, origins } from '../../core/metrics/metric.ts';
import { schedulerMetrics, sortieConnectorMetrics } from '../../core/metrics/sortie-metrics.ts';
import { code, generatedFrom, page, table } from './markdown.ts';

const INTRODUCTION = `\`GET /metrics\` answers in Prometheus' text format. These are all the metrics there are.
\`infra/grafana/sortie.json\` is a dashboard of them: import it into Grafana, and choose the data source.`;

const KAFKA_CONNECT = `Named as the JMX exporter names the groups and attributes of Kafka Connect, so that boards and alerts can be carried over. A task owns nothing
here: it is a share of the connector's shards, dealt anew when shards come or go, so what belongs together over such a change is the sum over the tasks of
a connector. What is not here has no meaning without tasks that live for long: batch sizes, times of puts and of offset commits, startups, rebalances.`;

const SEVERAL = `Each scheduler shows what passed through it. Sum counters and histograms over all schedulers of a cluster: an invocation is counted by the one
that sent it. Gauges come from the one that leads (\`sortie_scheduler_leads\` is 1); the others show none, or 0 where there is no label, so a
sum is right there, too. Counts begin at zero with each start of a process; the series of a connector go when it is deleted.

An invocation that dies leaves no run record and counts nothing but its offer: what it had delivered and not committed is delivered again, and counted then.
One that runs for long, such as a tail, is counted when it ends, within a minute.`;

export function metricsPage(): string {
  return page([
    '# Metrics',
    generatedFrom('core/metrics/'),
    INTRODUCTION,
    SEVERAL,
    "## Kafka Connect's",
    KAFKA_CONNECT,
    ...section('connector-metrics', connectorMetrics),
    ...section('connector-task-metrics', connectorTaskMetrics),
    ...section('source-task-metrics', sourceTaskMetrics),
    ...section('sink-task-metrics', sinkTaskMetrics),
    ...section('task-error-metrics', taskErrorMetrics),
    ...section('connect-worker-metrics', connectWorkerMetrics),
    "## Sortie's own",
    ...section('Of a connector', sortieConnectorMetrics),
    ...section('Of a scheduler', schedulerMetrics),
    '## Where they are made from',
    Object.entries(origins)
      .map(([name, meaning]) => `- **${name}**: ${meaning}.`)
      .join('\n'),
  ]);
}

function section(title: string, metrics: Readonly<Record<string, Metric>>): readonly string[] {
  const rows = Object.entries(metrics).map(([name, { type, labels, unit, help, from }]) => [
    code(name),
    type,
    labels.map(code).join(', '),
    unit,
    help,
    from,
  ]);
  return [`### ${title}`, table(['metric', 'type', 'labels', 'unit', 'meaning', 'from'], rows)];
}
