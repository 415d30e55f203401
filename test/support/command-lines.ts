/** The command line against a server in this process, with what it says. */
import type { ExitCode } from '../../cli/client-command.ts';
import { runCommandLine } from '../../cli/command-line.ts';
import type { Shell, Terminal } from '../../cli/shell.ts';

export interface Said {
  readonly exitCode: ExitCode;
  readonly out: string;
  readonly err: string;
}

export interface CommandLineFields {
  readonly fetch: Shell['fetch'];
  readonly terminal?: Terminal | null;
  readonly environment?: Shell['environment'];
  readonly nowMs?: () => number;
  /** Ends a command that would go on. */
  readonly sleep?: Shell['sleep'];
  readonly onInterrupt?: Shell['onInterrupt'];
}

export async function said(args: readonly string[], fields: CommandLineFields): Promise<Said> {
  let out = '';
  let err = '';
  const exitCode = await runCommandLine(args, {
    environment: {},
    terminal: null,
    nowMs: () => 0,
    sleep: async () => undefined,
    onInterrupt: () => () => undefined,
    trust: () => undefined,
    ...fields,
    write: (text) => {
      out += text;
    },
    complain: (text) => {
      err += text;
    },
  });
  return { exitCode, out, err };
}
