/** `sortie`: the command line. Exit codes: 0 ok, 1 run time, 2 configuration, 3 environment. */
import process from 'node:process';
import { Command, CommanderError } from 'commander';
import { errorCodes } from '../core/error-codes.ts';
import { ConnectError } from '../core/errors.ts';
import { CliError } from './cli-error.ts';
import { addStart } from './commands/start.ts';

const DEFAULT_PORT = 8083;
const NEXT_IN_MESSAGE = '; next: ';

process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv);
    return 0;
  } catch (error) {
    return failed(error);
  }
}

function program(): Command {
  const sortie = new Command('sortie')
    .description('Connectors that run as short-lived function invocations')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`sortie: ${text.replace(/^error: /, '')}`) });
  addStart(sortie);
  sortie
    .command('apply')
    .description('creates or changes the connectors of files, and waits for nothing; applied again it changes nothing')
    .requiredOption('-f, --file <path>', 'a JSON, YAML or .properties file of connectors, or a folder of such files')
    .option('--url <url>', 'where the HTTP API is', `http://127.0.0.1:${DEFAULT_PORT}`)
    .option('--json', 'prints one JSON object', false)
    .action(runApply);
  return sortie;
}

// Loaded when it is asked for: no other command needs anything of it.
async function runApply(options: Parameters<typeof import('./commands/apply.ts').apply>[0]): Promise<void> {
  const { apply } = await import('./commands/apply.ts');
  await apply(options);
}

function failed(error: unknown): number {
  // It has said what is wrong already, or has shown help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CliError) return said(error.message, error.next, error.exitCode);
  if (error instanceof ConnectError) {
    const { next, exit } = errorCodes[error.code];
    // Most know better what to do next than their code does.
    const [message = '', ownNext] = error.message.split(NEXT_IN_MESSAGE);
    return said(message, ownNext ?? next, exit);
  }
  throw error;
}

function said(message: string, next: string, exitCode: number): number {
  // Several faults are a line each.
  process.stderr.write(`sortie: ${message}${message.includes('\n') ? '\n  next: ' : NEXT_IN_MESSAGE}${next}\n`);
  return exitCode;
}
