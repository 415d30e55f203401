/**
 * Metrics for Prometheus. prom-client takes some 30 ms to load, which the first record is not to wait for: what is told before waits
 * here, and it is loaded when somebody looks, or when enough has come together.
 */
import type { Labels } from '../../core/metrics/metric.ts';
import type { CounterName, HistogramName, Scrape } from '../../core/metrics/table.ts';
import type { Metrics } from '../../core/ports.ts';
import type { PrometheusSeries } from './prometheus-series.ts';

/** Some fifty invocations, long after the first record. */
const WAITING_MAX = 1_000;

type Told = (series: PrometheusSeries) => void;

export class PrometheusMetrics implements Metrics {
  #series: PrometheusSeries | null = null;
  #loading: Promise<PrometheusSeries> | null = null;
  #waiting: Told[] = [];

  count(name: CounterName, labels: Labels, by = 1): void {
    this.#tell((series) => series.count(name, labels, by));
  }

  observe(name: HistogramName, labels: Labels, value: number): void {
    this.#tell((series) => series.observe(name, labels, value));
  }

  /** Something a plugin counts. */
  event(connector: string, event: string, by = 1): void {
    this.#tell((series) => series.event(connector, event, by));
  }

  forget(connector: string): void {
    this.#tell((series) => series.forget(connector));
  }

  /** In Prometheus' text format, in parts. `scrape` is asked for what is not told. */
  async text(scrape: () => Scrape): Promise<AsyncIterable<string>> {
    const series = await this.#load();
    return series.text(scrape());
  }

  #tell(told: Told): void {
    if (this.#series !== null) {
      told(this.#series);
      return;
    }
    this.#waiting.push(told);
    // A package that is not there ends the process, as it would have at its start.
    if (this.#waiting.length === WAITING_MAX) void this.#load();
  }

  #load(): Promise<PrometheusSeries> {
    this.#loading ??= import('./prometheus-series.ts').then(({ PrometheusSeries: Series }) => {
      const series = new Series();
      for (const told of this.#waiting) told(series);
      this.#waiting = [];
      this.#series = series;
      return series;
    });
    return this.#loading;
  }
}
