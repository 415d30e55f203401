/** Where this process's logs and metrics go, and those of the invocations it runs. */
import process from 'node:process';
import { systemClock } from '../../adapters/system.ts';
import { LogLevels } from '../../adapters/telemetry/log-levels.ts';
import { jsonLogs, textLogs } from '../../adapters/telemetry/logs.ts';
import { PrometheusMetrics } from '../../adapters/telemetry/prometheus-metrics.ts';
import type { LogLevel, LogThreshold, Telemetry } from '../../core/ports.ts';

export interface OpenedTelemetry {
  readonly telemetry: Telemetry;
  readonly metrics: PrometheusMetrics;
  readonly loggers: LogLevels;
}

export async function openTelemetry({
  json,
  logLevel,
}: {
  readonly json: boolean;
  readonly logLevel: LogLevel;
}): Promise<OpenedTelemetry> {
  const metrics = new PrometheusMetrics();
  const loggers = new LogLevels({ root: logLevel.toUpperCase() as LogThreshold, clock: systemClock });
  const deps = { levels: loggers, nowMs: systemClock.nowMs, write: (line: string) => void process.stderr.write(line) };
  const logs = json ? await jsonLogs(deps) : textLogs(deps);
  const count: Telemetry['count'] = (event, { connector = '' }, by) => metrics.event(connector, event, by);
  return { telemetry: { ...logs, count }, metrics, loggers };
}
