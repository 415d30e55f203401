/** `sortie`: the command line. Exit codes: 0 ok, 1 run time, 2 configuration, 3 environment. */
import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { errorCodes } from '../core/error-codes.ts';
import { ConnectError } from '../core/errors.ts';
import { CliError } from './cli-error.ts';
import { invokerNames } from './invoker-names.ts';

const DEFAULT_PORT = 8083;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'];
const PORT_MAX = 65_535;
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
  sortie
    .command('start')
    .description('runs scheduler, invocations and the HTTP API on this machine, with everything in one folder')
    .option('--data <folder>', 'where state and log are kept', 'sortie-data')
    .option('--port <number>', 'port of the HTTP API on 127.0.0.1; 0: any that is free', portOf, DEFAULT_PORT)
    .addOption(new Option('--invoker <name>', 'what invocations run in').choices(invokerNames).default(invokerNames[0]))
    .addOption(new Option('--log-level <level>', 'the least that is logged').choices(LOG_LEVELS).default('info'))
    .option('--secrets-env <names>', 'variables that ${env:NAME} may name; DB_* for all that begin so', listOf, [])
    .option('--secrets-folders <paths>', 'folders whose files ${file:...} and ${dir:...} may name', listOf, [])
    .option('--json', 'log lines are JSON objects', false)
    .action(runStart);
  sortie
    .command('apply')
    .description('creates or changes the connectors of files, and waits for nothing; applied again it changes nothing')
    .requiredOption('-f, --file <path>', 'a JSON, YAML or .properties file of connectors, or a folder of such files')
    .option('--url <url>', 'where the HTTP API is', `http://127.0.0.1:${DEFAULT_PORT}`)
    .option('--json', 'prints one JSON object', false)
    .action(runApply);
  return sortie;
}

// Each command is loaded when it is asked for: no other one needs anything of it.

async function runApply(options: Parameters<typeof import('./commands/apply.ts').apply>[0]): Promise<void> {
  const { apply } = await import('./commands/apply.ts');
  await apply(options);
}

/** Serves until the process is told to end. */
async function runStart(options: Parameters<typeof import('./start.ts').start>[0]): Promise<void> {
  const { start } = await import('./start.ts');
  const started = await start(options);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ url: started.url, data: options.data })}\n`
      : `Sortie is ready at ${started.url}, with its data in ${options.data}\n`,
  );
  // For the next start, should this process be killed.
  flushCompileCache();
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await started.stop();
}

function listOf(text: string): readonly string[] {
  return text.split(',').filter((item) => item !== '');
}

function portOf(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= PORT_MAX) return port;
  throw new InvalidArgumentError(`must be a whole number from 0 to ${PORT_MAX}`);
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
