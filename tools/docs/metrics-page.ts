import {
  connectorMetrics,
  connectorTaskMetrics,
  sinkTaskMetrics,
  sourceTaskMetrics,
  taskErrorMetrics,
} from '../../core/metrics/kafka-connect-metrics.ts';
import { connectWorkerMetrics, connectWorkerRebalanceMetrics } from '../../core/metrics/kafka-connect-worker-metrics.ts';
import { leftOut } from '../../core/metrics/left-out.ts';
import { type Metric, origins } from '../../core/metrics/metric.ts';
import { schedulerMetrics, sortieConnectorMetrics } from '../../core/metrics/sortie-metrics.ts';
import { code, generatedFrom, page, table } from './markdown.ts';

const INTRODUCTION = `\`GET /metrics\` answers in Prometheus' text format. These are all the metrics there are.
\`infra/grafana/sortie.json\` is a dashboard of them: import it into Grafana, and choose the data source.`;

const KAFKA_CONNECT = `Named as the JMX exporter names the groups and attributes of Kafka Connect 4.1, so that boards and alerts can be carried over. A task owns nothing
here: it is a share of the connector's shards, dealt anew when shards come or go, so what belongs together over such a change is the sum over the tasks of
a connector. Averages, bounds, shares and rates are of the last 30 to 60 seconds, as in Kafka Connect, whose text sometimes says "so far"; an invocation
counts when it ends.`;

const LEFT_OUT = `What Kafka Connect has and Sortie leaves out on purpose. Metrics of Kafka's producers, consumers and admin clients are not here either: there are none.`;

const DIFFERENT = `What has the same name and means something else, because there are no workers that own tasks:

- \`running-ratio\` and \`pause-ratio\` are of now, and not since the task began: \`avg_over_time\` tells them of any time.
- \`sink-record-lag-max\` is the backlog in the log, and not what was read and not yet put.
- \`sink-record-active-count\` is of the slices that are held, read already or not; its average and its most are of what was read.
- \`source-record-active-count-avg\` and \`-max\` are of what was polled and not yet committed. What was polled is written in batches, each of which is durable
  before the next one is written.
- \`transaction-size-*\` are of every source, and not only of those that are exactly once: a commit of the checkpoint ends what a transaction of Kafka ends.
- \`offset-commit-skip-*\` are commits that were refused because somebody else had claimed the range, and \`offset-commit-seq-no\` is of the process, and not
  of one start of the task.
- \`connector-startup-*\` are of revisions that the scheduler takes up, \`task-startup-*\` of invocations.
- \`connector-restarting-task-count\`, \`connector-destroyed-task-count\` and all of \`connect-worker-rebalance-metrics\` never change.`;

const SEVERAL = `Each scheduler shows what passed through it. Sum counters and histograms over all schedulers of a cluster: an invocation is counted by the one
that sent it. Gauges come from the one that leads (\`sortie_scheduler_leads\` is 1); the others show none, or 0 where there is no label, so a
sum is right there, too. What never changes is shown by all. Counts begin at zero with each start of a process; the series of a connector go when it is deleted.

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
    ...section('connect-worker-rebalance-metrics', connectWorkerRebalanceMetrics),
    '### What is different',
    DIFFERENT,
    LEFT_OUT,
    table(
      ['group', 'attributes', 'why'],
      leftOut.map(({ group, attributes, why }) => [group, attributes.map(code).join(', ') || 'all', why]),
    ),
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
