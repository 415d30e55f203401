/** Runs one command. Exit codes: 0 ok, 1 run time, 2 configuration, 3 environment. */
import { Command, CommanderError } from 'commander';
import type { ExitCode } from './client-command.ts';
import { addStart } from './commands/start.ts';
import { complaintOf, complaintText } from './complaint.ts';
import type { Shell } from './shell.ts';

export async function runCommandLine(args: readonly string[], shell: Shell): Promise<ExitCode> {
  const end: { exitCode: ExitCode } = { exitCode: 0 };
  try {
    await (await newProgram(args, shell, end)).parseAsync(args, { from: 'user' });
    return end.exitCode;
  } catch (error) {
    // It has said what is wrong already, or has shown help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const complaint = complaintOf(error);
    if (complaint === null) throw error;
    shell.complain(complaintText(complaint));
    return complaint.exitCode;
  }
}

async function newProgram(args: readonly string[], shell: Shell, end: { exitCode: ExitCode }): Promise<Command> {
  const sortie = new Command('sortie')
    .description('Connectors that run as short-lived function invocations')
    .exitOverride()
    .configureOutput({
      writeOut: shell.write,
      writeErr: shell.complain,
      outputError: (text, write) => write(`sortie: ${text.replace(/^error: /, '')}`),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('  next: add --help to see what there is');
  addStart(sortie);
  // What asks the API is nothing to a server that is to start soon and stay small.
  if (args[0] !== 'start') (await import('./commands/client-commands.ts')).addClientCommands(sortie, { shell, end });
  return sortie;
}
