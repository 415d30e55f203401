import type { Clock, LoggerLevel, Loggers, LogLevel, LogThreshold } from '../../core/ports.ts';
import { LOG_THRESHOLDS } from '../../core/ports.ts';

const ROOT = 'root';
const CONNECTOR = 'connector.';

/** The loggers of connectors; whose level was set longest ago goes. */
const LOGGERS_MAX = 1_000;

/** The least that is logged, which can be changed while everything runs. */
export class LogLevels implements Loggers {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #levels = new Map<string, LoggerLevel>();

  constructor({ root, clock }: { readonly root: LogThreshold; readonly clock: Pick<Clock, 'nowMs'> }) {
    this.#clock = clock;
    this.#levels.set(ROOT, { threshold: root, setAtMs: null });
  }

  all(): ReadonlyMap<string, LoggerLevel> {
    return this.#levels;
  }

  set(logger: string, threshold: LogThreshold): void {
    if (logger !== ROOT) this.#levels.delete(logger);
    this.#levels.set(logger, { threshold, setAtMs: this.#clock.nowMs() });
    // The first one is the root.
    const [, oldest] = this.#levels.keys();
    if (this.#levels.size > LOGGERS_MAX + 1 && oldest !== undefined) this.#levels.delete(oldest);
  }

  /** Whether a line is to be written: by what is set for its connector, or else for all. */
  shows(level: LogLevel, { connector }: Readonly<Record<string, unknown>>): boolean {
    const own = typeof connector === 'string' ? this.#levels.get(CONNECTOR + connector) : undefined;
    const { threshold } = own ?? (this.#levels.get(ROOT) as LoggerLevel);
    return LOG_THRESHOLDS.indexOf(threshold) <= LOG_THRESHOLDS.indexOf(level.toUpperCase() as LogThreshold);
  }
}
