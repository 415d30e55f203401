import type { TelemetryEntry } from '../../../adapters/invoke/host-protocol.ts';
import { systemClock } from '../../../adapters/system.ts';
import type { Labels } from '../../../core/metrics/metric.ts';
import type { RunRecord } from '../../../core/offer.ts';
import { plainFields } from '../../../core/plain-fields.ts';
import type { LogLevel, Telemetry } from '../../../core/ports.ts';

/** So much is lost at most when the host is killed, and so much waits at most. */
const FLUSH_EVERY_MS = 100;
const ENTRIES_MAX = 1_000;

/** Hands everything on to the invoker's telemetry, in batches: a message for each counter would cost more than the invocation. */
export class ForwardingTelemetry implements Telemetry {
  readonly #forward: (entries: readonly TelemetryEntry[]) => void;
  #entries: TelemetryEntry[] = [];
  #flushing = new AbortController();

  constructor(forward: (entries: readonly TelemetryEntry[]) => void) {
    this.#forward = forward;
  }

  count(name: string, labels: Labels, by = 1): void {
    this.#add(['count', name, labels, by]);
  }

  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#add(['log', level, message, plainFields(fields)]);
  }

  run(record: RunRecord): void {
    this.#add(['run', record]);
  }

  flush(): void {
    this.#flushing.abort();
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    this.#entries = [];
    this.#forward(entries);
  }

  #add(entry: TelemetryEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length === 1) void this.#flushLater();
    else if (this.#entries.length >= ENTRIES_MAX) this.flush();
  }

  async #flushLater(): Promise<void> {
    const { signal } = (this.#flushing = new AbortController());
    await systemClock.sleep(FLUSH_EVERY_MS, signal);
    if (!signal.aborted) this.flush();
  }
}
