import type { Labels } from '../../core/metrics/metric.ts';
import type { RunRecord } from '../../core/offer.ts';
import type { LogLevel, Metrics, Telemetry } from '../../core/ports.ts';

/** Of observations per series, logs and runs: more than a test looks at, little enough to forget about in a long simulation. */
const ENTRIES_MAX = 10_000;

interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Series {
  readonly name: string;
  readonly labels: Labels;
  count: number;
  readonly observations: number[];
}

/** Telemetry and metrics that tests read. Keeps the newest entries of each kind. */
export class MemoryTelemetry implements Telemetry, Metrics {
  readonly #series = new Map<string, Series>();
  readonly #logs: LogEntry[] = [];
  readonly #runs: RunRecord[] = [];

  get logs(): readonly LogEntry[] {
    return this.#logs;
  }

  get runs(): readonly RunRecord[] {
    return this.#runs;
  }

  /** The sum over all series of `name` that bear `labels`, whatever other labels they have. */
  counter(name: string, labels: Labels = {}): number {
    return this.#matching(name, labels).reduce((sum, { count }) => sum + count, 0);
  }

  /** Series by series; in order of time within each. */
  observations(name: string, labels: Labels = {}): readonly number[] {
    return this.#matching(name, labels).flatMap((series) => series.observations);
  }

  count(name: string, labels: Labels, by = 1): void {
    this.#seriesOf(name, labels).count += by;
  }

  observe(name: string, labels: Labels, value: number): void {
    pushBounded(this.#seriesOf(name, labels).observations, value);
  }

  forget(connector: string): void {
    for (const [key, { labels }] of this.#series) if (labels['connector'] === connector) this.#series.delete(key);
  }

  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    pushBounded(this.#logs, { level, message, fields });
  }

  run(record: RunRecord): void {
    pushBounded(this.#runs, record);
  }

  #matching(name: string, labels: Labels): Series[] {
    const wanted = Object.entries(labels);
    return [...this.#series.values()].filter(
      (series) => series.name === name && wanted.every(([label, value]) => series.labels[label] === value),
    );
  }

  #seriesOf(name: string, labels: Labels): Series {
    const key = JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const created: Series = { name, labels, count: 0, observations: [] };
    this.#series.set(key, created);
    return created;
  }
}

function pushBounded<Entry>(entries: Entry[], entry: Entry): void {
  if (entries.length === ENTRIES_MAX) entries.shift();
  entries.push(entry);
}
