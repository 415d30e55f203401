/** Commands that ask the API: all know `--url` and `--json`. */
import { type Command, Option } from 'commander';
import { ApiClient } from './api-client.ts';
import { complaintOf } from './complaint.ts';
import type { Shell } from './shell.ts';

const DEFAULT_URL = 'http://127.0.0.1:8083';

export type ExitCode = 0 | 1 | 2 | 3;

/** What commands are made with. */
export interface Program {
  readonly shell: Shell;
  /** Where a command leaves its exit code. */
  readonly end: { exitCode: ExitCode };
}

/** What a command that runs is given. */
export interface Session {
  readonly api: ApiClient;
  readonly shell: Shell;
  readonly json: boolean;
  /** The one document of `--json`, or what people read instead. Called once, at the end; `watch` alone shows each of its looks. */
  show(document: unknown, text: () => string): void;
}

export interface ClientCommand<Options> {
  /** `pause <name...>` */
  readonly usage: string;
  readonly description: string;
  readonly options?: readonly Option[];
  run(session: Session, args: readonly string[], options: Options): Promise<ExitCode>;
}

export function addClientCommand<Options>(
  parent: Command,
  { shell, end }: Program,
  { usage, description, options = [], run }: ClientCommand<Options>,
): void {
  const command = parent.command(usage).description(description);
  for (const option of options) command.addOption(option);
  command
    .addOption(new Option('--url <url>', `where the HTTP API is; also SORTIE_URL (default: ${DEFAULT_URL})`))
    .addOption(new Option('--json', 'prints one JSON document'))
    .action(async () => {
      const { url, json = false, ...own } = command.opts<{ readonly url?: string; readonly json?: boolean }>();
      const api = new ApiClient(url ?? shell.environment['SORTIE_URL'] ?? DEFAULT_URL, shell);
      const show: Session['show'] = (document, text) => shell.write(json ? `${JSON.stringify(document)}\n` : text());
      try {
        end.exitCode = await run({ api, shell, json, show }, command.args, own as Options);
      } catch (error) {
        const complaint = complaintOf(error);
        if (json && complaint !== null) shell.write(`${JSON.stringify({ error: complaint })}\n`);
        throw error;
      }
    });
}
