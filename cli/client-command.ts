/** Commands that ask the API: all know `--url` and `--json`. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { messageOf } from '../core/errors.ts';
import { ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';
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

interface CommonOptions {
  readonly url?: string;
  readonly ca?: string;
  readonly json?: boolean;
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
    .addOption(new Option('--ca <file>', 'PEM file of an authority whose certificate a server may have; also SORTIE_CA'))
    .addOption(new Option('--json', 'prints one JSON document'))
    .action(async () => {
      const { url, ca, json = false, ...own } = command.opts<CommonOptions>();
      const { SORTIE_URL, SORTIE_API_KEY, SORTIE_CA } = shell.environment;
      const api = new ApiClient({ url: url ?? SORTIE_URL ?? DEFAULT_URL, key: SORTIE_API_KEY || undefined }, shell);
      const show: Session['show'] = (document, text) => shell.write(json ? `${JSON.stringify(document)}\n` : text());
      try {
        trust(shell, ca ?? SORTIE_CA);
        end.exitCode = await run({ api, shell, json, show }, command.args, own as Options);
      } catch (error) {
        const complaint = complaintOf(error);
        if (json && complaint !== null) shell.write(`${JSON.stringify({ error: complaint })}\n`);
        throw error;
      }
    });
}

/** @throws {CliError} */
function trust(shell: Shell, file: string | undefined): void {
  if (file === undefined || file === '') return;
  try {
    shell.trust(readFileSync(file, 'utf8'));
  } catch (error) {
    const next = 'name a PEM file with --ca or SORTIE_CA';
    throw new CliError(`${file} cannot be used as an authority: ${messageOf(error)}`, { exitCode: 2, next });
  }
}
