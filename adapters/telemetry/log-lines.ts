/**
 * Writes what the runtime logs as lines: one JSON object each, or text for people; runs at level debug.
 */
import type { LogLevel, Telemetry } from '../../core/ports.ts';

export interface LogLinesDeps {
  /** Lines of a lower level are left out. */
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** The present as epoch ms. */
  nowMs(): number;
  write(line: string): void;
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Anything that would let a text from elsewhere move the cursor of a terminal. */
const CONTROL = /\p{Cc}/gu;

export function logLines({ level, format, nowMs, write }: LogLinesDeps): Pick<Telemetry, 'log' | 'run'> {
  const least = ORDER.indexOf(level);
  const log: Telemetry['log'] = (of, message, fields) => {
    if (ORDER.indexOf(of) < least) return;
    const time = new Date(nowMs()).toISOString();
    write(format === 'json' ? JSON.stringify({ time, level: of, message, ...fields }) : text(time, of, message, fields));
  };
  return {
    run: (record) => log('debug', 'run', { ...record }),
    log,
  };
}

function text(time: string, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  const details = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${time} ${level.toUpperCase().padEnd(5)} ${message}${details.join('')}`.replace(CONTROL, ' ');
}
