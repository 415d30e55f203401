/** The series behind `/metrics`, by the names of `core/metrics`, in prom-client's registry. */
import { setImmediate } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type Labels, type Metric, TOLD } from '../../core/metrics/metric.ts';
import { type CounterName, type HistogramName, metrics, type Scrape, type ScrapedName } from '../../core/metrics/table.ts';

/** What a plugin calls its events is its own affair; a connector has a handful of them. */
const EVENTS_MAX = 20;
const OTHER_EVENTS = 'other';

const NOTHING: Scrape = () => [];

export class PrometheusSeries {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #histograms = new Map<string, Histogram>();
  /** What is to be removed with a connector. By its name, then by metric and labels. */
  readonly #ofConnector = new Map<string, Map<string, () => void>>();
  /** Names of events by connector. */
  readonly #events = new Map<string, Set<string>>();
  /** The last one, while anybody looks: what two that look at once are shown is equally new. */
  #scrape: Scrape = NOTHING;
  #lookers = 0;

  constructor() {
    for (const [name, metric] of Object.entries(metrics)) this.#register(name, metric);
  }

  count(name: CounterName, labels: Labels, by: number): void {
    const counter = this.#counters.get(name);
    counter?.inc(labels, by);
    this.#note(name, labels, () => counter?.remove(labels));
  }

  observe(name: HistogramName, labels: Labels, value: number): void {
    const histogram = this.#histograms.get(name);
    histogram?.observe(labels, value);
    this.#note(name, labels, () => histogram?.remove(labels));
  }

  event(connector: string, event: string, by: number): void {
    // An invocation is counted before it can count anything: of this connector everything was forgotten.
    if (!this.#ofConnector.has(connector)) return;
    const events = this.#events.get(connector) ?? new Set();
    this.#events.set(connector, events);
    if (events.size < EVENTS_MAX) events.add(event);
    this.count('sortie_plugin_events_total', { connector, event: events.has(event) ? event : OTHER_EVENTS }, by);
  }

  forget(connector: string): void {
    for (const remove of this.#ofConnector.get(connector)?.values() ?? []) remove();
    this.#ofConnector.delete(connector);
    this.#events.delete(connector);
  }

  /** One metric after the other, with everything else in between: a thousand connectors are some megabytes, and offers do not wait for them. */
  async *text(scrape: Scrape): AsyncGenerator<string> {
    this.#scrape = scrape;
    this.#lookers += 1;
    try {
      for (const name of Object.keys(metrics)) {
        yield `${await this.#registry.getSingleMetricAsString(name)}\n\n`;
        await setImmediate();
      }
    } finally {
      this.#lookers -= 1;
      if (this.#lookers === 0) this.#scrape = NOTHING;
    }
  }

  #register(name: string, metric: Metric): void {
    const { labels: labelNames, help } = metric;
    const known = { name, help, labelNames: [...labelNames], registers: [this.#registry] };
    if (metric.type === 'histogram') this.#histograms.set(name, new Histogram({ ...known, buckets: [...metric.buckets] }));
    else if (isTold(metric)) this.#counters.set(name, new Counter(known));
    else this.#registerScraped(name as ScrapedName, metric.type === 'counter' ? new Counter(known) : new Gauge(known));
  }

  /** Its series are handed to prom-client as it writes them, which would keep some hundred bytes of each: a thousand connectors have fifty thousand. */
  #registerScraped(name: ScrapedName, metric: Counter | Gauge): void {
    const get = metric.get.bind(metric);
    metric.get = async () => ({ ...(await get()), values: [...this.#scrape(name)] });
  }

  #note(name: string, labels: Labels, remove: () => void): void {
    const { connector } = labels;
    if (connector === undefined) return;
    let series = this.#ofConnector.get(connector);
    if (series === undefined) {
      series = new Map();
      this.#ofConnector.set(connector, series);
    }
    const key = `${name} ${Object.values(labels).join(' ')}`;
    if (!series.has(key)) series.set(key, remove);
  }
}

function isTold({ from }: Metric): boolean {
  return TOLD.some((told) => told === from);
}
