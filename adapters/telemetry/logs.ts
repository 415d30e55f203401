/** What the runtime logs, as lines: JSON for machines, or text for people. Each is written before the call returns, so that a process that ends loses none. */
import { plainFields } from '../../core/plain-fields.ts';
import type { Telemetry } from '../../core/ports.ts';
import type { LogLevels } from './log-levels.ts';
import { textLine } from './text-line.ts';

export type Logs = Pick<Telemetry, 'log' | 'run'>;

export interface LogsDeps {
  /** Which lines are written; may change at any time. */
  readonly levels: Pick<LogLevels, 'shows'>;
  /** The present as epoch ms. */
  nowMs(): number;
  /** A line with its end, at once. */
  write(line: string): void;
}

export function textLogs({ levels, nowMs, write }: LogsDeps): Logs {
  return withRuns((of, message, fields) => {
    if (levels.shows(of, fields)) write(textLine({ atMs: nowMs(), level: of, message, fields: plainFields(fields) }));
  });
}

/** pino is loaded for those who want its lines. */
export async function jsonLogs({ levels, nowMs, write }: LogsDeps): Promise<Logs> {
  const { pino } = await import('pino');
  const logger = pino(
    {
      // What is to be written is decided before it is asked.
      level: 'debug',
      // Process and host are known to whoever collects the lines.
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  return withRuns((of, message, fields) => {
    if (levels.shows(of, fields)) logger[of](plainFields(fields), message);
  });
}

/** An invocation that failed is worth a line to everybody, each other one only to whoever looks closely. */
function withRuns(log: Telemetry['log']): Logs {
  return {
    log,
    run: ({ error, ...run }) => {
      if (run.outcome !== 'failed' || error === undefined) {
        log('debug', 'run', { ...run, error });
        return;
      }
      const { connector, shard, epoch, owner } = run;
      const { message, ...where } = error;
      log('warn', `an invocation failed: ${message}`, { connector, shard, epoch, owner, ...where });
    },
  };
}
