/** A line of the log for people. */
import type { LogLevel } from '../../core/ports.ts';

/** Anything that would let a text from elsewhere move the cursor of a terminal. */
const CONTROL = /\p{Cc}/gu;

export function textLine({
  atMs,
  level,
  message,
  fields,
}: {
  readonly atMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}): string {
  const details = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const line = `${new Date(atMs).toISOString()} ${level.toUpperCase().padEnd(5)} ${message}${details.join('')}`;
  return `${line.replace(CONTROL, ' ')}\n`;
}
