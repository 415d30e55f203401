/** Where this process's logs and metrics go, and those of the invocations it runs. */
import process from 'node:process';
import { systemClock } from '../../adapters/system.ts';
import { logLines } from '../../adapters/telemetry/log-lines.ts';
import { PrometheusMetrics } from '../../adapters/telemetry/prometheus-metrics.ts';
import type { LogLevel, Telemetry } from '../../core/ports.ts';

interface OpenedTelemetry {
  readonly telemetry: Telemetry;
  readonly metrics: PrometheusMetrics;
}

export function openTelemetry({ json, logLevel }: { readonly json: boolean; readonly logLevel: LogLevel }): OpenedTelemetry {
  const metrics = new PrometheusMetrics();
  const lines = logLines({
    level: logLevel,
    format: json ? 'json' : 'text',
    nowMs: systemClock.nowMs,
    write: (line) => process.stderr.write(`${line}\n`),
  });
  const count: Telemetry['count'] = (event, { connector = '' }, by) => metrics.event(connector, event, by);
  return { telemetry: { ...lines, count }, metrics };
}
