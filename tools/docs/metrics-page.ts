import { commonMetrics, INVOCATION_TIME, sinkMetrics, sourceMetrics } from '../../functions/run-metrics.ts';
import { code, generatedFrom, page, table } from './markdown.ts';

const INTRODUCTION = `Counters of invocations, each with the label \`connector\`. All are made from run records, so a number here can always be followed to the
invocations, shards and positions behind it. Where Kafka Connect has a metric for the same thing, it has that name. A plugin may count more.

An invocation that dies leaves no run record and is counted nowhere here; what it had delivered and not committed is delivered again, and counted then.`;

export function metricsPage(): string {
  return page([
    '# Metrics',
    generatedFrom('functions/run-metrics.ts'),
    INTRODUCTION,
    '## Sinks',
    metricTable(sinkMetrics),
    '## Sources',
    metricTable(sourceMetrics),
    '## All connectors',
    metricTable(commonMetrics),
    `${code(INVOCATION_TIME)} is not a counter but a distribution: how long each invocation took.`,
  ]);
}

function metricTable(metrics: readonly { readonly name: string; readonly meaning: string }[]): string {
  return table(
    ['metric', 'counts'],
    metrics.map(({ name, meaning }) => [code(name), meaning]),
  );
}
